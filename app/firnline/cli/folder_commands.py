"""`firnline folder …`."""

from argparse import Namespace
from collections.abc import Iterable

from firnline.cli import output
from firnline.cli.opening import from_here, goes_on_by_itself, open_engine
from firnline.config.settings import FolderSettings
from firnline.engine.folder_commands import (
    NewFolder,
    available_folders,
    create_folder,
    join_folder,
    pause_folder,
)
from firnline.engine.leaving import change_stores, remove_folder
from firnline.engine.problems import explain
from firnline.sync.context import Unreached


def create(arguments: Namespace) -> int:
    """Make a directory a folder."""
    path = from_here(arguments, arguments.path)
    with open_engine(arguments, lock=True) as engine:
        made = create_folder(engine, path, arguments.name, arguments.store)
    return _tell_new(arguments, made, "is a folder now", chosen=bool(arguments.store))


def join(arguments: Namespace) -> int:
    """Have a folder of the stores here too."""
    path = from_here(arguments, arguments.path)
    with open_engine(arguments, lock=True) as engine:
        made = join_folder(engine, arguments.folder, path, arguments.name, arguments.store)
    return _tell_new(arguments, made, "is joined", chosen=True)


def available(arguments: Namespace) -> int:
    """The folders that stand in the stores; 1 when a store could not be asked."""
    with open_engine(arguments, lock=False) as engine:
        found = available_folders(engine, arguments.store)
    if arguments.json:
        output.document(
            [
                {
                    "id": folder.folder_id,
                    "name": folder.name,
                    "encrypted": folder.encrypted,
                    "stores": list(folder.stores),
                    "here": folder.here,
                }
                for folder in found.folders
            ]
        )
    else:
        rows = [
            (
                output.shown(folder.name),
                folder.folder_id,
                ", ".join(map(output.shown, folder.stores)),
                "not here" if folder.here is None else f"here as {output.shown(folder.here)}",
            )
            for folder in found.folders
        ]
        output.table(rows, ("NAME", "ID", "STORES", "HERE"))
    if not found.folders:
        output.message("The stores in reach have no folders.")
    for store, error in found.refused:
        output.message(output.shown(explain(error, f"store {store}").line))
    return _tell_unreached(found.unreached)


def show_list(arguments: Namespace) -> int:
    """The folders of this device."""
    with open_engine(arguments, lock=False) as engine:
        folders = engine.settings.folders
    if arguments.json:
        output.document([_json(folder) for folder in folders])
        return 0
    if not folders:
        output.message("There are no folders here yet: `firnline folder create PATH` makes one.")
    output.table([_row(folder) for folder in folders], ("NAME", "ID", "STATE", "STORES", "PATH"))
    return 0


def pause(arguments: Namespace) -> int:
    """Leave a folder alone from now on."""
    with open_engine(arguments, lock=True) as engine:
        folder = pause_folder(engine, arguments.name, paused=True)
    output.line(f"{output.shown(folder.name)} is paused")
    return 0


def resume(arguments: Namespace) -> int:
    """Go on with a folder."""
    with open_engine(arguments, lock=True) as engine:
        folder = pause_folder(engine, arguments.name, paused=False)
    when = "now" if goes_on_by_itself(arguments) else "with the next sync"
    output.line(f"{output.shown(folder.name)} goes on {when}")
    return 0


def remove(arguments: Namespace) -> int:
    """Forget a folder; its files stay."""
    with open_engine(arguments, lock=True) as engine:
        folder = remove_folder(engine, arguments.name, force=arguments.force)
    name, path = output.shown(folder.name), output.shown(str(folder.path))
    output.line(f"{name} is forgotten here; its files stay at {path}")
    return 0


def stores(arguments: Namespace) -> int:
    """Show or change the stores of a folder."""
    with open_engine(arguments, lock=bool(arguments.add or arguments.drop)) as engine:
        if not arguments.add and not arguments.drop:
            output.line(_stores_text(engine.folder(arguments.name)))
            return 0
        changed = change_stores(
            engine, arguments.name, arguments.add, arguments.drop, force=arguments.force
        )
    output.line(_stores_text(changed.settings))
    _tell_later(arguments, changed.unreached)
    if goes_on_by_itself(arguments):
        output.message("The Firnline that runs brings them what they lack.")
    else:
        output.message("Next: `firnline sync` brings them what they lack.")
    return 0


def _row(folder: FolderSettings) -> tuple[str, ...]:
    return (
        output.shown(folder.name),
        folder.folder_id,
        "paused" if folder.paused else "active",
        ", ".join(map(output.shown, folder.stores)) or "home only",
        output.shown(str(folder.path)),
    )


def _json(folder: FolderSettings) -> dict[str, object]:
    return {
        "id": folder.folder_id,
        "name": folder.name,
        "path": str(folder.path),
        "paused": folder.paused,
        "stores": list(folder.stores),
    }


def _stores_text(folder: FolderSettings) -> str:
    names = ", ".join(map(output.shown, folder.stores))
    where = names or "this computer only (no store)"
    return f"{output.shown(folder.name)} goes to {where}"


def _tell_new(arguments: Namespace, made: NewFolder, what: str, *, chosen: bool) -> int:
    settings = made.settings
    name = output.shown(settings.name)
    output.line(f"{name} {what}: {output.shown(str(settings.path))} (id {settings.folder_id})")
    output.line(_stores_text(settings))
    if not settings.stores:
        output.message(
            "Its history is kept on this computer only; `firnline store add` and"
            f" `firnline folder stores {name} --add STORE` bring it elsewhere."
        )
    elif not chosen:
        output.message("That is every store of this device; `--store` chooses.")
    if made.warning is not None:
        output.message(f"Careful: {output.shown(made.warning)}.")
    _tell_later(arguments, made.unreached)
    if goes_on_by_itself(arguments):
        output.message("The Firnline that runs keeps it in sync from now on.")
    else:
        output.message("Next: `firnline sync`.")
    return 0


def _tell_later(arguments: Namespace, unreached: Iterable[Unreached]) -> None:
    when = "when it is back" if goes_on_by_itself(arguments) else "at the next sync"
    for each in unreached:
        words = explain(each.why, f"store {each.name}")
        output.message(output.shown(f"{words.what}; it hears of the folder {when}."))


def _tell_unreached(unreached: list[Unreached]) -> int:
    for each in unreached:
        output.message(output.shown(explain(each.why, f"store {each.name}").line))
    return 1 if unreached else 0
