"""What users do with stores: add, list, test, edit, remove.

A store is known by its STOREHASH, whatever path leads to it: two names for one store, or a copy of
a store beside it, would count as two places where a file is safe, and are one.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from firnline.config import edits
from firnline.config.locations import STORE_OPTIONS, scheme_of
from firnline.config.names import check_store_name
from firnline.config.settings import StoreSettings
from firnline.credentials.errors import Trouble
from firnline.credentials.vault import Outcome
from firnline.engine.errors import RefusedError, UsageError
from firnline.engine.leaving import refuse_loss
from firnline.engine.mounts import is_silent
from firnline.engine.nesting import Place, refuse_nesting
from firnline.engine.runtime import Engine, store_kind
from firnline.engine.store_secrets import account_at, account_of, forget_secret, given, keep_given
from firnline.stores import layout
from firnline.stores.base import Store
from firnline.stores.configs import StoreConfig
from firnline.stores.errors import (
    CredentialsError,
    FullError,
    LocationError,
    NotFoundError,
    StoreError,
    UnavailableError,
)
from firnline.stores.identity import Identity, read_identity, read_store_config
from firnline.stores.probe import Report, probe
from firnline.stores.registry import DIRECTORY, Location, create_remote_base, parse_location
from firnline.sync.connection import announce, describe, initialise
from firnline.sync.context import Connected

DEFAULT_RATING = 50


@dataclass(frozen=True, slots=True)
class StoreWish:
    """What the user said about a store; None where nothing was said."""

    rating: int | None = None
    minor: bool | None = None
    location: str | None = None
    options: Mapping[str, str] | None = None
    """Replaces single options; an empty value takes one away."""
    secret: str | None = field(default=None, repr=False)
    """Its password, passphrase or secret key."""


@dataclass(frozen=True, slots=True)
class AddedStore:
    """A store that was added."""

    settings: StoreSettings
    created: bool
    """False: it was a store already, made by another device or at another time."""
    report: Report
    kept: Outcome | None = None
    """What became of the secret that was given for it; None where none was."""


@dataclass(frozen=True, slots=True)
class EditedStore:
    """A store that was changed."""

    settings: StoreSettings
    kept: Outcome | None
    """As `AddedStore.kept`."""


@dataclass(frozen=True, slots=True)
class StoreState:
    """A store of the settings, and how it is."""

    settings: StoreSettings
    kind: str
    error: StoreError | None
    """Why it cannot be used now."""
    free: int | None
    """Bytes, where the store tells."""
    folders: tuple[str, ...]
    """Names of this device's folders that go to it."""


def add_store(engine: Engine, name: str, location: str, wish: StoreWish) -> AddedStore:
    """Add the store at `location`, made there when nothing is there yet.

    Raises UsageError, RefusedError, ConfigError, and StoreError when it cannot be reached.
    """
    _check_name(engine, name)
    address, parsed = settle_location(location)
    _check_options(address, wish.options or {})
    _refuse_place(engine, parsed, name)
    with given(
        engine.outside.credentials, account_at(name, address, wish.options or {}), wish.secret
    ):
        settings, created, report = _made(engine, name, address, wish)
    engine.settings = edits.add_store(engine.places.config_file, settings, engine.outside.steps)
    kept = keep_given(engine.outside.credentials, settings)
    return AddedStore(settings, created=created, report=report, kept=kept)


def _made(
    engine: Engine, name: str, address: str, wish: StoreWish
) -> tuple[StoreSettings, bool, Report]:
    """The store at `address`, tried, made where there was none (True), and known to this device."""
    make_base(engine, name, parse_location(address), wish.options or {})
    opener = engine.opener(address, name, wish.options)
    store = opener(None)
    try:
        found = read_identity(store)
    finally:
        store.close()
    if found is not None:
        _refuse_known(engine, found, name)
    store_id = found.store if found is not None else layout.new_store_hash(engine.outside.random)
    writing = opener(engine.peer.connection(store_id))
    try:
        report = _probed(engine, writing, store_id, name)
        known = _known_config(writing, found)
        settings = _settings(name, address, store_id, known, wish)
        created = found is None
        if found is None:
            config = _config(settings, writing.kind)
            found = initialise(writing, config, engine.outside.random)
            settings = settings._replace(store_id=found.store)
        announce(_connected(engine, settings, writing, found), engine.peer.record)
    finally:
        writing.close()
    return settings, created, report


