"""Open conflicts, and the events that say which version to keep.

Rules 4 and 6 (docs/design.md section 3) move the losing version to a conflict copy. The conflict is
open while the copy still shows that very move: changing, moving or deleting the copy settles it,
and so does an event that says "both". Whatever is decided is an event like any other, so it is
decided on every device.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from firnline.core.conflict import conflict_path
from firnline.core.entry import Change, Entry
from firnline.core.event import NO_FLAGS, EventText, Kind, Op
from firnline.core.hashing import EMPTY_HASH, Ref
from firnline.core.heads import by_name, state_of
from firnline.core.resolve import device_of, time_of
from firnline.history.browse import entry_at, has_below, newest_below
from firnline.history.moments import PRESENT, format_time_of
from firnline.history.names import Names, settle_path
from firnline.sync.context import FolderContext


class NoConflictError(LookupError):
    """No open conflict concerns a path. The message is fit to be shown."""

    def __init__(self, folder: str, path: str) -> None:
        super().__init__(f"{folder}:{path} has no open conflict; `firnline conflicts` lists them")


class NoSuchVersionError(LookupError):
    """The version to keep is none of those in conflict. The message is fit to be shown."""

    def __init__(self, folder: str, path: str, versions: Sequence[EventText]) -> None:
        super().__init__(
            f"that is no version of {folder}:{path} in conflict; there are {', '.join(versions)}"
        )


class DirectoryThereError(Exception):
    """The losing file cannot take back its path: a directory stands there."""

    def __init__(self, folder: str, path: str) -> None:
        super().__init__(
            f"{folder}:{path} is a directory now, so the file cannot have its name back;"
            " keep both, or move the directory first"
        )


@dataclass(frozen=True, slots=True)
class Conflict:
    """An open conflict."""

    folder: str
    path: str
    """Where the versions met."""
    kept: EventText
    """What `path` shows now. Where a directory without an event of its own stands there, the
    newest event below it; where nothing does, what deleted it."""
    copy: str
    """Where the losing version lies."""
    lost: EventText
    """The losing version."""
    devices: tuple[str, ...]
    """Names of the devices that wrote the two, the kept one's first."""
    time: str
    """When the copy was made, by the log's clock."""

    def to_json(self) -> dict[str, object]:
        return {
            "folder": self.folder,
            "path": self.path,
            "kept": self.kept,
            "copy": self.copy,
            "lost": self.lost,
            "devices": list(self.devices),
            "time": self.time,
        }


@dataclass(frozen=True, slots=True)
class _Open:
    """An open conflict as the log has it."""

    move: Entry
    """The copy's head: the `mov` that made it."""
    path: str
    lost: EventText


def open_conflicts(context: FolderContext, names: Names) -> list[Conflict]:
    """The open conflicts of a folder, by copy."""
    return [_describe(context, names, found) for found in _open(context)]


def resolution(context: FolderContext, path: str, keep: str | None) -> list[Change]:
    """The changes that settle the open conflicts of `path` (of a copy's path: that one alone).

    `keep` is the event of the version to keep, None for both. To be written on top of the present
    log, after a scan. Keeping the winner deletes the copies; keeping a loser brings its content
    back to the path, found by its hash, and deletes the copies; keeping both writes each copy onto
    itself, which says to every device that it was seen.

    Raises NoConflictError, NoSuchVersionError and DirectoryThereError.
    """
    path = settle_path(path)
    conflicts = list(_open(context))
    found = [conflict for conflict in conflicts if conflict.path == path]
    found = found or [conflict for conflict in conflicts if conflict.move.path == path]
    if not found:
        raise NoConflictError(context.name, path)
    if keep is None:
        return [_seen(conflict.move) for conflict in found]
    changes = [_deletion(conflict.move) for conflict in found]
    original = found[0].path
    kept = _kept(context, original)
    chosen = [conflict for conflict in found if conflict.lost == keep]
    if chosen:
        changes.append(_bring_back(context, chosen[0]))
    elif keep != kept:
        versions = [kept, *(conflict.lost for conflict in found)]
        raise NoSuchVersionError(context.name, original, versions)
    return sorted(changes, key=lambda change: change.path)


# --- finding ------------------------------------------------------------------------------------


def _open(context: FolderContext) -> Iterator[_Open]:
    journal = context.state.journal
    for copy in journal.conflict_copies():
        winner = entry_at(context, copy)
        if winner is None or winner.op is not Op.MOV or winner.other is None:
            continue
        for loser in journal.by_ref(winner.parent):
            if _put_aside(winner, winner.other, loser.name):
                yield _Open(winner, winner.other, loser.name)
                break


def _put_aside(move: Entry, source: str, loser: EventText) -> bool:
    """True for the `mov` by which rule 4 or 6 put `loser` aside.

    Where the marked name was in use it was marked again; the target cannot be marked more often
    than its mark occurs in it.
    """
    time, device = time_of(loser), device_of(loser)
    most = move.path.count(" (conflict ")
    return any(
        conflict_path(source, time, device, marks) == move.path for marks in range(1, most + 1)
    )


def _kept(context: FolderContext, path: str) -> EventText:
    state = state_of(context.state.journal.entries(path))
    if state.winner is not None:
        return state.winner.event
    return newest_below(context, path) or max(state.heads, key=by_name).event


def _describe(context: FolderContext, names: Names, found: _Open) -> Conflict:
    kept = _kept(context, found.path)
    devices = dict.fromkeys(names.device(device_of(event)) for event in (kept, found.lost))
    return Conflict(
        context.name,
        found.path,
        kept,
        found.move.path,
        found.lost,
        tuple(devices),
        format_time_of(found.move.event),
    )


# --- settling -----------------------------------------------------------------------------------


def _deletion(move: Entry) -> Change:
    return Change(Op.DEL, move.path, None, move.ref, EMPTY_HASH, 0, 0, NO_FLAGS)


def _seen(move: Entry) -> Change:
    """The copy onto itself. A `cpy` makes a file, so a link is written as what it is."""
    if move.kind is Kind.LINK:
        return _content(move, Op.LNK, move.path, None, move.ref)
    return _content(move, Op.CPY, move.path, move.path, move.ref)


def _bring_back(context: FolderContext, conflict: _Open) -> Change:
    """The losing content on its old path again; the hint makes it a move for rule 5."""
    path, move = conflict.path, conflict.move
    state = state_of(context.state.journal.entries(path))
    directory = state.winner is not None and state.winner.kind is Kind.DIRECTORY
    if directory or has_below(context, PRESENT, path):
        raise DirectoryThereError(context.name, path)
    head = state.winner or max(state.heads, key=by_name)
    op = Op.LNK if move.kind is Kind.LINK else Op.PUT
    return _content(move, op, path, move.path, head.ref)


def _content(move: Entry, op: Op, path: str, source: str | None, parent: Ref) -> Change:
    """The copy's content at `path`, found by its hash: no body comes along."""
    link = op is Op.LNK
    mtime, flags = (0, NO_FLAGS) if link else (move.mtime, move.flags)
    return Change(op, path, source, parent, move.data_hash, move.size, mtime, flags)
