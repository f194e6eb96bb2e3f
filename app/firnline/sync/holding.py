"""What of the changes of others has to wait for the user's answer: both guards together.

Where nothing is to be applied and nothing was asked, the guard against bursts is not even loaded.
"""

from collections.abc import Collection
from typing import TYPE_CHECKING, NamedTuple

from firnline.sync.context import FolderContext
from firnline.sync.deletion_guard import DeletionGuard

if TYPE_CHECKING:
    from firnline.sync.burst_guard import BurstGuard


class Held(NamedTuple):
    """What is left alone for now."""

    unruled: set[str]
    """Paths about which no rule may write."""
    waiting: set[str]
    """Paths that are not applied, the former among them."""
    all_dirty: bool
    """False: what rests was not looked at. It is not among these, and waits as before."""


NOTHING_NEW = Held(set(), set(), all_dirty=False)


class Holding:
    """Of one pass."""

    def __init__(self, context: FolderContext, deletions: DeletionGuard) -> None:
        self._context = context
        self._deletions = deletions
        self._bursts: BurstGuard | None = None

    def hold(self, looked_at: Collection[str] | None) -> Held:
        """To be asked before something is applied; dirty events are spread by then.

        `looked_at`: these paths and what is below them may have changed here; None: anything. What
        waits already is left alone where nothing that is new has to do with it.
        """
        if looked_at is not None and self._is_nothing_new(looked_at):
            return NOTHING_NEW
        bursts = self._load()
        if bursts is None:
            return Held(set(), self._deletions.hold_incoming(), all_dirty=True)
        burst = bursts.hold()
        deletions = self._deletions.hold_incoming(burst | bursts.decided)
        return Held(burst, burst | deletions, all_dirty=True)

    def _is_nothing_new(self, looked_at: Collection[str]) -> bool:
        """True when what rests waits as before, and nothing that is new has to wait."""
        state = self._context.state
        if self._context.delete_unasked or not state.resting.any():
            return False
        if any(not question.is_open for question in state.questions.all()):
            return False
        fresh = state.resting.fresh()
        if state.questions.is_any_about({*fresh, *looked_at}):
            return False
        if not fresh:
            return True
        if state.resting.has_fresh_deletions():
            return False
        bursts = self._load()
        return bursts is None or not bursts.may_hold_fresh()

    def let_rest(self, waiting: set[str]) -> None:
        """All that waits, when all that is dirty was looked at and nothing came meanwhile."""
        state = self._context.state
        dirty = waiting and waiting & set(state.dirty.paths())
        if not state.resting.is_exactly(dirty):
            with state.transaction("let rest"):
                state.resting.put(dirty)

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
        if self._bursts is None and (state.dirty.any() or state.questions.all()):
            from firnline.sync.burst_guard import BurstGuard

            self._bursts = BurstGuard(self._context)
        return self._bursts
