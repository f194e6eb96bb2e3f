"""Settling a conflict on one device settles it on all."""

from pathlib import Path

import pytest
from tests.doubles.profile import Profile

from firnline.engine.conflict_commands import resolve_conflict
from firnline.engine.errors import RefusedError
from firnline.engine.folder_commands import create_folder, join_folder, pause_folder
from firnline.engine.open_folder import open_folder
from firnline.history.conflicts import Conflict, NoConflictError, open_conflicts
from firnline.history.names import Names

Pair = tuple[Profile, Profile, Conflict]


def conflicts(profile: Profile) -> list[Conflict]:
    with (
        profile.engine(lock=False) as engine,
        open_folder(engine, engine.folder("docs"), connect=False) as context,
    ):
        return open_conflicts(context, Names({}, {}))


@pytest.fixture
def pair(anna: Profile, bert: Profile, nas: Path) -> Pair:
    """Two devices that both know of a conflict of `a.txt`: bert's version was kept."""
    for profile in (anna, bert):
        profile.add_store("nas", nas)
    with anna.engine() as engine:
        create_folder(engine, str(anna.folder), "docs", [])
    with bert.engine() as engine:
        join_folder(engine, "docs", str(bert.folder), None, [])
    anna.write("a.txt", "first")
    anna.sync()
    bert.sync()
    anna.write("a.txt", "anna's words")
    anna.sync()
    bert.write("a.txt", "bert's")
    bert.sync()
    anna.sync()
    (conflict,) = conflicts(anna)
    return anna, bert, conflict


def settle(pair: Pair, path: str, keep: str | None) -> tuple[str, set[str]]:
    """What a.txt says and which files there are, on both devices, after a decision of anna's."""
    anna, bert, _ = pair
    with anna.engine() as engine:
        assert resolve_conflict(engine, "docs", path, keep).complete
    bert.sync()
    found = [
        (
            profile.read("a.txt"),
            {path.name for path in profile.folder.iterdir() if path.is_file()},
        )
        for profile in (anna, bert)
    ]
    assert found[0] == found[1]
    assert conflicts(anna) == conflicts(bert) == []
    return found[0]


def test_keeping_the_winner_removes_the_copy(pair: Pair) -> None:
    """The copy is gone, also when it is the copy that was named."""
    conflict = pair[2]
    assert settle(pair, conflict.copy, conflict.kept) == ("bert's", {"a.txt"})


def test_keeping_the_loser_brings_it_back(pair: Pair) -> None:
    """The other version takes the path."""
    assert settle(pair, "a.txt", pair[2].lost) == ("anna's words", {"a.txt"})


def test_keeping_both_leaves_both(pair: Pair) -> None:
    """Nothing changes but that it is decided."""
    assert settle(pair, "a.txt", None) == ("bert's", {"a.txt", pair[2].copy})


def test_edits_that_no_pass_has_seen_count(pair: Pair) -> None:
    """The folder is scanned first: who edited the copy has settled the conflict already."""
    anna, _, conflict = pair
    anna.write(conflict.copy, "merged by hand")
    with anna.engine() as engine, pytest.raises(NoConflictError):
        resolve_conflict(engine, "docs", "a.txt", conflict.kept)
    assert anna.read(conflict.copy) == "merged by hand"


def test_paused_folder_is_left_alone(pair: Pair) -> None:
    """A decision needs a pass, and a paused folder gets none."""
    anna, _, conflict = pair
    with anna.engine() as engine:
        pause_folder(engine, "docs", paused=True)
        with pytest.raises(RefusedError):
            resolve_conflict(engine, "docs", "a.txt", conflict.kept)
