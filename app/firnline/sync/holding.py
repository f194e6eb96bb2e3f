"""What of the changes of others has to wait for the user's answer: both guards together.

Where nothing is to be applied and nothing was asked, the guard against bursts is not even loaded.
"""

from typing import TYPE_CHECKING

from firnline.sync.context import FolderContext
from firnline.sync.deletion_guard import DeletionGuard

if TYPE_CHECKING:
    from firnline.sync.burst_guard import BurstGuard

Held = tuple[set[str], set[str]]
"""Paths about which no rule may write, and those that are not applied, the former among them."""


class Holding:
    """Of one pass."""

    def __init__(self, context: FolderContext, deletions: DeletionGuard) -> None:
        self._context = context
        self._deletions = deletions
        self._bursts: BurstGuard | None = None

    def hold(self) -> Held:
        """To be asked before something is applied; dirty events are spread by then."""
        bursts = self._load()
        if bursts is None:
            return set(), self._deletions.hold_incoming()
        burst = bursts.hold()
        return burst, burst | self._deletions.hold_incoming(burst | bursts.decided)

    def take_back(self) -> int:
        """Carry out the answers that undo something; the number of events. To be called after a
        complete look at the folder was published."""
        bursts = self._load()
        return self._deletions.bring_back() + (0 if bursts is None else bursts.undo())

    def applied(self) -> None:
        """What was not held was applied as far as it can be now."""
        self._deletions.applied()
        if self._bursts is not None:
            self._bursts.applied()

    def _load(self) -> "BurstGuard | None":
        state = self._context.state
        if self._bursts is None and (state.journal.has_dirty() or state.questions.all()):
            from firnline.sync.burst_guard import BurstGuard

            self._bursts = BurstGuard(self._context)
        return self._bursts
