"""Opening a folder: its state, its place in each store, and which stores of it are in reach.

Where this process holds the profile, what a store does not know yet is written there: the folder
itself, what this device is called, what the other stores are. Otherwise nothing is written.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

from firnline.config.schema import HomeKeep
from firnline.config.settings import FolderSettings
from firnline.core.clock import format_time
from firnline.core.hashing import PLAIN
from firnline.engine.folder_root import require_answer, require_here
from firnline.engine.replaced_notes import note_replaced
from firnline.engine.runtime import Engine
from firnline.engine.trust_notes import note_untrusted
from firnline.folder.claim import claimed
from firnline.folder.filesystem import Root
from firnline.state.database import DatabaseError, DatabaseFault, set_aside
from firnline.state.folder_state import FolderState
from firnline.stores.configs import FolderConfig
from firnline.stores.errors import StoreError
from firnline.stores.layout import FolderId, FolderLayout, slug
from firnline.stores.registry import DIRECTORY
from firnline.sync.connection import (
    FolderHere,
    ReplacedError,
    announce,
    find_folder,
    foresee_registering,
    register_folder,
)
from firnline.sync.context import (
    CancelledError,
    Connected,
    FolderContext,
    KeepAside,
    Problem,
    Unreached,
)
from firnline.sync.home_release import RELEASED
from firnline.sync.listing import foresee_listing, list_home
from firnline.sync.local_names import LocalNames

_REGISTERED = "registered"
"""The fact that says with which stores this folder was registered."""
_HOME = "home store"
"""The fact that says which home store the table speaks of."""
_PATIENCE = 600.0
"""Seconds that whoever works beside a pass waits for a transaction of the pass."""
STATE_DAMAGED = "state damaged"
"""The kind of the problem that a folder's tables were damaged."""
_logger = logging.getLogger(__name__)


class NotConnectedError(StoreError):
    """The store was not tried, since the command does not need it."""


class Reached(NamedTuple):
    """The stores of one folder, as they are at the moment."""

    stores: Sequence[Connected]
    """Best rated first."""
    unreached: Sequence[Unreached]
    copying: tuple[Problem, ...] | None = None
    """What could not be copied, where somebody else than the passes copies."""


class OpenFolder(NamedTuple):
    """A folder whose state is open."""

    settings: FolderSettings
    context: FolderContext
    config: FolderConfig
    """What the stores say of it."""


def state_file(engine: Engine, folder_id: str) -> Path:
    """The database of one folder."""
    return engine.places.table(folder_id)


@contextmanager
def open_folder(
    engine: Engine, folder: FolderSettings, *, connect: bool = True
) -> Iterator[FolderContext]:
    """A folder with the stores of it that are in reach; `connect` False: with none of them.

    Raises FolderAwayError when its disk does not answer, DatabaseError, StoreError (of the home
    store) and FolderError.
    """
    reached = _reach(engine, folder, connect=connect)
    with open_with(engine, folder, reached) as opened, ExitStack() as stack:
        if engine.writes:
            stack.enter_context(claimed(opened.context.root))
        if engine.writes and connect:
            _prepare_stores(engine, opened)
        yield opened.context


@contextmanager
def open_with(engine: Engine, folder: FolderSettings, reached: Reached) -> Iterator[OpenFolder]:
    """A folder with these stores, which may change from one pass to the next (`use_stores`).

    Before a pass `claimed` has to hold the folder. Raises as `open_folder`.
    """
    require_answer(folder)
    with ExitStack() as stack:
        root = stack.enter_context(Root(str(folder.path), steps=engine.outside.steps))
        state, found = stack.enter_context(_open_state(engine, folder.folder_id))
        here = _find(engine, folder, reached.stores)
        context = _context(engine, folder, here.layout, root, state, reached)
        context.progress = engine.outside.progress
        context.cancelled = engine.outside.cancelled
        context.found = found
        context.require_here = partial(_require_here, folder, context)
        LocalNames(context, look=False)
        context.stores = _limited(engine, context, reached.stores)
        _refuse_replaced(context)
        if engine.writes:
            _notice_home(context)
        yield OpenFolder(folder, context, here.config)


