"""The marker: is the folder here, away, or another one?"""

import os
import stat
from pathlib import Path

import pytest
from tests.unit.folder.conftest import FOLDER_ID
from tests.unit.folder.steps_double import PowerCut, StepsDouble
from tests.unit.stores.disks import mounted

from firnline.folder import marker
from firnline.folder.errors import Blocked, NotInside, Occupied, Vanished
from firnline.folder.filesystem import Root
from firnline.folder.marker import Away, AwayReason, Here, Identity


def here(root: Root) -> Identity:
    found = marker.check(root, FOLDER_ID, None)
    assert isinstance(found, Here)
    return found.identity


def why_away(root: Root, remembered: Identity | None = None) -> AwayReason:
    found = marker.check(root, FOLDER_ID, remembered)
    assert isinstance(found, Away)
    assert found.detail
    return found.reason


def test_created(root: Root, folder: Path):
    """A directory with its marker is here, and is recognised again."""
    assert (folder / ".firnline/id").read_text() == f"{FOLDER_ID}\n"
    assert stat.S_IMODE((folder / ".firnline/id").stat().st_mode) == 0o600
    identity = here(root)
    assert identity == Identity(folder.stat().st_dev, folder.stat().st_ino)
    assert marker.check(root, FOLDER_ID, identity) == Here(identity)
    assert marker.create(root, FOLDER_ID) == identity


def test_another_folder_stands_there(root: Root, folder: Path):
    """A directory that is another folder keeps its marker, and is away for this one."""
    with pytest.raises(Occupied):
        marker.create(root, "another")
    assert (folder / ".firnline/id").read_text() == f"{FOLDER_ID}\n"
    (folder / ".firnline/id").write_text("another\n")
    assert why_away(root) is AwayReason.MARKER_OTHER


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"x" * 10_000])
def test_a_marker_that_is_none(root: Root, folder: Path, content: bytes):
    """A marker that was cut or overwritten is not this folder's."""
    (folder / ".firnline/id").write_bytes(content)
    assert why_away(root) is AwayReason.MARKER_OTHER
    with pytest.raises(Occupied):
        marker.create(root, FOLDER_ID)


def test_away(folder: Path, tmp_path: Path):
    """No directory, no marker, or another directory under the same name: away, each told."""
    with Root(str(folder)) as root:
        identity = here(root)
    folder.rename(tmp_path / "moved")
    with Root(str(folder)) as root:
        assert why_away(root) is AwayReason.ROOT_MISSING
    folder.mkdir()
    with Root(str(folder)) as root:
        assert why_away(root) is AwayReason.MARKER_MISSING
        assert os.listdir(folder) == []
        marker.create(root, FOLDER_ID)
        assert why_away(root, identity) is AwayReason.ROOT_OTHER


def test_another_device_number(root: Root):
    """A disk that has another number since the computer started is the same disk."""
    identity = here(root)
    found = marker.check(root, FOLDER_ID, identity._replace(device=identity.device + 1))
    assert found == Here(identity)


def test_an_unmounted_disk(tmp_path: Path):
    """The mount point of a disk that is not there is away."""
    point = tmp_path / "point"
    point.mkdir()
    with mounted(point, "-t", "tmpfs", "tmpfs"), Root(str(point)) as root:
        identity = marker.create(root, FOLDER_ID)
    with Root(str(point)) as root:
        assert why_away(root, identity) is AwayReason.MARKER_MISSING
    assert os.listdir(point) == []


def test_no_directory_at_the_root(tmp_path: Path):
    """A file in the folder's place is not the folder."""
    (tmp_path / "file").touch()
    with Root(str(tmp_path / "file")) as root:
        assert why_away(root) is AwayReason.MARKER_OTHER


@pytest.mark.parametrize("what", ["link", "file"])
def test_the_marker_directory_is_none(tmp_path: Path, what: str):
    """A link or file where the marker directory should be is not passed or replaced."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "id").write_text(FOLDER_ID)
    folder = tmp_path / "folder"
    folder.mkdir()
    if what == "link":
        (folder / ".firnline").symlink_to(outside)
    else:
        (folder / ".firnline").touch()
    with Root(str(folder)) as root:
        assert why_away(root) is AwayReason.MARKER_OTHER
        with pytest.raises(NotInside):
            marker.create(root, FOLDER_ID)
    assert os.listdir(outside) == ["id"]


def test_the_marker_is_a_pipe(root: Root, folder: Path):
    """A pipe in the marker's place is not waited for."""
    (folder / ".firnline/id").unlink()
    os.mkfifo(folder / ".firnline/id")
    assert why_away(root) is AwayReason.MARKER_OTHER


def test_unreadable(root: Root, monkeypatch: pytest.MonkeyPatch):
    """A marker that cannot be read says neither yes nor no: away."""

    def refuse(*arguments: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(root.access, "open", refuse)
    assert why_away(root) is AwayReason.UNREADABLE
    with pytest.raises(Blocked):
        marker.create(root, FOLDER_ID)


def test_created_at_any_power_cut(tmp_path: Path):
    """A power cut leaves no marker, or the whole one; the next attempt makes it."""
    for number in range(20):
        folder = tmp_path / str(number)
        folder.mkdir()
        steps = StepsDouble()
        steps.cut_before(number)
        with Root(str(folder), steps=steps) as root:
            try:
                marker.create(root, FOLDER_ID)
            except PowerCut:
                assert why_away(root) is AwayReason.MARKER_MISSING
                marker.create(root, FOLDER_ID)
                here(root)
            else:
                assert number >= 4
                return
    raise AssertionError("it never comes to its end")


def test_no_directory_to_mark(tmp_path: Path):
    """A missing directory is not made."""
    with Root(str(tmp_path / "missing")) as root, pytest.raises(Vanished):
        marker.create(root, FOLDER_ID)
    assert os.listdir(tmp_path) == []


def test_removed(root: Root, folder: Path):
    """Without its marker the directory is only a directory; people's files stay."""
    (folder / "file").touch()
    marker.remove(root)
    marker.remove(root)
    assert why_away(root) is AwayReason.MARKER_MISSING
    assert (folder / "file").exists()


def test_sentences():
    """Each reason has a sentence for people."""
    assert len({reason.sentence for reason in AwayReason}) == len(AwayReason)


def test_warnings(tmp_path: Path):
    """Home and the root of the file system are worth a warning, also through a link."""
    home = tmp_path / "home"
    home.mkdir()
    (tmp_path / "link").symlink_to(home)
    assert marker.warning_about(str(tmp_path), str(home)) is None
    for path in (home, tmp_path / "link"):
        assert "home" in (marker.warning_about(str(path), str(home)) or "")
    assert "whole" in (marker.warning_about("/", str(home)) or "")
    assert "whole" in (marker.warning_about("/", "/") or "")


def test_nested(tmp_path: Path):
    """A folder in another, around another, or the same by another name is found."""
    for name in ("a/b", "ab", "c"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "a")
    others = [str(tmp_path / "c"), str(tmp_path / "a")]
    for inside in ("a/b", "a", "link", "link/b", "a/new"):
        assert marker.nested_in(str(tmp_path / inside), others) == others[1]
    assert marker.nested_in(str(tmp_path), others) == others[0]
    assert marker.nested_in("/", others) == others[0]
    assert marker.nested_in(str(tmp_path / "ab"), others) is None
    assert marker.nested_in(str(tmp_path / "ab"), ["/"]) == "/"
