"""What the log wants at each dirty path: the bridge from entries to the apply plan."""

from collections.abc import Callable, Sequence

from firnline.core.entry import Entry
from firnline.core.hashing import NO_PARENT, DataHash, Ref
from firnline.core.heads import PathState, by_name, by_ref, is_straight, state_of
from firnline.state.file_index import FileRow
from firnline.sync.apply_plan import Wish

_MAX_MOVES = 50
"""Renames of one file that are followed back."""


def wish_for(
    path: str,
    entries: Sequence[Entry],
    row: FileRow | None,
    lacks: Callable[[Entry], bool],
) -> Wish | None:
    """What `path` should hold; None where the winner's content cannot be had and a file is here.

    Where nothing is here, the nearest ancestor whose content can be had is shown, and is what the
    next change names (docs/design.md section 2, *pending*). `lacks` tells whose content that is.
    """
    if entries and is_straight(entries) and not lacks(entries[-1]):
        last = entries[-1]
        return Wish(path, last if last.puts else None, last.ref, row, straight=True)
    state = state_of(entries)
    if state.winner is None:
        return Wish(path, None, _deletion(state), row)
    if not lacks(state.winner):
        return Wish(path, state.winner, state.winner.ref, row)
    if row is not None and row.kind != "-":
        return None
    known = by_ref(entries)
    seen = set()
    ancestor: Entry | None = state.winner
    while ancestor is not None and ancestor.ref not in seen and lacks(ancestor):
        seen.add(ancestor.ref)
        ancestor = known.get(ancestor.closes)
    if ancestor is None or not ancestor.puts or ancestor.ref in seen:
        return None
    return Wish(path, ancestor, ancestor.ref, row, pending=True)


class Origins:
    """Where contents were moved from, over logs that do not change meanwhile.

    Each log is gone through once: somebody may have moved one file to a hundred thousand places.
    """

    def __init__(self, logs: Callable[[str], Sequence[Entry]], here: Callable[[str], bool]) -> None:
        self._logs = logs
        self._here = here
        self._found: dict[str, dict[DataHash, Entry]] = {}

    def of(self, entry: Entry) -> str | None:
        """Where the content of `entry` was moved from, back to the path where this device has it.

        What was renamed twice while this device was away is still one rename here.
        """
        path = entry.other
        for _ in range(_MAX_MOVES):
            if path is None or self._here(path):
                return path
            source = self._at(path).get(entry.data_hash)
            path = source.other if source else None
        return None

    def _at(self, path: str) -> dict[DataHash, Entry]:
        """The largest name that brought each content."""
        if path not in self._found:
            putting = [entry for entry in self._logs(path) if entry.puts]
            self._found[path] = {e.data_hash: e for e in sorted(putting, key=by_name)}
        return self._found[path]


def _deletion(state: PathState) -> Ref:
    deleting = [head for head in state.heads if not head.puts]
    return max(deleting, key=by_name).ref if deleting else NO_PARENT