@contextmanager
def open_beside(
    engine: Engine, folder: FolderSettings, reached: Reached, cancelled: Callable[[], bool]
) -> Iterator[FolderContext]:
    """A folder that this process has open already, opened once more for another thread, which
    changes nothing in the folder itself.

    Where `cancelled` says so, nothing is booked any more but what was let go from the home store:
    what is known of others by then may no longer be so. Raises as `open_folder`.
    """

    def steps(name: str) -> None:
        if cancelled() and name.startswith("commit ") and name != f"commit {RELEASED}":
            raise CancelledError
        engine.outside.steps(name)

    require_answer(folder)
    with ExitStack() as stack:
        root = stack.enter_context(Root(str(folder.path), steps=steps))
        path = state_file(engine, folder.folder_id)
        state = FolderState(path, steps=steps, patience=_PATIENCE)
        stack.enter_context(closing(state))
        stack.enter_context(state.database.translating())
        here = _find(engine, folder, reached.stores)
        context = _context(engine, folder, here.layout, root, state, reached)
        context.cancelled = cancelled
        LocalNames(context, look=False)
        context.stores = _limited(engine, context, reached.stores)
        _refuse_replaced(context)
        yield context


def _context(
    engine: Engine,
    folder: FolderSettings,
    layout: FolderLayout,
    root: Root,
    state: FolderState,
    reached: Reached,
) -> FolderContext:
    context = FolderContext(
        folder_id=folder.folder_id,
        name=folder.name,
        device=engine.peer.device,
        root=root,
        state=state,
        layout=layout,
        home=engine.home,
        stores=[],
        unreached=list(reached.unreached),
        keep_all=keeps_all(engine, folder),
        clock=engine.outside.clock,
        random=engine.outside.random,
        steps=engine.outside.steps,
        keep_aside=_keep_aside(engine) if engine.writes else None,
    )
    context.speeds = engine.speeds
    return context


def _require_here(folder: FolderSettings, context: FolderContext) -> None:
    require_answer(folder)
    require_here(context)


def use_stores(engine: Engine, opened: OpenFolder, reached: Reached) -> None:
    """From now on these are the stores of an open folder."""
    context = opened.context
    context.stores = _limited(engine, context, reached.stores)
    context.unreached = list(reached.unreached)
    _refuse_replaced(context)
    _prepare_stores(engine, opened)


def _limited(
    engine: Engine, context: FolderContext, stores: Sequence[Connected]
) -> list[Connected]:
    """The stores behind the line, where it has a limit, and waited for as long as a pass of this
    folder has. What the links do beside is not limited: heartbeats and polling are small, and must
    not wait behind a film."""
    lines, remote = engine.lines, any(each.store.kind != DIRECTORY for each in stores)
    if lines is None and not remote:
        return list(map(context.patience.over, stores))
    from firnline.stores.line import ended_by
    from firnline.stores.throttled import ThrottledStore

    def behind(each: Connected) -> Connected:
        def go_on() -> None:
            context.check_cancelled()
            context.patience.require_waited(each.store_id)

        store = ended_by(each.store, go_on)
        if lines is not None:
            store = ThrottledStore(store, lines, go_on)
        return each._replace(store=store)

    return [context.patience.over(behind(each)) for each in stores]


def _prepare_stores(engine: Engine, opened: OpenFolder) -> None:
    """Stores and tables know of one another, before anything is written there."""
    note_replaced(opened.context)
    note_untrusted(opened.context)
    _register_all(engine, opened.context, opened.config)
    _attach(engine, opened.settings, opened.context)


def _keep_aside(engine: Engine) -> KeepAside:
    def keep(store: str, path: str, chunks: Iterable[bytes]) -> str:
        from firnline.engine.set_aside import write_aside

        outside = engine.outside
        return write_aside(engine.places.state, outside.clock, outside.steps, store, path, chunks)

    return keep


@contextmanager
def _open_state(engine: Engine, folder_id: str) -> Iterator[tuple[FolderState, list[Problem]]]:
    """The folder's tables, and what was wrong with them. Damaged ones are set aside; new ones are
    made from folder and stores by the rules for joining, which delete nothing (section 7)."""
    path, steps = state_file(engine, folder_id), engine.outside.steps
    found: list[Problem] = []
    try:
        state = FolderState(path, steps=steps, check=engine.writes)
    except DatabaseError as error:
        if error.fault is not DatabaseFault.DAMAGED or not engine.writes:
            raise
        _logger.info("%s", error)
        error.kept_as = set_aside(path, steps)
        found.append(damage(error))
        state = FolderState(path, steps=steps)
    try:
        with closing(state), state.database.translating():
            yield state, found
    except DatabaseError as error:
        if error.fault is DatabaseFault.DAMAGED and engine.writes:
            error.kept_as = set_aside(path, steps)
        raise


