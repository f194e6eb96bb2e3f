"""What a version came from, across moves.

PARENT alone stays on one path. Where content arrived by a move, the version before stands at the
source: of a `mov`, PARENT is the source's event; of a batch's `put q from p`, the `del p` beside it
names it (docs/design.md sections 2 and 3).
"""

from collections.abc import Container, Iterator

from firnline.core.entry import Entry
from firnline.core.event import Kind, Op
from firnline.core.hashing import NO_PARENT, Ref
from firnline.core.heads import by_ref
from firnline.state.journal import Journal


class Ancestry:
    """Walks back through a folder's log."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._path: str | None = None
        self._known: dict[Ref, Entry] = {}

    def above(self, entry: Entry) -> Iterator[Entry]:
        """The versions that `entry` came from, nearest first; forged rings end where they close.

        Deletions are among them where a path was made anew after one.
        """
        seen = set()
        step = self._step(entry)
        while step is not None and step not in seen:
            seen.add(step)
            found = self._look_up(*step)
            if found is None:
                return
            yield found
            step = self._step(found)

    def origin(self, entry: Entry, among: Container[str]) -> str | None:
        """The nearest of the paths `among` that `entry`'s content was moved from, at any distance.

        A deletion on the way ends the search: what came after it is another file.
        """
        seen = set()
        step = self._step(entry)
        while step is not None and step not in seen:
            if step[0] in among:
                return step[0]
            seen.add(step)
            found = self._look_up(*step)
            if found is None or not found.puts:
                return None
            step = self._step(found)
        return None

    def _step(self, entry: Entry) -> tuple[str, Ref] | None:
        """Path and event that `entry` came from."""
        if entry.op is Op.MOV and entry.puts:
            return None if entry.other is None else (entry.other, entry.parent)
        if entry.closes != NO_PARENT:
            return entry.path, entry.closes
        if entry.op in (Op.PUT, Op.LNK) and entry.other is not None:
            for gone in self._journal.entries(entry.other):
                if gone.event == entry.event and gone.kind is Kind.NOTHING:
                    return gone.path, gone.closes
        return None

    def _look_up(self, path: str, ref: Ref) -> Entry | None:
        if path != self._path:
            self._path, self._known = path, by_ref(self._journal.entries(path))
        return self._known.get(ref)
