"""Whole laptops for scenario tests: a folder, a state, a home store, and stores that they share.

Each `sync` opens everything anew, as a fresh process would, so nothing survives in memory that a
real device would have lost. Time is the test's own.
"""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from firnline.core.event import DeviceId
from firnline.core.steps import Steps, no_steps
from firnline.folder import marker
from firnline.folder.access import Access
from firnline.folder.filesystem import Root
from firnline.state.folder_state import FolderState
from firnline.stores.base import Store
from firnline.stores.directory import DirectoryStore
from firnline.stores.layout import FolderId, FolderLayout, StoreHash, connection_hash
from firnline.sync.context import HOME, Connected, FolderContext, Unreached
from firnline.sync.folder_pass import PassReport, run_pass
from firnline.sync.scope import WHOLE, Scope

FOLDER_ID = FolderId("0123456789abcdef")
LAYOUT = FolderLayout("documents", FOLDER_ID)


class LaptopClock:
    """Runs on its own: every question moves it a little, sleeping moves it as told."""

    def __init__(self, start: datetime = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)) -> None:
        self.moment = start
        self.elapsed = 0.0

    def now(self) -> datetime:
        self.moment += timedelta(microseconds=10)
        return self.moment

    def monotonic(self) -> float:
        return self.elapsed

    def sleep(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)
        self.elapsed += seconds

    def advance(self, **span: float) -> None:
        self.moment += timedelta(**span)


class _TimedStore(DirectoryStore):
    """A directory store whose file system tells the test's time."""

    def __init__(
        self, base: Path, connection: str, clock: LaptopClock, steps: Steps, own: LaptopClock
    ) -> None:
        super().__init__(base, connection=connection, clock=clock, steps=steps)
        self._own_clock = own

    def server_time(self) -> datetime:
        return self._own_clock.moment


def _whole(context: FolderContext) -> Scope:
    return WHOLE


