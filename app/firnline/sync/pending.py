"""Contents that nobody in reach has: what waits for them (docs/design.md section 2, *pending*).

Kept until a pass asks everybody again, which all do but those that learn nothing of the stores.
Only that an event waits is noted, so that it can be shown in between.
"""

from firnline.core.entry import Entry
from firnline.core.event import Op
from firnline.state.journal import EventState
from firnline.sync.context import FolderContext


class Pending:
    """What this pass found that it cannot have."""

    def __init__(self, context: FolderContext, *, asks: bool = True) -> None:
        """`asks` False: what passes before this one did not find is not looked for."""
        self._asks = asks
        self._journal = context.state.journal
        self._dirty = context.state.dirty
        self._transaction = context.state.transaction
        self._hashes = context.missing_contents
        if asks:
            self._hashes.clear()
        self._unreadable: set[str] = set()
        self._asked = False

    def ask_again(self) -> None:
        """What could not be had in earlier passes may be there now. Once in a pass, and after the
        scan was published: until then nobody relies on those contents."""
        if self._asked:
            return
        self._asked = True
        rows = self._journal.in_state(EventState.BODILESS)
        self._unreadable = {row.name for row in rows if op_of(row.name) is Op.PAT}
        if not self._asks:
            return
        again = [row.id for row in rows if row.name not in self._unreadable]
        if again:
            with self._transaction("retry contents"):
                for event in again:
                    self._journal.set_state(event, EventState.KNOWN)
                    # While they counted for nothing, their paths seemed to be in order.
                    self._dirty.mark_event(event)

    def note(self, entry: Entry) -> None:
        """The content of `entry` was looked for in vain."""
        self._hashes.add(entry.data_hash)
        row = self._journal.event(entry.event)
        assert row is not None
        with self._transaction("event without body"):
            self._journal.set_state(
                row.id, EventState.BODILESS, f"no store in reach has the content of {entry.path}"
            )

    @property
    def any(self) -> bool:
        """Whether there is any content that `lacks` would tell."""
        return bool(self._hashes or self._unreadable)

    def lacks(self, entry: Entry) -> bool:
        """True when what `entry` puts cannot be had."""
        return entry.puts and (entry.data_hash in self._hashes or entry.event in self._unreadable)

    def counts(self, entry: Entry) -> bool:
        """Rule 7: an event counts when its body is at hand, of a batch its manifest, and what has
        no body of its own always."""
        if entry.offset is None or op_of(entry.event) is Op.BAT:
            return True
        return not self.lacks(entry)


def op_of(name: str) -> Op:
    """The OPID of an event name."""
    return Op(name[54:57])
