"""What `firnline folder` says."""

from pathlib import Path

from tests.unit.cli.conftest import Shell, Shells


def test_create_says_where_it_goes(anna: Shell, tmp_path: Path) -> None:
    """To all stores, to those that were named, or to none."""
    anna("folder", "create", str(tmp_path / "alone"))
    assert "this computer only" in anna.out
    assert "store add" in anna.err
    anna("store", "add", "nas", str(tmp_path / "nas"))
    assert "all goes to nas" in anna("folder", "create", str(tmp_path / "all"))
    assert "every store" in anna.err
    anna("folder", "create", str(tmp_path / "named"), "--store", "nas")
    assert "every store" not in anna.err
    (tmp_path / "nas").rename(tmp_path / "away")
    anna("folder", "create", str(tmp_path / "later"))
    assert "at the next sync" in anna.err


def test_list(docs: Shell) -> None:
    """A table for people, a list for programs."""
    _, line = docs("folder", "list").splitlines()
    assert line.split()[0] == "docs"
    assert line.split()[2:4] == ["active", "nas"]
    (folder,) = docs.document("folder", "list")
    assert (folder["name"], folder["paused"]) == ("docs", False)


def test_empty_lists_tell_how_to_begin(anna: Shell) -> None:
    """Standard output stays empty."""
    assert anna("folder", "list") == ""
    assert "folder create" in anna.err
    assert anna("folder", "available") == ""
    assert "no folders" in anna.err
    assert anna("sync") == ""
    assert "folder create" in anna.err
    assert anna("status").count("\n") == 1


def test_available_and_joined(docs: Shell, shells: Shells, tmp_path: Path) -> None:
    """What the stores have, and what is damaged or out of reach, with exit code 1."""
    bert = shells("bert")
    bert("store", "add", "nas", str(tmp_path / "nas"))
    assert "not here" in bert("folder", "available")
    assert "is joined" in bert("folder", "join", "docs", str(bert.profile.folder))
    assert "here as docs" in bert("folder", "available")
    damaged = tmp_path / "nas" / "bad-00000000"
    damaged.mkdir()
    (damaged / "config").write_text("{")
    bert("folder", "available")
    assert "bad-00000000/config" in bert.err
    (tmp_path / "nas").rename(tmp_path / "away")
    bert("folder", "available", code=1)
    assert "nas cannot be reached" in bert.err


def test_pause_resume_remove(docs: Shell) -> None:
    """Each says what holds now."""
    assert "is paused" in docs("folder", "pause", "docs")
    assert docs("sync") == ""
    assert "paused" in docs.err
    assert "paused" in docs("status")
    assert "next sync" in docs("folder", "resume", "docs")
    assert "files stay" in docs("folder", "remove", "docs")


def test_stores_are_shown_and_changed(docs: Shell, tmp_path: Path) -> None:
    """Without an option they are only shown."""
    assert docs("folder", "stores", "docs") == "docs goes to nas\n"
    docs("store", "add", "usb", str(tmp_path / "usb"))
    assert "nas, usb" in docs("folder", "stores", "docs", "--add", "usb")
    docs("folder", "stores", "docs", "--drop", "nas", code=1)
    docs("sync")
    assert "goes to usb" in docs("folder", "stores", "docs", "--drop", "nas")


def test_home_directory_is_warned_of(anna: Shell, tmp_path: Path, monkeypatch) -> None:
    """The words of the warning are passed on."""
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "me"))
    anna("folder", "create", str(tmp_path / "me"))
    assert "Careful: this is your home directory" in anna.err
