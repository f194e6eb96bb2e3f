"""Applying a batch that moved whole directories, without looking at each of its files.

The usual way through the rules and the plan comes to the same end. This one is taken where the
database can tell that nothing else happened to any of the paths (`state.directory_moves`); a
pass in which anything is unclear takes the usual way.
"""

from contextlib import suppress

from firnline.core.event import Kind
from firnline.core.paths import directory_pairs
from firnline.folder.errors import FolderError
from firnline.folder.ignore import Ignore
from firnline.sync.apply_intents import arranging_intents, emptied
from firnline.sync.apply_plan import DirectoryMove, Plan
from firnline.sync.context import FolderContext
from firnline.sync.pending import Pending


def apply_directory_move(context: FolderContext, ignore: Ignore, pending: Pending) -> int:
    """Carry out the one batch that is new, if it moved one directory and no more.

    Returns the number of paths that are in order now. Otherwise, and when the rename cannot be
    done, its paths are dirty one by one. Raises CancelledError before anything is changed.
    """
    state = context.state
    if not state.dirty.events():
        return 0
    context.check_cancelled()
    event, applied = state.dirty.only_event(), 0
    if event is not None and not ignore.rules and not pending.any:
        applied = _apply(context, ignore, event)
    if not applied:
        with state.transaction("spread dirty events"):
            state.dirty.spread_events()
    return applied


def _apply(context: FolderContext, ignore: Ignore, event: int) -> int:
    moves = context.state.directory_moves
    entered = moves.entered(event)
    if entered is not None:
        files = context.state.files.count_below(entered[0])
        if not ignore.matches(entered[1], True) and _move(context, event, *entered):
            return 2 * files
    sample = moves.sample(event)
    if sample is None:
        return 0
    for source, target in directory_pairs(*sample):
        fitting = moves.fits(event, source, target)
        if fitting is None or ignore.matches(target, True):
            continue
        if _move(context, event, source, target):
            return 2 * fitting
    return 0


def _move(context: FolderContext, event: int, source: str, target: str) -> bool:
    """One rename, with its intent before and its rows after."""
    state, root = context.state, context.root
    if root.locate(source) != source or root.locate(target) != target:
        return False
    plan = Plan()
    plan.directory_moves.append(DirectoryMove(source, target, ()))
    with state.transaction("intents"):
        state.intents.add(arranging_intents(plan))
    try:
        root.move_directory(source, target)
    except FolderError:
        with state.transaction("intents"):
            state.intents.clear()
        return False
    _remove_emptied(context, source)
    root.barrier()
    with state.transaction("applied"):
        state.directory_moves.book(source, target, state.journal.by_id(event).ref)
        state.dirty.clear_event(event)
        state.intents.clear()
    return True


def _remove_emptied(context: FolderContext, left: str) -> None:
    """Directories above what was moved away that have nothing else and no event of their own."""
    for directory in sorted(emptied({left}), key=len, reverse=True):
        row = context.state.files.get(directory)
        if row is None or row.kind is not Kind.DIRECTORY:
            with suppress(FolderError):
                context.root.remove_directory(context.root.locate(directory))
