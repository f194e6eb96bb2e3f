"""The watchers of a folder, and of places where something is to come back."""

from pathlib import Path

import pytest
from tests.doubles.still_clock import StillClock
from tests.unit.engine.live.played_watchers import Watchers

from firnline.engine.live import watches as watches_module
from firnline.engine.live.watches import TRY_AGAIN, ReturnWatch, Watches
from firnline.folder.ignore import Ignore
from firnline.watch.hints import EVERYTHING, Hints

NO_RULES = Ignore()


@pytest.fixture
def watchers() -> Watchers:
    return Watchers()


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def heard() -> list[Hints]:
    return []


@pytest.fixture
def watches(watchers: Watchers, clock: StillClock, heard: list[Hints]) -> Watches:
    return Watches(watchers, clock, heard.append)


def test_folder_is_watched_once(
    watches: Watches, watchers: Watchers, heard: list[Hints], tmp_path: Path
) -> None:
    """However often it is looked at; what is ignored is not watched."""
    assert not watches.folder_works
    for _ in range(3):
        watches.follow_folder(tmp_path, NO_RULES)
    (watcher,) = watchers.made
    assert (watcher.root, watcher.recursive) == (tmp_path, True)
    assert watcher.ignored(".firnline", True)
    assert not watcher.ignored("a.txt", False)
    watcher.tell(Hints(frozenset({"a.txt"})))
    assert heard == [Hints(frozenset({"a.txt"}))]
    assert watches.folder_works
    watches.close()
    assert watchers.open == []
    assert not watches.folder_works


def test_other_rules_are_another_watcher(
    watches: Watches, watchers: Watchers, tmp_path: Path
) -> None:
    """What was hidden until now has to be watched, too."""
    watches.follow_folder(tmp_path, Ignore.parse("*.log"))
    watches.follow_folder(tmp_path, Ignore.parse("*.txt"))
    first, second = watchers.made
    assert first.closed
    assert not second.closed
    assert first.ignored("a.log", False)
    assert not second.ignored("a.log", False)


def test_watcher_that_died_is_replaced_at_once(
    watches: Watches, watchers: Watchers, tmp_path: Path
) -> None:
    """By the next look at everything."""
    watches.follow_folder(tmp_path, NO_RULES)
    watchers.made[0].why_not = "it was unmounted"
    assert not watches.folder_works
    assert watches.why_not == "it was unmounted"
    watches.follow_folder(tmp_path, NO_RULES)
    assert watchers.made[0].closed
    assert len(watchers.made) == 2
    assert watches.folder_works
    assert watches.why_not == ""


def test_what_cannot_be_watched_is_tried_seldom(
    watches: Watches, watchers: Watchers, clock: StillClock, tmp_path: Path
) -> None:
    """A walk through all directories in vain is not made at each look."""
    watchers.fails = "the table is full"
    for _ in range(3):
        watches.follow_folder(tmp_path, NO_RULES)
    assert len(watchers.made) == 1
    clock.sleep(TRY_AGAIN)
    watchers.fails = ""
    watches.follow_folder(tmp_path, NO_RULES)
    assert len(watchers.made) == 2
    assert watches.folder_works


def test_folder_that_is_away_is_waited_for(
    watches: Watches, watchers: Watchers, heard: list[Hints], tmp_path: Path
) -> None:
    """Until it is followed again."""
    place = tmp_path / "disk" / "docs"
    watches.wait_for_return(place)
    (waiting,) = watchers.open
    assert (waiting.root, waiting.recursive) == (tmp_path, False)
    assert waiting.ignored("other", True)
    assert not waiting.ignored("disk", True)
    place.mkdir(parents=True)
    waiting.tell(Hints(frozenset({"disk"})))
    assert heard == [EVERYTHING]
    watches.follow_folder(place, NO_RULES)
    assert [watcher.root for watcher in watchers.open] == [place]


def test_way_to_a_place_is_followed(watchers: Watchers, clock: StillClock, tmp_path: Path) -> None:
    """A directory on the way appeared: the next one is waited for from there."""
    heard: list[int] = []
    watch = ReturnWatch(tmp_path / "a" / "b" / "c", lambda: heard.append(1), watchers, clock)
    watch.look()
    watch.look()
    assert [watcher.root for watcher in watchers.made] == [tmp_path]
    (tmp_path / "a" / "b").mkdir(parents=True)
    watch.look()
    assert [watcher.root for watcher in watchers.open] == [tmp_path / "a" / "b"]
    assert heard == []
    (tmp_path / "a" / "b").rmdir()
    watch.look()
    assert [watcher.root for watcher in watchers.open] == [tmp_path / "a"]
    watch.close()
    assert watchers.open == []


def test_way_leads_over_what_cannot_be_asked(
    watchers: Watchers, clock: StillClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mount that may hang is not touched, and one that fails is passed over."""
    share = tmp_path / "share"
    share.mkdir()
    monkeypatch.setattr(watches_module, "can_hang", lambda path: share in [path, *path.parents])
    for place in (share / "store", share, tmp_path / ("x" * 300) / "store"):
        watch = ReturnWatch(place, pytest.fail, watchers, clock)
        watch.look()
        assert [watcher.root for watcher in watchers.open] == [tmp_path]
        watch.close()


def test_place_that_came_back_before_it_was_watched_is_told(
    watchers: Watchers, clock: StillClock, tmp_path: Path
) -> None:
    """Once: what stands there may be another thing."""
    heard: list[int] = []
    watch = ReturnWatch(tmp_path / "a", lambda: heard.append(1), watchers, clock)
    (tmp_path / "a").mkdir()
    watch.look()
    watch.look()
    assert heard == [1]