class Laptop:
    """One device. `stores` are the store directories that it knows; `away` those out of reach.

    `folder` is where its folder lies, `access` makes the file system there one that can do less.
    The stores' clock agrees with the laptop's unless another is given.
    """

    scope: Callable[[FolderContext], Scope] = staticmethod(_whole)
    """What each pass is about."""

    def __init__(
        self,
        place: Path,
        device: str,
        stores: Iterable[Path] = (),
        *,
        clock: LaptopClock | None = None,
        minor: Iterable[Path] = (),
        store_clock: LaptopClock | None = None,
        wrap: Callable[[str, Store], Store] = lambda name, store: store,
        access: Callable[[str], Access] | None = None,
        folder: Path | None = None,
    ) -> None:
        self.device = DeviceId(device)
        self.place = place
        place.mkdir(parents=True, exist_ok=True)
        self.folder = folder or place / "folder"
        if not self.folder.exists():
            self.folder.mkdir(parents=True)
            with Root(str(self.folder)) as root:
                marker.create(root, FOLDER_ID)
        self.stores = list(stores)
        self.minor = set(minor)
        self.away: set[Path] = set()
        self.clock = clock or LaptopClock()
        self.store_clock = store_clock or self.clock
        self.wrap = wrap
        self.access = access
        self.keep_all: bool | None = None
        self.delete_unasked = False
        self._ticks = 0

    # --- the user -------------------------------------------------------------------------------

    def write(self, path: str, text: str | bytes, *, executable: bool = False) -> None:
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text.encode() if isinstance(text, str) else text)
        with suppress(OSError):
            target.chmod(0o755 if executable else 0o644)
        self._settle(target)

    def _settle(self, target: Path) -> None:
        """Files are older than the moment for which a scan waits, and no two times are equal: not
        to another's here, nor to one that came from elsewhere, which is in whole milliseconds."""
        self._ticks += 1
        when = int(self.clock.moment.timestamp() * 1e3 - 1e3 + self._ticks) * 1_000_000 + 1000
        os.utime(target, ns=(when, when))

    def read(self, path: str) -> str:
        return (self.folder / path).read_text()

    def delete(self, path: str) -> None:
        (self.folder / path).unlink()

    def move(self, source: str, target: str) -> None:
        (self.folder / target).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / source).rename(self.folder / target)

    def tree(self) -> dict[str, object]:
        """What stands in the folder: path → text, or kind for what is no file."""
        found: dict[str, object] = {}
        for path in sorted(self.folder.rglob("*")):
            name = path.relative_to(self.folder).as_posix()
            if name.split("/")[0] == ".firnline":
                continue
            if path.is_symlink():
                found[name] = ("link", os.readlink(path))
            elif path.is_dir():
                if not any(path.iterdir()):
                    found[name] = "directory"
            else:
                executable = bool(path.stat().st_mode & 0o100)
                body = path.read_bytes()
                text = body.decode("utf-8", "replace")
                shown = text if len(body) < 200 else hashlib.sha256(body).hexdigest()
                found[name] = (shown, "x") if executable else shown
        return found

    # --- the program ----------------------------------------------------------------------------

    def sync(self, *, steps: Steps = no_steps) -> PassReport:
        """One pass, in a fresh process."""
        with ExitStack() as stack:
            context = self.context(stack, steps)
            return run_pass(context, self.scope(context))

    @contextmanager
    def awake(self, steps: Steps = no_steps) -> Iterator[FolderContext]:
        """The folder stays open from pass to pass, as while the program runs. A pass of everything
        comes first."""
        with ExitStack() as stack:
            context = self.context(stack, steps)
            run_pass(context)
            yield context

    def answer(self, question_id: str, choice: str) -> None:
        """The user decides, before the next pass."""
        state = FolderState(self.place / "state.db")
        with state.transaction("answer"):
            state.questions.answer(question_id, choice)
        state.close()

    def context(self, stack: ExitStack, steps: Steps = no_steps) -> FolderContext:
        state = FolderState(self.place / "state.db", steps=steps)
        stack.callback(state.close)
        # Nobody pulls the plug here, so a commit need not wait for the disk.
        state.database.connection.execute("PRAGMA synchronous=OFF")
        access = None if self.access is None else self.access(str(self.folder))
        root = Root(str(self.folder), steps=steps, access=access)
        stack.callback(root.forget)
        reached: list[Connected] = []
        unreached: list[Unreached] = []
        for base in self.stores:
            store_id = store_hash(base)
            if base in self.away:
                unreached.append(
                    Unreached(base.name, store_id, base in self.minor, OSError("away"))
                )
            else:
                reached.append(self._connect(base, store_id, steps))
            if state.stores.get(store_id) is None:
                with state.transaction("attach"):
                    state.stores.attach(store_id, "generation000000")
        self._detach_dropped(state)
        lasting = any(base not in self.minor for base in self.stores)
        home = self.place / "home"
        home.mkdir(exist_ok=True)
        return FolderContext(
            folder_id=FOLDER_ID,
            name="Documents",
            device=self.device,
            root=root,
            state=state,
            layout=LAYOUT,
            home=self._connect(home, store_hash(home), steps, HOME),
            stores=reached,
            unreached=unreached,
            keep_all=not lasting if self.keep_all is None else self.keep_all,
            delete_unasked=self.delete_unasked,
            clock=self.clock,
            random=os.urandom,
            steps=steps,
        )

    def _detach_dropped(self, state: FolderState) -> None:
        """What the user took from the list of stores is forgotten, as the engine does it."""
        wanted = {store_hash(base) for base in self.stores}
        with state.transaction("detach"):
            for store_id in set(state.stores.ids()) - wanted:
                state.stores.detach(store_id)

    def _connect(
        self, base: Path, store_id: StoreHash, steps: Steps, name: str | None = None
    ) -> Connected:
        base.mkdir(parents=True, exist_ok=True)
        connection = connection_hash(self.device, store_id, str(self.place).encode())
        store = _TimedStore(base, connection, self.clock, steps, self.store_clock)
        name = name or base.name
        return Connected(
            name,
            self.wrap(name, store),
            store_id,
            "generation000000",
            connection,
            50,
            base in self.minor,
        )


def store_hash(base: Path) -> StoreHash:
    """A STOREHASH for a test's directory."""
    return StoreHash(hashlib.sha256(str(base).encode()).hexdigest()[:16])


def event_count(store: Path) -> int:
    """Event files in a store."""
    return sum(1 for path in (store / LAYOUT.events).rglob("*") if path.is_file())


def settle(*laptops: Laptop, rounds: int = 6) -> None:
    """Everybody syncs until nothing is written any more."""
    for _ in range(rounds):
        reports = [laptop.sync() for laptop in laptops]
        if not any(report.written or report.applied or report.copied for report in reports):
            return
    raise AssertionError("the laptops never came to rest")
