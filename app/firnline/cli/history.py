"""`firnline log`, `ls`, `cat` and `diff`."""

from argparse import Namespace
from collections import Counter
from contextlib import AbstractContextManager, ExitStack

from firnline.cli import output
from firnline.cli.opening import open_engine
from firnline.cli.targets import Target, moment, parse_target, within
from firnline.core.event import Kind, Op
from firnline.engine import device_names
from firnline.engine.open_folder import open_folder
from firnline.engine.runtime import Engine
from firnline.history import browse, timeline
from firnline.history.diff import diff as compare
from firnline.history.moments import PRESENT
from firnline.history.names import Names
from firnline.history.text_diff import TextDiff
from firnline.history.tree_diff import Difference, TreeDiff, What
from firnline.sync.context import FolderContext


def log(arguments: Namespace) -> int:
    """What happened, newest first."""
    target = None if arguments.target is None else parse_target(arguments.target)
    wanted = _wanted(arguments, target)
    with open_engine(arguments, lock=False) as engine, ExitStack() as stack:
        folders = engine.folders([] if target is None else [target.folder])
        contexts = [
            stack.enter_context(open_folder(engine, folder, connect=False)) for folder in folders
        ]
        devices = known_devices(engine)
        names = {each.folder_id: Names.of(each, devices) for each in contexts}
        several = len(contexts) > 1
        shared = {name for name, uses in Counter(devices.values()).items() if uses > 1}
        for line in timeline.merged_log(contexts, names, wanted):
            if arguments.json:
                output.record(line.to_json())
            else:
                output.line(_log_text(line, several=several, with_id=line.device in shared))
    return 0


def ls(arguments: Namespace) -> int:
    """What a directory holds, or held."""
    target = parse_target(arguments.target)
    at = moment(arguments.at) or PRESENT
    with open_engine(arguments, lock=False) as engine, _reading(engine, target) as context:
        items = browse.ls(context, target.path, at, recursive=arguments.recursive)
        for item in items:
            if arguments.json:
                output.record(item.to_json())
            else:
                output.line(_item_text(item))
    return 0


def cat(arguments: Namespace) -> int:
    """The bytes of a file, as it is or was."""
    target = within(parse_target(arguments.target))
    at = moment(arguments.at) or PRESENT
    with open_engine(arguments, lock=False) as engine:
        folder = engine.folder(target.folder)
        with open_folder(engine, folder) as context:
            for chunk in browse.cat(context, target.path, at):
                output.write_bytes(chunk)
    return 0


def diff(arguments: Namespace) -> int:
    """What differs between two moments."""
    target = parse_target(arguments.target)
    start, end = moment(arguments.start), moment(arguments.end) or PRESENT
    with open_engine(arguments, lock=False) as engine:
        folder = engine.folder(target.folder)
        with open_folder(engine, folder) as context:
            found = compare(context, target.path, start, end)
    if arguments.json:
        output.document(found.to_json())
    elif isinstance(found, TreeDiff):
        for difference in found.differences:
            output.line(_difference_text(difference))
    else:
        _show_text_diff(found)
    return 0


def known_devices(engine: Engine) -> dict[str, str]:
    """Device id → name, this one's as the settings have it now."""
    own = {engine.peer.device: engine.settings.device_name}
    return device_names.remembered(engine.places.state) | own


def _reading(engine: Engine, target: Target) -> AbstractContextManager[FolderContext]:
    return open_folder(engine, engine.folder(target.folder), connect=False)


def _wanted(arguments: Namespace, target: Target | None) -> timeline.Wanted:
    return timeline.Wanted(
        path="" if target is None else target.path,
        since=moment(arguments.since),
        until=moment(arguments.until),
        device=arguments.device,
        op=None if arguments.op is None else Op(arguments.op),
        limit=arguments.limit,
    )


def _log_text(line: timeline.LogLine, *, several: bool, with_id: bool) -> str:
    place = f"{line.folder}:{line.path}" if several else line.path
    source = f"  (from {line.source})" if line.source is not None else ""
    size = output.size_text(line.size) if line.op in _WITH_SIZE else ""
    device = output.shown(line.device) + (f" ({line.device_id})" if with_id else "")
    return f"{line.time}  {line.op}  {size:>10}  {device}  {output.shown(place + source)}"


_WITH_SIZE = frozenset({Op.PUT, Op.PAT, Op.CPY})


def _item_text(item: browse.Item) -> str:
    size = "" if item.kind is Kind.DIRECTORY else output.size_text(item.size)
    end = "/" if item.kind is Kind.DIRECTORY else "@" if item.kind is Kind.LINK else ""
    return f"{size:>10}  {item.mtime}  {output.shown(item.path)}{end}"


_SIGNS = {
    What.ADDED: "+",
    What.REMOVED: "-",
    What.CHANGED: "~",
    What.MOVED: ">",
    What.FLAGS: "x",
}


def _difference_text(difference: Difference) -> str:
    source = f"{output.shown(difference.source)} → " if difference.source is not None else ""
    sign = _SIGNS[difference.what]
    return f"{sign} {source}{output.shown(difference.path)}"


def _show_text_diff(found: TextDiff) -> None:
    if found.lines is None:
        output.message("not compared line by line: no text, or too large")
        before = "nothing" if found.before is None else output.size_text(found.before.size)
        after = "nothing" if found.after is None else output.size_text(found.after.size)
        output.line(f"{output.shown(found.path)}: {before} before, {after} after")
        return
    for line in found.lines:
        output.content(line)