def damage(error: DatabaseError) -> Problem:
    """Tables that were damaged and are made anew, for people."""
    place = error.kept_as
    kept = place is not None and place.exists()
    message = f"it is kept as {place.name}" if kept and place else error.detail
    return Problem("", STATE_DAMAGED, message)


def keeps_all(engine: Engine, folder: FolderSettings) -> bool:
    """True when the home store keeps every body: the user wants it, or no other store does."""
    stores = map(engine.store_settings, folder.stores)
    return engine.settings.home_keep is HomeKeep.ALL or all(store.minor for store in stores)


def _reach(engine: Engine, folder: FolderSettings, *, connect: bool) -> Reached:
    if connect:
        return Reached(*engine.reach(folder.stores))
    why = NotConnectedError("", "not asked")
    stores = map(engine.store_settings, folder.stores)
    unasked = [Unreached(store.name, store.store_id, store.minor, why) for store in stores]
    return Reached((), unasked)


def _find(engine: Engine, folder: FolderSettings, stores: Iterable[Connected]) -> FolderHere:
    """The folder's directory name and config: as the home store has it, else another store."""
    found = find_folder(engine.home.store, folder.folder_id)
    for connected in stores:
        if found is None:
            found = find_folder(connected.store, folder.folder_id)
    if found is not None:
        return found
    folder_id = FolderId(folder.folder_id)
    return FolderHere(
        FolderLayout(slug(folder.name), folder_id), FolderConfig(folder_id, folder.name)
    )


def _notice_home(context: FolderContext) -> None:
    """A home store that was removed and made anew holds nothing of what the table says; one that
    came with a backup holds what it holds."""
    identity = f"{context.home.store_id} {context.home.generation}"
    known = context.state.fact(_HOME)
    if known == identity:
        return
    with context.state.transaction("notice home store"):
        if known is not None:
            context.state.stores.release_all()
            list_home(context, at_once=True)
        context.state.set_fact(_HOME, identity)


def _refuse_replaced(context: FolderContext) -> None:
    """A store that was filled anew knows other events than this device's table says."""
    for connected in list(context.stores):
        row = context.state.stores.get(connected.store_id)
        if row is not None and row.generation != connected.generation:
            why = ReplacedError(connected.store_id, connected.store_id, refilled=True)
            drop(context, connected, why)


def drop(context: FolderContext, connected: Connected, why: StoreError) -> None:
    """Go on without a store of this folder."""
    context.stores.remove(connected)
    context.unreached.append(Unreached(connected.name, connected.store_id, connected.minor, why))


def _register_all(engine: Engine, context: FolderContext, config: FolderConfig) -> None:
    """Every store in reach knows the folder, this device and the other stores."""
    for connected in context.stores:
        foresee_registering(connected, context.layout)
        foresee_listing(context, connected)
    register_folder(context.home, context.layout, config)
    signature = _signature(engine, context)
    known = context.state.fact(_REGISTERED) == signature
    for connected in list(context.stores):
        try:
            register_folder(connected, context.layout, config)
            if not known:
                announce(connected, engine.peer.record)
        except StoreError as error:
            _logger.info("folder %s in store %s: %s", context.name, connected.name, error)
            drop(context, connected, error)
    if known:
        return
    from firnline.sync.records import exchange_records

    failed = exchange_records(context.stores, context.layout)
    for why in failed:
        _logger.info("what the stores say of one another: %s", why)
    if failed:
        return
    with context.state.transaction("registered"):
        context.state.set_fact(_REGISTERED, signature)


def _signature(engine: Engine, context: FolderContext) -> str:
    """Changes when there is something new to tell the stores, and every day: another device may
    have told one of them something."""
    stores = sorted((c.store_id, c.generation, c.rating, c.minor) for c in context.stores)
    today = format_time(context.clock.now())[:8]
    return PLAIN.data(repr((stores, engine.peer.record, today)).encode("utf-8", "backslashreplace"))


def _attach(engine: Engine, folder: FolderSettings, context: FolderContext) -> None:
    """The table of stores is what the settings say; one that is new lacks everything at first."""
    wanted = {engine.store_settings(name).store_id for name in folder.stores}
    kept = {*wanted, context.home.store_id}
    table = context.state.stores
    gone = [store_id for store_id in table.ids() if store_id not in kept]
    new = [c for c in context.stores if table.get(c.store_id) is None]
    if not gone and not new:
        return
    with context.state.transaction("attach stores"):
        for store_id in gone:
            table.detach(store_id)
        now = int(context.clock.now().timestamp())
        for connected in new:
            table.attach(connected.store_id, connected.generation, now)