def _check_name(engine: Engine, name: str) -> None:
    try:
        check_store_name(name)
    except ValueError as error:
        raise UsageError(f"store {name!r}: {error}") from error
    taken = [each.name for each in engine.settings.stores]
    if name.casefold() in [each.casefold() for each in taken]:
        raise UsageError(f"there is a store called {name!r} already", "choose another name")


def _check_options(location: str, options: Mapping[str, str]) -> None:
    known = sorted(STORE_OPTIONS[scheme_of(location)])
    for option in options:
        if option not in known:
            advice = f"there are {', '.join(known)}" if known else "it takes none"
            raise UsageError(f"this kind of store has no option {option!r}", advice)


def settle_location(text: str) -> tuple[str, Location]:
    """A LOCATION as typed, made absolute. Raises UsageError for none that this program knows."""
    try:
        parsed = parse_location(text)
        if parsed.kind == DIRECTORY and not text.lower().startswith("file:"):
            address = str(Path(text).expanduser().absolute())
            return address, Location(DIRECTORY, address)
    except (LocationError, RuntimeError) as error:
        raise UsageError(str(error)) from error
    return text, parsed


def _refuse_place(engine: Engine, location: Location, name: str) -> None:
    if location.kind == DIRECTORY:
        refuse_nesting(engine, Place.STORE, Path(location.address), name)


def make_base(engine: Engine, name: str, location: Location, options: Mapping[str, str]) -> None:
    """A store's base directory, when its parent is there: a missing parent is a typing mistake or
    a disk that is not mounted."""
    if location.kind != DIRECTORY:
        try:
            secret = engine.secret(name, location.address, options)
            create_remote_base(location, options=options, secret=secret)
        except NotFoundError as error:
            raise RefusedError(f"store {name}: {error.detail}", "make it first") from error
        return
    base = Path(location.address)
    if is_silent(base):
        raise RefusedError(f"the disk or server of {base} does not answer", "mount it anew")
    if base.is_dir():
        return
    if base.exists():
        raise RefusedError(f"{base} is no directory", "name a directory")
    if not base.parent.is_dir():
        raise RefusedError(
            f"{base.parent} does not exist", "make it first, connect its disk, or mend the path"
        )
    from firnline.stores.directory import DirectoryStore

    DirectoryStore.create_base(base, steps=engine.outside.steps)


def _refuse_known(engine: Engine, found: Identity, name: str) -> None:
    for known in engine.settings.stores:
        if known.store_id == found.store:
            raise RefusedError(
                f"this is the store {known.name!r} ({known.location}), or a copy of it",
                "one store counts once: choose an empty directory, or change where it is with"
                f" `firnline store edit {known.name} --location …`",
            )


def _probed(engine: Engine, store: Store, store_id: str, name: str) -> Report:
    report = probe(
        store, engine.peer.connection(store_id), engine.outside.clock, engine.outside.random
    )
    if not report.usable:
        raise RefusedError(
            f"store {name}: {report.findings[0].meaning}",
            "look at its rights and its free space, and try again",
        )
    return report


def _known_config(store: Store, found: Identity | None) -> StoreConfig | None:
    if found is None:
        return None
    try:
        return read_store_config(store, found.store)
    except NotFoundError:
        return None


def _settings(
    name: str, address: str, store_id: str, known: StoreConfig | None, wish: StoreWish
) -> StoreSettings:
    """What the user said; else what the store says of itself; else the defaults."""
    rating = known.rating if known is not None else DEFAULT_RATING
    minor = known.minor if known is not None else False
    return StoreSettings(
        name=name,
        location=address,
        store_id=store_id,
        rating=rating if wish.rating is None else wish.rating,
        minor=minor if wish.minor is None else wish.minor,
        options=dict(wish.options or {}),
    )


def _config(settings: StoreSettings, kind: str) -> StoreConfig:
    return StoreConfig(
        store_id=layout.StoreHash(settings.store_id),
        kind=kind,
        name=settings.name,
        rating=settings.rating,
        minor=settings.minor,
        location=settings.location,
        folders=(),
    )


def _connected(engine: Engine, settings: StoreSettings, store: Store, found: Identity) -> Connected:
    return Connected(
        settings.name,
        store,
        settings.store_id,
        found.generation,
        engine.peer.connection(settings.store_id),
        settings.rating,
        settings.minor,
    )


