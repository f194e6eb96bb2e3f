"""A profile that was copied becomes a device of its own."""

import json
import os
import shutil
from pathlib import Path

import pytest
from tests.doubles.profile import Profile

from firnline.core.steps import no_steps
from firnline.engine.folder_commands import create_folder
from firnline.engine.habitat import FILE, Habitat, habitat_of, inodes_last, settled_identity
from firnline.engine.identity import make_identity, read_identity

COPIED = r"this profile is a copy of another device's: .*"
HOME = Habitat("machine", 10)


class KilledError(BaseException):
    """The program was killed."""


def killed_after(number):
    """Steps of which the n-th is not done."""
    left = iter(range(number))

    def step(name):
        if next(left, None) is None:
            raise KilledError

    return step


def settle(state, here=HOME, steps=no_steps):
    identity = read_identity(state)
    assert identity is not None
    return settled_identity(state, identity, os.urandom, steps, lambda place: here)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """Of a profile that was used here before."""
    make_identity(tmp_path, os.urandom)
    settle(tmp_path)
    (tmp_path / "folder.db").write_text("table")
    (tmp_path / "folder.db-wal").write_text("log")
    return tmp_path


def test_at_home_nothing_changes(state: Path) -> None:
    """The same computer and the same directory."""
    before = read_identity(state)
    assert settle(state) == before
    assert (state / "folder.db").exists()


@pytest.mark.logs(COPIED)
@pytest.mark.parametrize("here", [Habitat("other", 10), Habitat("machine", 11), Habitat("x", 11)])
def test_elsewhere_it_takes_a_new_identity(state: Path, here: Habitat) -> None:
    """Another machine id, or another inode of the profile: the tables are set aside."""
    before = read_identity(state)
    after = settle(state, here)
    assert before is not None
    assert after.device != before.device
    assert after.token != before.token
    assert read_identity(state) == after
    assert sorted(path.name for path in state.glob("folder.db*")) == [
        "folder.db.damaged-1",
        "folder.db.damaged-1-wal",
    ]
    assert settle(state, here) == after


@pytest.mark.parametrize("here", [Habitat("", 10), Habitat("machine", 0), Habitat("", 0)])
def test_what_the_system_does_not_say_decides_nothing(state: Path, here: Habitat) -> None:
    """A computer without an id, and inodes that do not last."""
    before = read_identity(state)
    assert settle(state, here) == before
    assert settle(state, HOME) == before


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"machine": 1, "inode": "x"}', "[" * 4000])
def test_a_damaged_note_decides_nothing(state: Path, text: str) -> None:
    """It is written again."""
    before = read_identity(state)
    (state / FILE).write_text(text)
    assert settle(state, Habitat("other", 11)) == before
    assert json.loads((state / FILE).read_text()) == {"machine": "other", "inode": 11}


@pytest.mark.logs(COPIED)
def test_killed_at_any_step_it_is_done_by_the_next_start(tmp_path: Path) -> None:
    """There is never another one's table with the new id."""
    here, number, killed = Habitat("other", 10), 0, True
    while killed:
        state = tmp_path / str(number)
        state.mkdir()
        old = make_identity(state, os.urandom)
        settle(state)
        (state / "folder.db").write_text("table")
        try:
            settle(state, here, killed_after(number))
            killed = False
        except KilledError:
            assert read_identity(state) == old or not (state / "folder.db").exists()
        settle(state, here)
        now = read_identity(state)
        assert now is not None
        assert now.device != old.device
        assert not (state / "folder.db").exists()
        number += 1
    assert number > 4


def test_inodes_that_do_not_last_are_not_remembered(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a stick with FAT each mount would be a copy."""
    monkeypatch.setattr("firnline.engine.habitat.inodes_last", lambda place: False)
    before = read_identity(state)
    assert settle(state, Habitat("machine", 11)) == before
    assert settle(state, Habitat("machine", 12)) == before


def test_this_system_tells_where_a_profile_lives(tmp_path: Path) -> None:
    """The same each time, and other for another directory; no id of the computer is written."""
    (tmp_path / "other").mkdir()
    assert habitat_of(tmp_path) == habitat_of(tmp_path)
    assert habitat_of(tmp_path) != habitat_of(tmp_path / "other")
    assert isinstance(inodes_last(tmp_path), bool)


@pytest.mark.logs(COPIED)
def test_a_copied_profile_loses_nothing(anna: Profile, nas: Path, tmp_path: Path) -> None:
    """Both are devices then: what the copy's folder lacks comes back, what is new in it goes to the
    store, and nothing is deleted."""
    anna.add_store("nas", nas)
    anna.write("a.txt", "a")
    anna.write("b.txt", "b")
    with anna.engine() as engine:
        create_folder(engine, str(anna.folder), "docs", [])
        first = engine.peer.device
    anna.sync()
    home = anna.places.state
    shutil.copytree(home, tmp_path / "copy")
    home.rename(tmp_path / "original")
    (tmp_path / "copy").rename(home)
    anna.write("c.txt", "c")
    (anna.folder / "b.txt").unlink()
    if not inodes_last(home):
        pytest.skip("the inodes of this file system do not last")
    anna.sync()
    with anna.engine() as engine:
        assert engine.peer.device != first
    assert [anna.read(name) for name in ("a.txt", "b.txt", "c.txt")] == ["a", "b", "c"]
