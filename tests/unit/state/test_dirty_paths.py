"""Paths that are to be looked at."""

from tests.unit.state.samples import add, change, put, row, single

from firnline.core.event import Kind, Op
from firnline.state.folder_state import FolderState


def test_dirty_paths(state: FolderState) -> None:
    """Each once, in byte order, in slices if wanted, until they are cleared."""
    with state.transaction("test"):
        state.dirty.mark(["b", "a", "c", "a"])
    assert state.dirty.count() == 3
    assert state.dirty.paths() == ["a", "b", "c"]
    assert state.dirty.paths("a", 1) == ["b"]
    with state.transaction("test"):
        state.dirty.clear(["a", "c", "never"])
    assert state.dirty.paths() == ["b"]


def test_dirty_paths_that_may_have_to_go(state: FolderState) -> None:
    """Something stands here, and some event deletes it."""
    for path in ("clean", "edited", "gone", "here"):
        first = put(1, path, "1")
        add(state, first)
        add(state, put(2, path, "2", first.ref))
        if path != "edited":
            add(state, single(3, change(Op.DEL, path, None, first.ref)))
    with state.transaction("test"):
        state.files.put_many([row(p) for p in ("clean", "edited", "here")])
        state.files.put_many([row("gone", Kind.NOTHING)])
        state.dirty.mark(["edited", "gone", "here", "unknown"])
    assert state.dirty.with_deletions() == ["here"]


def test_paths_without_a_row_become_dirty(state: FolderState) -> None:
    """What was hidden has no row: it is looked at again when the patterns change."""
    for path in ("hidden", "here"):
        add(state, put(1, path, path))
    with state.transaction("test"):
        state.files.put_many([row("here")])
        state.dirty.mark_unbooked()
    assert state.dirty.paths() == ["hidden"]
