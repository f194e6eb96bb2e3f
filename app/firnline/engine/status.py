"""How everything is: the document of `firnline status --json`, and the words for it.

Read from what the last pass left and from a look at the stores; nothing is scanned or changed. A
folder that cannot be opened has its reason instead of numbers and does not hide the others.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from firnline.config.settings import FolderSettings
from firnline.engine.folder_root import FolderAwayError, is_here
from firnline.engine.open_folder import open_folder
from firnline.engine.problems import explain, explain_problem
from firnline.engine.question_words import question_line
from firnline.engine.running import NOTHING, FolderNow, Now, Work, ask_running
from firnline.engine.runtime import Engine
from firnline.engine.store_status import StoreStatus, status_of_home, statuses_of_stores
from firnline.engine.trust_notes import is_asked
from firnline.history.conflicts import open_conflicts
from firnline.history.names import Names
from firnline.state.database import DatabaseError
from firnline.state.journal import EventState
from firnline.state.questions import Question
from firnline.stores.configs import StoreConfig
from firnline.stores.errors import StoreError
from firnline.sync.connection import ReplacedError
from firnline.sync.context import FolderContext, Problem
from firnline.sync.folder_pass import last_problems
from firnline.sync.records import kept_elsewhere


class FolderActivity(StrEnum):
    """What a folder does; the words of the contract."""

    IDLE = "idle"
    SCANNING = "scanning"
    SYNCING = "syncing"
    PAUSED = "paused"
    WAITING = "waiting"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Pending:
    """What is left to do, as far as this device knows."""

    scan: int = 0
    """Changed paths that the Firnline that runs was told of. Without one it is 0: what changed in
    the folder since the last pass is not known."""
    upload: int = 0
    """Event files that stores still lack, all stores together."""
    download: int = 0
    """Events whose paths or content are still to come."""
    apply: int = 0
    """Paths that differ from what the log wants."""

    @property
    def nothing(self) -> bool:
        return not (self.scan or self.upload or self.download or self.apply)


@dataclass(frozen=True, slots=True)
class FolderStatus:
    """A folder of this device."""

    settings: FolderSettings
    state: FolderActivity
    message: str = ""
    """Why it is in trouble."""
    files: int = 0
    bytes: int = 0
    pending: Pending = Pending()
    conflicts: int = 0
    problems: tuple[Problem, ...] = ()
    questions: tuple[Question, ...] = ()
    """What waits for the user's decision."""
    stores: tuple[StoreStatus, ...] = ()
    offered: tuple[StoreConfig, ...] = ()
    """Stores that keep it, too, and that this device does not use."""

    def to_json(self) -> dict[str, object]:
        name = self.settings.name
        problems = [
            {
                "path": problem.path,
                "kind": problem.kind,
                "message": explain_problem(problem, name).line,
            }
            for problem in self.problems
        ]
        problems += [
            {"path": "", "kind": question.kind, "message": question_line(question, name)}
            for question in self.questions
        ]
        if self.message:
            problems.insert(0, {"path": "", "kind": "folder", "message": self.message})
        return {
            "id": self.settings.folder_id,
            "name": name,
            "path": str(self.settings.path),
            "state": str(self.state),
            "files": self.files,
            "bytes": self.bytes,
            "pending": {
                "scan": self.pending.scan,
                "upload": self.pending.upload,
                "download": self.pending.download,
                "apply": self.pending.apply,
            },
            "conflicts": self.conflicts,
            "problems": problems,
            "stores": [store.to_json() for store in self.stores],
            "offered": [
                {
                    "id": store.store_id,
                    "name": store.name,
                    "kind": store.kind,
                    "location": store.location,
                }
                for store in self.offered
            ],
        }


@dataclass(frozen=True, slots=True)
class Status:
    """This device and all its folders."""

    device_id: str
    device_name: str
    folders: tuple[FolderStatus, ...]
    running: bool = False
    """A Firnline runs here and looks after the folders."""

    def to_json(self) -> dict[str, object]:
        return {
            "device": {"id": self.device_id, "name": self.device_name},
            "running": self.running,
            "folders": [folder.to_json() for folder in self.folders],
        }


def status(engine: Engine) -> Status:
    """How everything is now. Who runs is asked what it does, and otherwise left alone."""
    now = ask_running(engine.places.control)
    folders = tuple(_folder(engine, each, now or NOTHING) for each in engine.settings.folders)
    return Status(engine.peer.device, engine.settings.device_name, folders, now is not None)


def _folder(engine: Engine, settings: FolderSettings, now: Now) -> FolderStatus:
    try:
        with open_folder(engine, settings) as context:
            return _describe(engine, settings, context, now)
    except (FolderAwayError, DatabaseError, StoreError, OSError) as error:
        message = explain(error, f"folder {settings.name}").line
        return FolderStatus(settings, FolderActivity.ERROR, message)


def _describe(
    engine: Engine, settings: FolderSettings, context: FolderContext, now: Now
) -> FolderStatus:
    state = context.state
    files, size = state.files.totals()
    doing = now.folders.get(settings.folder_id, FolderNow())
    pending = _pending(context, doing)
    problems = tuple(last_problems(state))
    questions = tuple(state.questions.open())
    away = is_here(context)
    return FolderStatus(
        settings,
        _activity(
            settings,
            pending,
            doing.work,
            away=away is not None,
            waits=bool(questions) or _has_replaced_store(context) or is_asked(context.state),
            trouble=bool(doing.trouble) or _in_trouble(problems),
        ),
        doing.trouble if away is None else away.reason.sentence,
        files,
        size,
        pending,
        len(open_conflicts(context, Names({}, {}))),
        problems,
        questions,
        (*statuses_of_stores(engine, settings, context, now), status_of_home(context)),
        _offered(engine, settings, context),
    )


def _offered(
    engine: Engine, settings: FolderSettings, context: FolderContext
) -> tuple[StoreConfig, ...]:
    known = {store.store_id for store in engine.settings.stores} | {context.home.store_id}
    return tuple(kept_elsewhere(context.stores, settings.folder_id, known))


def _in_trouble(problems: Iterable[Problem]) -> bool:
    return not all(problem.is_notice for problem in problems)


def _activity(
    settings: FolderSettings,
    pending: Pending,
    work: Work,
    *,
    away: bool,
    waits: bool,
    trouble: bool,
) -> FolderActivity:
    """What needs the user comes before what is being done, which is over in a moment."""
    if settings.paused:
        return FolderActivity.PAUSED
    if away or (trouble and not waits):
        return FolderActivity.ERROR
    if waits:
        return FolderActivity.WAITING
    if work is not Work.NOTHING:
        return FolderActivity(work.value)
    return FolderActivity.IDLE if pending.nothing else FolderActivity.WAITING


def _has_replaced_store(context: FolderContext) -> bool:
    """The user has to say what became of it."""
    return any(isinstance(each.why, ReplacedError) for each in context.unreached)


def _pending(context: FolderContext, doing: FolderNow) -> Pending:
    state = context.state
    stores = [store for store in state.stores.ids() if store != context.home.store_id]
    return Pending(
        scan=doing.hints,
        upload=sum(map(state.stores.lacking_count, stores)),
        download=state.journal.count_in(EventState.NAMED, EventState.BODILESS),
        apply=state.dirty.count(),
    )
