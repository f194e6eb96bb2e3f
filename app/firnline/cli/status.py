"""`firnline status`."""

from argparse import Namespace

from firnline.cli import output
from firnline.cli.opening import open_engine
from firnline.engine.problems import explain_problem
from firnline.engine.question_words import question_line
from firnline.engine.status import FolderActivity, FolderStatus
from firnline.engine.status import status as read_status
from firnline.engine.store_status import StoreActivity, StoreStatus
from firnline.stores.configs import StoreConfig
from firnline.sync.context import HOME


def status(arguments: Namespace) -> int:
    """How everything is."""
    with open_engine(arguments, lock=False) as engine:
        found = read_status(engine)
    if arguments.json:
        output.document(found.to_json())
        return 0
    runs = "; `firnline run` is up" if found.running else ""
    output.line(f"{output.shown(found.device_name)} (device {found.device_id}){runs}")
    for folder in found.folders:
        _show(folder, running=found.running)
    if not found.folders:
        output.message("There are no folders here yet: `firnline folder create PATH` makes one.")
    return 0


_WORDS = {
    FolderActivity.IDLE: "up to date after the last sync",
    FolderActivity.SCANNING: "being looked through",
    FolderActivity.SYNCING: "being synced",
    FolderActivity.PAUSED: "paused",
    FolderActivity.WAITING: "something is left to do",
    FolderActivity.ERROR: "needs you",
}


def _show(folder: FolderStatus, *, running: bool) -> None:
    settings = folder.settings
    output.line()
    output.line(f"{output.shown(settings.name)}  {output.shown(str(settings.path))}")
    files = output.count_text(folder.files, "file")
    waits = folder.questions and folder.state is FolderActivity.WAITING
    words = "waits for your decision" if waits else _WORDS[folder.state]
    if running and folder.state is FolderActivity.IDLE:
        words = "up to date"
    output.line(f"    {words}; {files}, {output.size_text(folder.bytes)}")
    if folder.message:
        output.line(f"    {output.shown(folder.message)}")
    if folder.conflicts:
        conflicts = output.count_text(folder.conflicts, "open conflict")
        output.line(f"    {conflicts} (`firnline conflicts`)")
    for store in folder.stores:
        if store.name != HOME or not folder.stores[:-1]:
            output.line(f"    {_store_text(store)}")
    for other in folder.offered:
        output.line(f"    {_offer_text(other)}")
    for question in folder.questions:
        output.line(f"    {output.shown(question_line(question, settings.name))}")
    for problem in folder.problems:
        output.line(f"    {output.shown(explain_problem(problem, settings.name).line)}")


def _store_text(store: StoreStatus) -> str:
    name = f"store {output.shown(store.name)}"
    has = f"{name}: {output.count_text(store.events, 'event')}"
    lacks = f", {store.missing:,} to be sent" if store.missing else ""
    if store.junk:
        lacks += f"; {output.count_text(store.junk, 'name')} there are no events, and left alone"
    if store.state is StoreActivity.CONNECTED:
        return has + lacks
    return f"{has}{lacks}; {output.shown(store.message)}"


def _offer_text(store: StoreConfig) -> str:
    """A store that another device uses for the folder; its location is as that device has it."""
    place = f" ({output.shown(store.location)})" if store.location else ""
    name = output.shown(store.name)
    return f"also kept on {name}{place}; `firnline store add` makes it known here"