# --- the others ---------------------------------------------------------------------------------


def list_stores(engine: Engine) -> list[StoreState]:
    """The stores of the settings, in their order, each looked at now."""
    return [_state(engine, store) for store in engine.settings.stores]


def _state(engine: Engine, store: StoreSettings) -> StoreState:
    error: StoreError | None = None
    free: int | None = None
    try:
        free = engine.connected(store.name).store.free_space()
    except StoreError as found:
        error = found
    kind = store_kind(store.location)
    return StoreState(store, kind, error, free, folders_of(engine, store.name))


def folders_of(engine: Engine, store: str) -> tuple[str, ...]:
    """Names of the folders that go to a store."""
    return tuple(each.name for each in engine.settings.folders if store in each.stores)


def try_store(engine: Engine, name: str) -> Report:
    """Try what the engine will need of a store, and a login once more that was refused too often.

    Raises StoreError when it cannot be reached.
    """
    engine.try_login_once_more(name)
    connected = engine.connected(name)
    return probe(connected.store, connected.connection, engine.outside.clock, engine.outside.random)


def edit_store(engine: Engine, name: str, wish: StoreWish) -> EditedStore:
    """Change what is known of a store; a new location must lead to the same store.

    What concerns other devices (rating, minor) is told to the store when it is in reach. A new
    secret is kept unless the server, when it is in reach, refuses it; then the one from before is.
    Raises UsageError, RefusedError, ConfigError, and StoreError for a new location out of reach.
    """
    before = engine.store_settings(name)
    location = before.location
    if wish.location is not None:
        location, parsed = settle_location(wish.location)
        _refuse_place(engine, parsed, name)
    _check_options(location, wish.options or {})
    merged = {**before.options, **(wish.options or {})}
    options = {key: value for key, value in merged.items() if value}
    after = before._replace(
        location=location,
        rating=before.rating if wish.rating is None else wish.rating,
        minor=before.minor if wish.minor is None else wish.minor,
        options=options,
    )
    with given(engine.outside.credentials, account_of(after), wish.secret):
        if wish.location is not None:
            _require_same(engine, after)
        elif wish.secret is not None:
            _require_taken(engine, after)
    engine.settings = edits.edit_store(engine.places.config_file, after, engine.outside.steps)
    kept = keep_given(engine.outside.credentials, after)
    if account_of(before) != account_of(after):
        forget_secret(engine.outside.credentials, before)
    _tell(engine, after)
    return EditedStore(after, kept)


def _require_taken(engine: Engine, after: StoreSettings) -> None:
    """Raises CredentialsError when the server refuses the secret that was given for it; a server
    that is out of reach cannot say."""
    with suppress(UnavailableError, NotFoundError):
        store = engine.opener(after.location, after.name, after.options)(None)
        try:
            read_identity(store)
        finally:
            store.close()


def _require_same(engine: Engine, after: StoreSettings) -> None:
    store = engine.opener(after.location, after.name, after.options)(None)
    try:
        found = read_identity(store)
    finally:
        store.close()
    if found is None or found.store != after.store_id:
        there = "another store is" if found is not None else "no store is"
        raise RefusedError(
            f"{there} at {after.location}, so {after.name!r} cannot have moved there",
            "copy the whole store there first, or add it as a new store with `firnline store add`",
        )


def _tell(engine: Engine, store: StoreSettings) -> None:
    """A store that is out of reach hears of it from the next `edit`; nothing waits for that."""
    try:
        connected = engine.connected(store.name)
        describe(connected, _config(store, connected.store.kind))
    except (UnavailableError, CredentialsError, FullError):
        return


def remove_store(engine: Engine, name: str, *, force: bool = False) -> Trouble | None:
    """Forget a store and its secret; what stands in it stays there.

    Returns the trouble of a place that may still have the secret. Raises RefusedError when the
    store has events of a folder that no other place has, unless `force`.
    """
    store = engine.store_settings(name)
    for folder in engine.settings.folders:
        if name in folder.stores and not force:
            left = [each for each in folder.stores if each != name]
            refuse_loss(engine, folder, left, [name])
    engine.settings = edits.remove_store(
        engine.places.config_file, store.name, engine.outside.steps
    )
    return forget_secret(engine.outside.credentials, store)
