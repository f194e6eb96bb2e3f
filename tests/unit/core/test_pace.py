"""When a folder is looked at again though nobody asked."""

from firnline.core.pace import (
    NOW_AND_THEN,
    POLL,
    RETRY,
    SHARE,
    SLOWEST_POLL,
    SLOWEST_RETRY,
    Pace,
)


def test_watched_folder_is_looked_at_now_and_then() -> None:
    """Hints are only hints, so a look at everything comes all the same."""
    pace = Pace()
    waits = [pace.after_whole(0.1, watched=True, moved=False) for _ in range(5)]
    assert waits == [NOW_AND_THEN] * 5


def test_unwatched_folder_is_looked_at_soon_after_activity() -> None:
    """And more and more seldom while nothing happens."""
    pace = Pace()
    moved = pace.after_whole(0.1, watched=False, moved=True)
    quiet = [pace.after_whole(0.1, watched=False, moved=False) for _ in range(30)]
    assert moved == POLL
    assert quiet[:3] == [2 * POLL, 4 * POLL, 8 * POLL]
    assert quiet[-1] == SLOWEST_POLL
    assert pace.after_whole(0.1, watched=False, moved=True) == POLL


def test_long_looks_are_rare() -> None:
    """A folder of a million files is no reason to be at it all the time."""
    pace = Pace()
    assert pace.after_whole(60, watched=True, moved=True) == 60 * SHARE
    assert pace.after_whole(60, watched=False, moved=True) == 60 * SHARE


def test_failures_are_tried_again_with_growing_pauses() -> None:
    """What failed in another way begins anew."""
    pace = Pace()
    assert pace.after_failure(0.1, again=False) == RETRY
    waits = [pace.after_failure(0.1, again=True) for _ in range(30)]
    assert waits[:2] == [2 * RETRY, 4 * RETRY]
    assert waits[-1] == SLOWEST_RETRY
    assert pace.after_failure(0.1, again=False) == RETRY
    assert pace.after_failure(40, again=False) == 40
