"""`firnline store …`."""

from argparse import Namespace
from dataclasses import replace

from firnline.cli import output
from firnline.cli.opening import from_here, open_engine
from firnline.config.settings import StoreSettings
from firnline.engine.errors import UsageError
from firnline.engine.problems import explain
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
    wish = _wish(arguments)
    location = from_here(arguments, arguments.location)
    with open_engine(arguments, lock=True) as engine:
        try:
            added = add_store(engine, arguments.name, location, wish)
        except UntrustedError as error:
            trusting = _confirmed(error, wish)
            if trusting is None:
                raise
            added = add_store(engine, arguments.name, location, trusting)
    _show_report(added.report)
    name = output.shown(added.settings.name)
    what = "is a new store" if added.created else "is a store that was there already"
    output.line(f"{name} {what}: {output.shown(added.settings.location)}")
    if added.created:
        output.message(f"Next: `firnline folder create PATH --store {name}`.")
    else:
        output.message("Next: `firnline folder available` shows the folders in it.")
    return 0


def _confirmed(error: UntrustedError, wish: StoreWish) -> StoreWish | None:
    """The wish with the key that the user says is the right one; None where nobody can say so, or
    another one was given before."""
    if error.known is not None or not output.can_ask():
        return None
    output.message(f"The key of {output.shown(error.host)} is not known here yet:")
    output.message(f"    {error.seen}")
    if output.ask("Is it the right one? Type yes to trust it from now on: ") != "yes":
        return None
    return replace(wish, options={**(wish.options or {}), "fingerprint": error.seen})


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
        store = edit_store(engine, arguments.name, wish)
    output.line(f"{output.shown(store.name)}: {_settings_text(store)}")
    return 0


def remove(arguments: Namespace) -> int:
    """Forget a store."""
    with open_engine(arguments, lock=True) as engine:
        location = engine.store_settings(arguments.name).location
        remove_store(engine, arguments.name, force=arguments.force)
    name, place = output.shown(arguments.name), output.shown(location)
    output.line(f"{name} is forgotten here; what it holds stays at {place}")
    return 0


_HEADS = ("NAME", "STATE", "RATING", "FREE", "FOLDERS", "LOCATION")


def _wish(arguments: Namespace, location: str | None = None) -> StoreWish:
    return StoreWish(arguments.rating, arguments.minor, location, _options(arguments.option))


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
