"""`firnline store …`."""

from argparse import Namespace

from firnline.cli import output
from firnline.cli.opening import from_here, inside_of, open_engine
from firnline.config.settings import StoreSettings
from firnline.credentials.errors import Trouble
from firnline.credentials.vault import Outcome
from firnline.engine.errors import RefusedError, UsageError
from firnline.engine.problems import explain
from firnline.engine.runtime import Engine
from firnline.engine.store_commands import (
    StoreState,
    StoreWish,
    add_store,
    edit_store,
    list_stores,
    remove_store,
    try_store,
)
from firnline.stores.errors import UntrustedError
from firnline.stores.probe import Report


def add(arguments: Namespace) -> int:
    """Make or take up a store, try it, and show what it can do."""
    location = from_here(arguments, arguments.location)
    wish = _wish(arguments)
    with open_engine(arguments, lock=True) as engine:
        try:
            added = add_store(engine, arguments.name, location, wish)
        except UntrustedError as error:
            if not _confirmed(error, arguments):
                raise
            added = add_store(engine, arguments.name, location, _wish(arguments))
    _show_report(added.report)
    name = output.shown(added.settings.name)
    what = "is a new store" if added.created else "is a store that was there already"
    output.line(f"{name} {what}: {output.shown(added.settings.location)}")
    kept = _settled(engine, arguments, added.settings, added.kept)
    if added.created:
        output.message(f"Next: `firnline folder create PATH --store {name}`.")
    else:
        output.message("Next: `firnline folder available` shows the folders in it.")
    return 0 if kept else 1


def _confirmed(error: UntrustedError, arguments: Namespace) -> bool:
    """The user says that the key is the right one, which becomes one of the options. False where
    nobody can say so, or another one was given before."""
    if error.known is not None or inside_of(arguments) is not None or not output.can_ask():
        return False
    output.message(f"The key of {output.shown(error.host)} is not known here yet:")
    output.message(f"    {error.seen}")
    if output.ask("Is it the right one? Type yes to trust it from now on: ") != "yes":
        return False
    arguments.option.append(f"fingerprint={error.seen}")
    return True


def _settled(
    engine: Engine, arguments: Namespace, store: StoreSettings, outcome: Outcome | None
) -> bool:
    """Say where its secret is kept; False when that is left to do."""
    from firnline.engine.store_secrets import account_of

    account = account_of(store)
    if account is None:
        return True
    from firnline.cli.asking import settled

    return settled(arguments, engine.outside.credentials(), account, outcome)


def show_list(arguments: Namespace) -> int:
    """The stores of this device, and how they are."""
    with open_engine(arguments, lock=False) as engine:
        states = list_stores(engine)
    if arguments.json:
        output.document([_json(state) for state in states])
    elif not states:
        output.message("There are no stores here yet: `firnline store add NAME LOCATION` adds one.")
    else:
        output.table([_row(state) for state in states], _HEADS)
    return 0


def test(arguments: Namespace) -> int:
    """Try a store; 1 when it cannot be used."""
    with open_engine(arguments, lock=True) as engine:
        report = try_store(engine, arguments.name)
    _show_report(report)
    return 0 if report.usable else 1


def edit(arguments: Namespace) -> int:
    """Change what is known of a store."""
    location = arguments.location and from_here(arguments, arguments.location)
    wish = _wish(arguments, location)
    if wish == StoreWish(options={}):
        raise UsageError("nothing to change", "`firnline store edit --help` tells what can be")
    with open_engine(arguments, lock=True) as engine:
        edited = edit_store(engine, arguments.name, wish)
        store = edited.settings
    output.line(f"{output.shown(store.name)}: {_settings_text(store)}")
    kept = edited.kept is None or _settled(engine, arguments, store, edited.kept)
    return 0 if kept else 1


