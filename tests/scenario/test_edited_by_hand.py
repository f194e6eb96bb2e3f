"""Somebody opened a file in a store and wrote into it.

It is found, everybody goes on with the right bytes, and what was written there is kept on the
device that puts them back: nothing that a person wrote is thrown away without a trace.
"""

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.doubles.profile import Profile
from tests.scenario.owners import live, owners, settle, tree
from tests.scenario.test_verify import body_files, cut, empty, look

from firnline.engine import set_aside
from firnline.engine.folder_commands import join_folder
from firnline.engine.status import status
from firnline.sync.context import SET_ASIDE

EDIT = b"what somebody wrote by hand"


@pytest.fixture
def stores(tmp_path: Path) -> list[Path]:
    return [tmp_path / "s1", tmp_path / "s2"]


@pytest.fixture
def owner(tmp_path: Path, stores: list[Path]) -> Profile:
    """A device with some events, large and small, in two stores."""
    first, second = owners(tmp_path, stores)
    live(first, second)
    return first


def kept(device: Profile) -> list[Path]:
    return sorted((device.places.state / "set-aside").rglob("*_*"))


def test_repair_keeps_what_it_replaces(owner: Profile, stores: list[Path]) -> None:
    """Of every file of a store: byte for byte, for its owner alone, and the place is told."""
    found = body_files(stores[0])
    assert len(found) > 5
    for number, path in enumerate(found):
        right = path.read_bytes()
        edited = EDIT + right[10:] + EDIT
        path.write_bytes(edited)
        (verdict,) = look(owner, "s1", repair=True)
        assert verdict.good
        assert path.read_bytes() == right
        assert len(kept(owner)) == number + 1
        (bad,) = verdict.bad
        place = next(place for place in kept(owner) if place.name.endswith(path.name))
        assert place.read_bytes() == edited
        assert str(place) in bad.note
        if os.name == "posix":
            assert stat.S_IMODE(place.stat().st_mode) == 0o600


@pytest.mark.parametrize("damage", [cut, empty])
def test_part_of_the_right_bytes_is_no_loss(
    owner: Profile, stores: list[Path], damage: Callable[[Path], None]
) -> None:
    """A write that broke off leaves it; nobody wrote it."""
    for path in body_files(stores[0]):
        if path.stat().st_size > 200_000:
            continue
        damage(path)
        (verdict,) = look(owner, "s1", repair=True)
        assert verdict.good
        assert [bad.note for bad in verdict.bad] == [""]
    assert kept(owner) == []


def test_pass_that_heals_a_store_keeps_it_too(
    owner: Profile, stores: list[Path], tmp_path: Path
) -> None:
    """A device that meets it reads the right bytes elsewhere, puts them back, and says so."""
    path = max(body_files(stores[0]), key=lambda each: each.stat().st_size)
    right = path.read_bytes()
    path.write_bytes(EDIT)
    carla = Profile(tmp_path / "c")
    for store in stores:
        carla.add_store(store.name, store)
    with carla.engine() as engine:
        join_folder(engine, "docs", str(carla.folder), None, [])
    (outcome,) = carla.sync()
    assert path.read_bytes() == right
    assert tree(carla) == tree(owner)
    (place,) = kept(carla)
    assert place.read_bytes() == EDIT
    (notice,) = outcome.report.notices
    assert (notice.kind, notice.store) == (SET_ASIDE, "s1")
    assert str(place) in notice.message
    with carla.engine(lock=False) as engine:
        (folder,) = status(engine).folders
    assert notice in folder.problems
    settle(carla, owner)


def test_nothing_is_replaced_that_cannot_be_kept(
    owner: Profile, stores: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without room here it stays where it is, and is told as bad; the next repair does it."""

    def full(*_: object) -> str:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    found = body_files(stores[0])
    for path in found:
        right = path.read_bytes()
        path.write_bytes(EDIT + right)
        with monkeypatch.context() as patch:
            patch.setattr(set_aside, "write_aside", full)
            (verdict,) = look(owner, "s1", repair=True)
        assert [bad.repaired for bad in verdict.bad] == [False]
        assert path.read_bytes() == EDIT + right
        (verdict,) = look(owner, "s1", repair=True)
        assert verdict.good
        assert path.read_bytes() == right
