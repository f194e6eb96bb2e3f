"""How the stores of a folder are, for `status`."""

from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum

from firnline.config.settings import FolderSettings, StoreSettings
from firnline.core.connection_state import ConnectionState
from firnline.engine.problems import explain
from firnline.engine.running import Now
from firnline.engine.runtime import Engine, store_kind
from firnline.engine.store_secrets import SecretMissingError
from firnline.stores.errors import StoreError, UnavailableError
from firnline.sync.context import HOME, Connected, FolderContext, Unreached
from firnline.sync.heartbeat import NOBODY, Look, look_once


class StoreActivity(StrEnum):
    """How a store is; the words of the contract."""

    CONNECTED = "connected"
    CONNECTING = "connecting"
    OFFLINE = "offline"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class StoreStatus:
    """A store of one folder."""

    name: str
    kind: str
    state: StoreActivity
    message: str
    """Why it is not connected, and what to do; '' when it is."""
    lead: bool
    """This device does its housekeeping: it runs, and beats there (docs/design.md section 5)."""
    connections: int
    """Devices that are connected to it at the moment, this one included; 0 where that is not
    known. A device that only syncs now and then is none."""
    events: int
    missing: int
    rating: int
    minor: bool
    junk: int = 0
    """Names among its events that are none: left alone."""

    def to_json(self) -> dict[str, object]:
        return {
            "name": self.name,
            "kind": self.kind,
            "state": str(self.state),
            "message": self.message,
            "lead": self.lead,
            "connections": self.connections,
            "events": self.events,
            "missing": self.missing,
            "base": None,
            "frozen_until": None,
            "rating": self.rating,
            "minor": self.minor,
            "junk": self.junk,
        }


def statuses_of_stores(
    engine: Engine, settings: FolderSettings, context: FolderContext, now: Now
) -> list[StoreStatus]:
    """The stores of a folder, as its settings name them, and as they look from here; `now` says
    which of them the Firnline that runs is not connected to yet."""
    reached = {connected.name: connected for connected in context.stores}
    unreached = {each.name: each for each in context.unreached}
    found = []
    for name in settings.stores:
        store = engine.store_settings(name)
        found.append(_store(context, store, reached.get(name), unreached.get(name), now))
    return found


def _store(
    context: FolderContext,
    store: StoreSettings,
    connected: Connected | None,
    unreached: Unreached | None,
    now: Now,
) -> StoreStatus:
    table, count = context.state.stores, context.state.journal.count()
    row = table.get(store.store_id)
    missing = count if row is None else table.lacking_count(store.store_id)
    state, message = StoreActivity.CONNECTED, ""
    link = now.stores.get(store.store_id, ConnectionState.CONNECTED)
    held = link is ConnectionState.CONNECTED and store.store_id in now.stores
    if unreached is None and link is not ConnectionState.CONNECTED:
        state, message = StoreActivity.CONNECTING, _NOT_YET
    if isinstance(unreached and unreached.why, SecretMissingError) and held:
        # The one that runs holds its secret in memory, and this process does not.
        unreached = None
    if unreached is not None:
        state = _trouble(unreached.why)
        message = explain(unreached.why, f"store {store.name}").line
    look = _look(context, connected)
    own = set() if connected is None else {connected.connection}
    return StoreStatus(
        name=store.name,
        kind=store_kind(store.location),
        state=state,
        message=message,
        lead=look.lead in own,
        connections=len(own.union(look.living)),
        events=count - missing,
        missing=missing,
        rating=store.rating,
        minor=store.minor,
        junk=0 if row is None else row.junk,
    )


_NOT_YET = "in reach, but the Firnline that runs has not connected to it yet"


def _trouble(why: Exception) -> StoreActivity:
    offline = isinstance(why, UnavailableError)
    return StoreActivity.OFFLINE if offline else StoreActivity.ERROR


def _look(context: FolderContext, connected: Connected | None) -> Look:
    """Who is connected; nobody where that is not known."""
    if connected is not None:
        with suppress(StoreError):
            return look_once(connected.store, context.clock)
    return NOBODY


def status_of_home(context: FolderContext) -> StoreStatus:
    """The home store holds what is on its way, or (where it keeps all) everything."""
    held = len(context.state.stores.held())
    return StoreStatus(
        name=HOME,
        kind="directory",
        state=StoreActivity.CONNECTED,
        message="",
        lead=True,
        connections=1,
        events=held,
        missing=context.state.journal.count() - held if context.keep_all else 0,
        rating=context.home.rating,
        minor=False,
    )