def remove(arguments: Namespace) -> int:
    """Forget a store."""
    with open_engine(arguments, lock=True) as engine:
        store = engine.store_settings(arguments.name)
        location = store.location
        left = remove_store(engine, arguments.name, force=arguments.force)
    if left is Trouble.SEALED and inside_of(arguments) is None and output.can_ask():
        from firnline.cli.asking import opened
        from firnline.engine.store_secrets import forget_secret

        if opened(engine.outside.credentials()):
            left = forget_secret(engine.outside.credentials, store)
    name, place = output.shown(arguments.name), output.shown(location)
    output.line(f"{name} is forgotten here; what it holds stays at {place}")
    if left is not None:
        where = "sealed file" if left in (Trouble.SEALED, Trouble.DAMAGED) else "keyring"
        output.message(f"Its password may still be in the {where}, which is {_STATES[left]}.")
    return 0


_STATES = {
    Trouble.SEALED: "not open",
    Trouble.DAMAGED: "damaged",
    Trouble.LOCKED: "locked",
    Trouble.SILENT: "not answering",
    Trouble.BROKEN: "out of order",
}


def unlock(arguments: Namespace) -> int:
    """Open the file with passwords: for the process that runs, which nobody else can ask."""
    from firnline.cli import asking

    inside = inside_of(arguments)
    if inside is None and arguments.password_stdin:
        arguments.given = asking.from_standard_input(asking.PASSPHRASE)
    with open_engine(arguments, lock=True) as engine:
        credentials = engine.outside.credentials()
        file = output.shown(str(credentials.file.path))
        if not credentials.file.exists():
            advice = "there is none where a keyring keeps them; `firnline status` tells of trouble"
            raise RefusedError("there is no sealed file with passwords here", advice)
        passphrase = arguments.given
        if passphrase is None and inside is not None and inside.wanted is not None:
            inside.wanted(asking.PASSPHRASE)
            return 1
        if passphrase is None:
            passphrase = asking.passphrase_given(arguments)
        asking.open_file(credentials, passphrase)
        kept = credentials.keep_all()
    output.line(f"{file} is open" if inside else f"this is the passphrase of {file}")
    if kept:
        output.message(
            f"{output.count_text(kept, 'password')} were held in memory, and are in it now."
        )
    if inside is None:
        output.message(
            "No Firnline runs that it could be opened for; commands ask for it by themselves."
        )
    return 0


_HEADS = ("NAME", "STATE", "RATING", "FREE", "FOLDERS", "LOCATION")


def _wish(arguments: Namespace, location: str | None = None) -> StoreWish:
    options = _options(arguments.option)
    secret = arguments.given
    if secret is None and (arguments.password_stdin or arguments.password):
        from firnline.cli.asking import secret_given

        secret = secret_given(arguments)
    return StoreWish(arguments.rating, arguments.minor, location, options, secret)


def _options(texts: list[str]) -> dict[str, str]:
    options = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not key or not equals:
            raise UsageError(f"--option {text!r}: write it as KEY=VALUE")
        options[key] = value
    return options


def _row(state: StoreState) -> tuple[str, ...]:
    store = state.settings
    rating = f"{store.rating} minor" if store.minor else str(store.rating)
    how = "connected" if state.error is None else "not reached"
    free = "" if state.free is None else output.size_text(state.free)
    folders = ", ".join(map(output.shown, state.folders))
    location = output.shown(store.location)
    return (output.shown(store.name), how, rating, free, folders, location)


def _json(state: StoreState) -> dict[str, object]:
    store = state.settings
    message = "" if state.error is None else explain(state.error, f"store {store.name}").what
    return {
        "name": store.name,
        "id": store.store_id,
        "kind": state.kind,
        "location": store.location,
        "rating": store.rating,
        "minor": store.minor,
        "options": dict(store.options),
        "state": "connected" if state.error is None else "offline",
        "message": message,
        "free": state.free,
        "folders": list(state.folders),
    }


def _settings_text(store: StoreSettings) -> str:
    minor = "minor, " if store.minor else ""
    return f"{minor}rating {store.rating}, {output.shown(store.location)}"


def _show_report(report: Report) -> None:
    for finding in report.findings:
        mark = "yes" if finding.ok else " no"
        meaning = f": {finding.meaning}" if finding.meaning else ""
        output.line(f"{mark}  {output.shown(finding.ability + meaning)}")
