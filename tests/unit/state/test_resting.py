"""Dirty paths that rest."""

from tests.unit.state.samples import add, change, put, row, single

from firnline.core.event import Op
from firnline.state.folder_state import FolderState


def dirty(state: FolderState, *paths: str) -> None:
    with state.transaction("dirty"):
        state.dirty.mark(paths)


def rest(state: FolderState, *paths: str) -> None:
    with state.transaction("rest"):
        state.resting.put(paths)


def test_what_rests_is_dirty_and_not_fresh(state: FolderState) -> None:
    """It is among all that is left, and not among what is new."""
    assert not state.resting.any()
    dirty(state, "a", "b", "c")
    rest(state, "a", "c")
    assert state.resting.any()
    assert state.dirty.any()
    assert state.dirty.paths() == ["a", "b", "c"]
    assert state.dirty.paths("a", 1) == ["b"]
    assert state.dirty.count() == 3
    assert state.resting.fresh() == ["b"]
    assert state.resting.fresh("b") == []


def test_news_wake_a_path(state: FolderState) -> None:
    """What comes to a path that rests makes it fresh; it is dirty once."""
    dirty(state, "a", "b")
    rest(state, "a", "b")
    assert state.resting.is_exactly(["b", "a"])
    dirty(state, "b")
    assert not state.resting.is_exactly(["a", "b"])
    assert state.resting.fresh() == ["b"]
    assert state.dirty.paths() == ["a", "b"]
    assert state.dirty.count() == 2


def test_others_that_rest(state: FolderState) -> None:
    """Whoever rested before and does no more is fresh, and no path is lost."""
    dirty(state, "a", "b")
    rest(state, "a")
    rest(state, "b")
    assert state.resting.is_exactly(["b"])
    assert not state.resting.is_exactly(["a"])
    assert state.resting.fresh() == ["a"]


def test_what_is_done_does_not_rest(state: FolderState) -> None:
    """A path that is in order is neither dirty nor at rest."""
    dirty(state, "a", "b")
    rest(state, "a", "b")
    with state.transaction("clear"):
        state.dirty.clear(path for path in ("a", "b"))
    assert not state.resting.any()
    assert not state.dirty.any()
    assert state.dirty.only_event() is None


def test_fresh_paths_that_may_have_to_go(state: FolderState) -> None:
    """Something stands at a path that does not rest, and some event deletes it."""
    for path in ("edited", "gone"):
        first = put(1, path, "1")
        add(state, first)
        if path == "gone":
            add(state, single(2, change(Op.DEL, path, None, first.ref)))
    with state.transaction("test"):
        state.files.put_many([row("edited"), row("gone")])
    dirty(state, "edited")
    assert not state.resting.has_fresh_deletions()
    dirty(state, "gone")
    assert state.resting.has_fresh_deletions()
    rest(state, "gone")
    assert not state.resting.has_fresh_deletions()


def test_fresh_changes_of_others(state: FolderState) -> None:
    """What rests is left out where only fresh changes are asked for."""
    first = put(1, "f", "1")
    add(state, first)
    add(state, put(2, "f", "2", first.ref))
    with state.transaction("test"):
        state.files.put_many([row("f", base=first.ref)])
    dirty(state, "f")
    found = state.device_changes.incoming()
    assert len(found) == 1
    assert state.device_changes.incoming(fresh=True) == found
    rest(state, "f")
    assert state.device_changes.incoming() == found
    assert state.device_changes.incoming(fresh=True) == []
