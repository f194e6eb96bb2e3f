"""The one place where the parts are joined: a profile, opened for one command.

Everything else receives what it needs as arguments, the clock included. Stores are connected when
they are asked for the first time, and once; what fails is remembered and not tried again.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from firnline import __version__
from firnline.config.logs import logging_to
from firnline.config.places import Places
from firnline.config.profile_lock import ProfileBusy, ProfileLock
from firnline.config.settings import FolderSettings, Settings, StoreSettings, load
from firnline.core.clock import Clock
from firnline.engine.errors import AmbiguousNameError, NoSuchFolderError, NoSuchStoreError
from firnline.engine.habitat import become_another, settled_identity
from firnline.engine.identity import (
    DeviceIdentity,
    make_identity,
    read_identity,
)
from firnline.engine.mounts import answers, can_hang
from firnline.engine.surroundings import Surroundings
from firnline.stores import layout
from firnline.stores.base import Store
from firnline.stores.configs import DeviceRecord, StoreConfig
from firnline.stores.errors import (
    CredentialsError,
    HangingError,
    LocationError,
    StoreError,
    UnavailableError,
)
from firnline.stores.identity import read_identity as read_store_identity
from firnline.stores.registry import DIRECTORY, Secret, factory_for, no_secret, parse_location
from firnline.sync.connection import Expected, Opener, Peer, connect, initialise
from firnline.sync.context import HOME, Connected, Unreached

if TYPE_CHECKING:
    from firnline.stores.line import Lines

HOME_RATING = 100
_BUSY_PATIENCE = 50
_ASKED = 3
"""How often a person is asked for what one store wants: a passphrase, then a password."""
_logger = logging.getLogger(__name__)


class Engine:
    """A profile and the stores of its settings. Made by `Engine.open`."""

    def __init__(
        self, places: Places, settings: Settings, peer: Peer, outside: Surroundings, *, writes: bool
    ) -> None:
        self.places = places
        self.settings = settings
        self.peer = peer
        self.outside = outside
        self.writes = writes
        """False: this process does not hold the profile, so it only reads."""
        self.lines: Lines | None = None
        """What keeps the limits of bandwidth, for all folders and stores; None: there are none."""
        self.speeds: dict[str, float] = {}
        """How fast bodies come from each store, by STOREHASH, as all folders measured it."""
        self._reached: dict[str, Connected | StoreError] = {}
        self._home: Connected | None = None

    @classmethod
    @contextmanager
    def open(
        cls,
        places: Places,
        outside: Surroundings,
        *,
        lock: bool,
        held: bool = False,
        lines: "Lines | None" = None,
        settings: Settings | None = None,
    ) -> Iterator["Engine"]:
        """A profile, made where there is none. `lock`: hold it, which changing anything needs.
        `held`: this process holds it already, and has its log. `lines`: of the engine before, if
        there was one, so that the limits hold for what it left behind, too. `settings`: those of
        the profile, where they were read already.

        Raises ProfileBusy, ConfigError, IdentityError and OSError.
        """
        with ExitStack() as stack:
            places.prepare(outside.steps)
            if lock and not held:
                stack.enter_context(_hold(places, outside))
            settings = settings or load(places.config_file)
            if not held:
                stack.enter_context(logging_to(places.logs, settings))
            identity = _identity(places, outside, locked=lock or held)
            if lock and not held:
                identity = settled_identity(places.state, identity, outside.random, outside.steps)
            engine = cls(places, settings, _peer(identity, settings), outside, writes=lock)
            engine.lines = _lines(settings, outside.clock, lines)
            stack.callback(engine.close)
            try:
                yield engine
            except Exception as error:
                _log_mistake(error)
                raise

    def close(self) -> None:
        """Close every store."""
        for reached in [*self._reached.values(), self._home]:
            if isinstance(reached, Connected):
                reached.store.close()
        self._reached.clear()
        self._home = None

    def become_another(self) -> None:
        """This device's identity is used by another one, too: it takes a new one, and its tables
        are lost. No folder is open; the profile has to be opened anew afterwards.

        Raises OSError and DatabaseError.
        """
        self.close()
        become_another(self.places.state, self.outside.random, self.outside.steps)

    # --- names --------------------------------------------------------------------------------

    def folder(self, name: str) -> FolderSettings:
        """The folder of that name or id. Raises NoSuchFolderError and AmbiguousNameError."""
        found = [each for each in self.settings.folders if name in (each.name, each.folder_id)]
        if not found:
            raise NoSuchFolderError(name, [each.name for each in self.settings.folders])
        if len(found) > 1:
            raise AmbiguousNameError(name, [each.folder_id for each in found])
        return found[0]

    def folders(self, names: Iterable[str]) -> list[FolderSettings]:
        """The folders of those names, each once; all of this device when no name is given."""
        found = {each.folder_id: each for each in map(self.folder, names)}
        return list(found.values()) or list(self.settings.folders)

    def store_settings(self, name: str) -> StoreSettings:
        """Raises NoSuchStoreError."""
        found = self.settings.store(name)
        if found is None:
            raise NoSuchStoreError(name, [each.name for each in self.settings.stores])
        return found

    # --- stores -------------------------------------------------------------------------------

    def opener(
        self, location: str, name: str = "", options: Mapping[str, str] | None = None
    ) -> Opener:
        """How to open the store at an absolute `location`, for a connection or only to read.

        `name` and `options` are those of its settings: by its name a store's secret is found.
        One that may hang is first asked whether it answers, and has deadlines (`engine.mounts`).
        """
        parsed = parse_location(location)
        secret = self.secret(name, location, options or {})
        factory = factory_for(parsed, relative_to=self.places.state, options=options, secret=secret)
        clock, steps = self.outside.clock, self.outside.steps

        def opener(connection: str | None) -> Store:
            opening = partial(factory, connection=connection, clock=clock, steps=steps)
            if parsed.kind != DIRECTORY:
                from firnline.engine.calling import Login, connect_calling

                login = Login(location, options or {}, secret)
                return connect_calling(self.places.state, self.outside, login, opening)
            base = self.places.state / parsed.address
            return _open_with_deadlines(base, opening) if can_hang(base) else opening()

        return opener

    def try_login_once_more(self, name: str) -> None:
        """The user wants it, though the store refused its credentials too often."""
        store = self.store_settings(name)
        if store_kind(store.location) == DIRECTORY:
            return
        from firnline.engine.calling import FILE, RefusedLogins

        RefusedLogins(self.places.state / FILE, store.location).try_once_more()
        self.ask_again(name)

    def secret(self, name: str, location: str, options: Mapping[str, str]) -> Secret:
        """What gives the secret of a store at `location`, when its server asks for one.

        What is kept for a store of the settings is given to the server that it is for, and to no
        other. Raises LocationError.
        """
        if parse_location(location).kind == DIRECTORY:
            return no_secret
        from firnline.engine.store_secrets import secret_for

        known = self.settings.store(name)
        store_id = "" if known is None else known.store_id
        return secret_for(self.outside.credentials, name, location, options, store_id)

    def connected(self, name: str) -> Connected:
        """A store of the settings. Raises StoreError, the same one again when asked again."""
        found = self._reached.get(name)
        if found is None:
            found = self._reached[name] = self._try(self.store_settings(name))
        if isinstance(found, StoreError):
            raise found
        return found

    def _try(self, store: StoreSettings) -> Connected | StoreError:
        try:
            return self._connect_asking(store)
        except StoreError as error:
            _logger.info("store %s: %s", store.name, error)
            return error

    def _connect_asking(self, store: StoreSettings) -> Connected:
        """As `connect`; where somebody can be asked for a secret that is missing, they are."""
        for _ in range(_ASKED):
            try:
                return self.connect(store)
            except CredentialsError as error:
                if not self.outside.answer(error):
                    raise
        return self.connect(store)

    def connect(self, store: StoreSettings) -> Connected:
        """A new connection, which the caller closes. From any thread. Raises StoreError."""
        expected = Expected(store.name, store.store_id, store.rating, store.minor)
        try:
            opener = self.opener(store.location, store.name, store.options)
        except LocationError as error:
            raise UnavailableError("", str(error)) from error
        try:
            return connect(opener, expected, self.peer, write=self.writes)
        except CredentialsError as error:
            from firnline.engine.store_secrets import note_refused

            note_refused(self.outside.credentials, store, error)
            raise

    def reach(self, names: Iterable[str]) -> tuple[list[Connected], list[Unreached]]:
        """The stores of those names, best rated first, and those that could not be reached."""
        reached: list[Connected] = []
        unreached: list[Unreached] = []
        for store in map(self.store_settings, names):
            try:
                reached.append(self.connected(store.name))
            except StoreError as error:
                unreached.append(Unreached(store.name, store.store_id, store.minor, error))
        reached.sort(key=lambda connected: (-connected.rating, connected.name))
        return reached, unreached

    def lost(self, unreached: Unreached) -> None:
        """A store failed while it was used: it is not tried again by this command."""
        found = self._reached.get(unreached.name)
        if isinstance(found, Connected) and isinstance(unreached.why, StoreError):
            found.store.close()
            self._reached[unreached.name] = unreached.why

    def ask_again(self, name: str) -> None:
        """The store of that name may be another one by now: it is connected anew."""
        found = self._reached.pop(name, None)
        if isinstance(found, Connected):
            found.store.close()

    @property
    def home(self) -> Connected:
        """The home store, made at its first use. Raises StoreError."""
        if self._home is None:
            self._home = self._open_home()
        return self._home

    def _open_home(self) -> Connected:
        reading = self._home_store(None)
        identity = read_store_identity(reading)
        if identity is None and self.writes:
            config = home_config(self.outside.random)
            store = self._home_store(self.peer.connection(config.store_id))
            identity = initialise(store, config, self.outside.random)
            store.close()
        store_id = identity.store if identity is not None else ""
        connection = self.peer.connection(store_id)
        store = self._home_store(connection) if self.writes else reading
        generation = identity.generation if identity is not None else ""
        return Connected(HOME, store, store_id, generation, connection, HOME_RATING, minor=False)

    def _home_store(self, connection: str | None) -> Store:
        from firnline.stores.directory import DirectoryStore

        return DirectoryStore(
            self.places.home_store,
            connection=connection,
            clock=self.outside.clock,
            steps=self.outside.steps,
            private=True,
        )


@contextmanager
def _hold(places: Places, outside: Surroundings) -> Iterator[None]:
    """Raises ProfileBusy when nobody wants to wait any more."""
    with ExitStack() as stack:
        while True:
            try:
                stack.enter_context(ProfileLock(places.lock_file))
                break
            except ProfileBusy as busy:
                if not outside.try_again(busy):
                    raise
        yield


def _lines(settings: Settings, clock: Clock, before: "Lines | None") -> "Lines | None":
    """With these limits at once, also for what still goes over the lines from before."""
    upload, download = settings.upload_limit, settings.download_limit
    if before is not None:
        before.limit(upload, download)
    if not (upload or download):
        return None
    from firnline.stores.line import Lines

    lines = before or Lines.new(clock)
    lines.limit(upload, download)
    return lines


def _open_with_deadlines(base: Path, opening: Callable[[], Store]) -> Store:
    """Raises StoreError."""
    if not answers(base, layout.READ_ME):
        raise HangingError("", "its disk or server does not")
    from firnline.stores.deadline import DeadlineStore

    return DeadlineStore(opening)


def store_kind(location: str) -> str:
    """The kind of store at `location`, as `Store.kind`; `unknown` where the settings name none."""
    try:
        return parse_location(location).kind
    except LocationError:
        return "unknown"


def store_directory(store: StoreSettings) -> Path | None:
    """Where a directory store is on this computer; None for other kinds of store."""
    try:
        location = parse_location(store.location)
    except LocationError:
        return None
    return Path(location.address) if location.kind == DIRECTORY else None


def home_config(random: Callable[[int], bytes]) -> StoreConfig:
    """What a new home store says of itself."""
    return StoreConfig(
        store_id=layout.new_store_hash(random),
        kind="directory",
        name=HOME,
        rating=HOME_RATING,
        minor=False,
        location="",
        folders=(),
    )


def _log_mistake(error: Exception) -> None:
    """What the program did not expect goes to the log with all that it takes to find it."""
    from firnline.engine.problems import is_known

    if not is_known(error):
        _logger.error("a mistake in the program", exc_info=error)


def _peer(identity: DeviceIdentity, settings: Settings) -> Peer:
    record = DeviceRecord(
        device=identity.device,
        name=settings.device_name,
        system=_system(),
        version=__version__,
    )
    return Peer(identity.device, identity.token.encode(), record)


def _system() -> str:
    import sys

    return {"linux": "Linux", "darwin": "macOS", "win32": "Windows"}.get(sys.platform, sys.platform)


def _identity(places: Places, outside: Surroundings, *, locked: bool) -> DeviceIdentity:
    """This device's identity, made under the profile's lock at the first start of all."""
    found = read_identity(places.state)
    if found is not None:
        return found
    if locked:
        return make_identity(places.state, outside.random, outside.steps)
    return _made_by_somebody(places, outside)


def _made_by_somebody(places: Places, outside: Surroundings) -> DeviceIdentity:
    """For a reading command at the first start: make it, or wait for who is making it."""
    for _ in range(_BUSY_PATIENCE):
        try:
            with ProfileLock(places.lock_file):
                found = read_identity(places.state)
                return found or make_identity(places.state, outside.random, outside.steps)
        except ProfileBusy:
            found = read_identity(places.state)
            if found is not None:
                return found
            outside.clock.sleep(0.02)
    raise ProfileBusy(places.lock_file, None)
