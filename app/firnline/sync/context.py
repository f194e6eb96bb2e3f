"""What a pass over one folder works with: everything that touches the world, passed in."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from math import inf
from typing import TYPE_CHECKING, NamedTuple

from firnline.core.clock import Clock
from firnline.core.event import DeviceId
from firnline.core.hashing import PLAIN, Hasher
from firnline.core.steps import Steps, no_steps
from firnline.folder.filesystem import Root
from firnline.state.folder_state import FolderState
from firnline.stores.base import Store
from firnline.stores.errors import StoreError
from firnline.stores.layout import FolderLayout

if TYPE_CHECKING:
    from firnline.sync.fetches import Fetches

_TELLING = 2**20
"""Bytes from which on the time that they took says how fast their source is."""
HOME = "home"
"""The home store's name in settings and reports."""


def _believed() -> None:
    """Of a store or folder whose identity nobody can take away in the middle of a pass."""


class Connected(NamedTuple):
    """A store that was reached and is the one it should be."""

    name: str
    """As the user calls it; `home` is the home store."""
    store: Store
    store_id: str
    generation: str
    connection: str
    """CONNHASH (docs/design.md section 11)."""
    rating: int
    minor: bool
    require_current: Callable[[], None] = _believed
    """Asked before something is written: raises StoreError when it is no longer this store that
    stands there, since a disk can be unmounted in the middle of a pass."""


class Unreached(NamedTuple):
    """A store of this folder that could not be used in this pass."""

    name: str
    store_id: str
    minor: bool
    why: Exception


class CancelledError(Exception):
    """The user stopped the work; everything done so far is kept."""


class Progress:
    """Where long work reports to. This one says nothing; the command line draws bars."""

    def begin(self, activity: str, total: int, unit: str) -> None:
        """`activity` in words, such as `sending`; `unit` is `files` or `bytes`."""

    def advance(self, amount: int) -> None: ...

    def end(self) -> None: ...


class GaveUp:
    """Whether something was given up."""

    def __init__(self) -> None:
        self.some = False

    def __bool__(self) -> bool:
        return self.some


class Patience:
    """How long a pass waits for stores. This one does, however long they take: `firnline sync`."""

    def over(self, connected: Connected) -> Connected:
        """A store as a pass uses it."""
        return connected

    def is_slow(self, connected: Connected, size: int) -> bool:
        """True when a store would not take so many bytes in time."""
        return False

    def require_waited(self, store_id: str) -> None:
        """Raises SlowError where nobody waits for a store any more. From any thread."""

    def reads_slowly(self) -> bool:
        """True when bodies took long to be read lately."""
        return False

    def strictly(self) -> AbstractContextManager["GaveUp"]:
        """Inside, bodies that are not read in time are given up, too."""
        return nullcontext(GaveUp())

    def at_leisure(self) -> AbstractContextManager[None]:
        """Inside, stores are waited for all the same."""
        return nullcontext()


OTHER_NAME = "other name"
"""The kind of a `Problem` that is none: a path has another name on this disk."""
NOT_WATCHED = "not watched"
"""The kind of another one: changes are found by looking, so they take longer."""
SET_ASIDE = "set aside"
"""Another one: a store's file was replaced, and what stood there is kept on this device."""
KeepAside = Callable[[str, str, Iterable[bytes]], str]
"""Keeps what stood in a store (its name, a path, the bytes); returns where. Raises OSError."""


class Problem(NamedTuple):
    """One thing that is not synced, and why. `kind` is a stable word for programs."""

    path: str
    """The path in the folder; '' when it concerns the folder or a store as a whole."""
    kind: str
    message: str
    store: str = ""

    @property
    def is_notice(self) -> bool:
        """Good to know, and nothing is left undone."""
        return self.kind in (OTHER_NAME, NOT_WATCHED, SET_ASIDE)


