"""`firnline conflicts` and `firnline conflicts resolve`."""

from argparse import Namespace

from firnline.cli import output
from firnline.cli.history import known_devices
from firnline.cli.opening import open_engine
from firnline.cli.targets import parse_target, within
from firnline.engine.conflict_commands import resolve_conflict
from firnline.engine.errors import UsageError
from firnline.engine.open_folder import open_folder
from firnline.history.conflicts import Conflict, open_conflicts
from firnline.history.names import Names


def conflicts(arguments: Namespace) -> int:
    """`conflicts [FOLDER]` or `conflicts resolve FOLDER:PATH`."""
    words = arguments.words
    if words[:1] == ["resolve"]:
        if len(words) != 2:
            raise UsageError("name one conflict", "firnline conflicts resolve FOLDER:PATH ...")
        return _resolve(arguments, words[1])
    if len(words) > 1 or arguments.keep is not None or arguments.keep_both:
        raise UsageError("`firnline conflicts` takes one folder at most", "did you mean resolve?")
    return _show_all(arguments, words)


def _show_all(arguments: Namespace, folders: list[str]) -> int:
    found: list[Conflict] = []
    with open_engine(arguments, lock=False) as engine:
        devices = known_devices(engine)
        for folder in engine.folders(folders):
            with open_folder(engine, folder, connect=False) as context:
                found += open_conflicts(context, Names.of(context, devices))
    if arguments.json:
        output.document([conflict.to_json() for conflict in found])
        return 0
    for conflict in found:
        _show(conflict)
    if not found:
        output.message("There are no open conflicts.")
    return 0


def _resolve(arguments: Namespace, text: str) -> int:
    """Say which version to keep; it is decided on every device then."""
    target = within(parse_target(text))
    if arguments.keep is None and not arguments.keep_both:
        raise UsageError("say what to keep", "--keep EVENT or --keep-both")
    with open_engine(arguments, lock=True) as engine:
        outcome = resolve_conflict(engine, target.folder, target.path, arguments.keep)
    output.line(f"{output.shown(f'{outcome.name}:{target.path}')}: decided")
    if outcome.complete:
        return 0
    from firnline.cli.sync import exit_code, tell_stores, tell_what_is_left

    tell_what_is_left(outcome)
    tell_stores([outcome])
    return exit_code([outcome])


def _show(conflict: Conflict) -> None:
    place = output.shown(f"{conflict.folder}:{conflict.path}")
    devices = " and ".join(map(output.shown, conflict.devices))
    output.line(f"{place}  ({devices}, {conflict.time})")
    output.line(f"    kept  {conflict.kept}")
    output.line(f"    lost  {conflict.lost}")
    output.line(f"          is now {output.shown(conflict.copy)}")