class FolderContext:
    """One folder on this device, opened for one pass or for many.

    Between two passes of a context `stores` and `unreached` may be set anew.

    A plain class, like all on the way of a pass: making it a dataclass costs milliseconds at each
    start of the program (docs/decisions/0006).
    """

    def __init__(
        self,
        *,
        folder_id: str,
        name: str,
        device: DeviceId,
        root: Root,
        state: FolderState,
        layout: FolderLayout,
        home: Connected,
        stores: list[Connected],
        unreached: list[Unreached],
        keep_all: bool,
        clock: Clock,
        random: Callable[[int], bytes],
        hasher: Hasher = PLAIN,
        steps: Steps = no_steps,
        progress: Progress | None = None,
        found: Iterable[Problem] = (),
        delete_unasked: bool = False,
        cancelled: Callable[[], bool] = lambda: False,
        require_here: Callable[[], None] = _believed,
        keep_aside: KeepAside | None = None,
    ) -> None:
        self.folder_id = folder_id
        self.name = name
        self.device = device
        self.root = root
        self.state = state
        self.layout = layout
        self.home = home
        self.stores = stores
        """Reached stores of this folder, best rated first."""
        self.unreached = unreached
        self.keep_all = keep_all
        """The home store keeps all bodies (docs/design.md section 4, *The home store*)."""
        self.clock = clock
        self.random = random
        self.hasher = hasher
        self.steps = steps
        self.progress = progress or Progress()
        self.cancelled = cancelled
        self.delete_unasked = delete_unasked
        """Mass deletions of this pass do not wait for the user's answer."""
        self.found = list(found)
        """What was wrong when the folder was opened, and is told with the first whole pass."""
        self.keep_aside = keep_aside
        """For what stands in a store and is replaced; None: it is not kept."""
        self.set_aside: list[Problem] = []
        """What was kept so, since the folder was opened."""
        self.full: dict[str, StoreError] = {}
        """Stores, by name, that had no space left since the last whole pass: they are read from,
        and take only what has no body."""
        self.patience = Patience()
        """How long the stores are waited for."""
        self.fetches: Fetches | None = None
        """Where bodies are asked for that passes do not wait for; None: they do."""
        self.slow: set[str] = set()
        """Stores, by name, that did not take something in time in this pass: they are read from,
        and the copier brings them what is new."""
        self.copying: list[Problem] | None = None
        """What could not be copied, where passes do not copy; None: they do."""
        self.speeds: dict[str, float] = {}
        """By STOREHASH, the bytes a second at which large bodies were had from there lately."""
        self.deleted_lately: dict[str, dict[str, float]] = {}
        """Files that passes gave up without asking, by the side on which they were deleted: path →
        when, by the monotonic clock. Many small deletions may be one large one."""
        self.bursts_cleared: dict[str, int] = {}
        """Devices that replaced many files, by no noise: how many when that was looked at last."""
        self.missing_contents: set[str] = set()
        """Hashes that no store in reach had when they were looked for last."""
        self.scans = False
        """The folder is being looked at, just now."""
        self.require_here = require_here
        """Raises when the folder's root or marker is missing or another (docs/design.md section 7,
        *Safety*). Asked before a pass, and again before anything is told as gone."""

    @property
    def sources(self) -> list[Connected]:
        """The reached stores, the best one to read from first: by rating, then by measured speed.
        One that was not measured is asked first, and is measured so."""
        if not self.speeds or len(self.stores) < 2:
            return list(self.stores)
        from firnline.core.replication import Source, best_first

        reached = {each.store_id: each for each in self.stores}
        rated = (
            Source(store_id, each.rating, self.speeds.get(store_id, inf))
            for store_id, each in reached.items()
        )
        return [reached[source.store_id] for source in best_first(rated)]

    def note_speed(self, connected: Connected, size: int, seconds: float) -> None:
        """So many bytes were had from a store in so many seconds. A single one tells little: others
        may have been at work."""
        if size < _TELLING or seconds <= 0:
            return
        before = self.speeds.get(connected.store_id, size / seconds)
        self.speeds[connected.store_id] = before + (size / seconds - before) / 4

    @property
    def with_room(self) -> list[Connected]:
        """The reached stores that take bodies, best rated first."""
        return [connected for connected in self.stores if connected.name not in self.full]

    def in_time(self, connected: Connected, size: int) -> bool:
        """Whether this pass waits for a store to take so many bytes."""
        return connected.name not in self.slow and not self.patience.is_slow(connected, size)

    def check_cancelled(self) -> None:
        """Raises CancelledError at a place where stopping is safe."""
        if self.cancelled():
            raise CancelledError
