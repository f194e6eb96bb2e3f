"""What `log`, `ls`, `cat` and `diff` write."""

import json
from pathlib import Path

import pytest
from tests.unit.cli.conftest import Shell, Shells


@pytest.fixture
def two(docs: Shell) -> Shell:
    """Anna after a second version of a.txt and a new file in a directory."""
    docs.profile.write("a.txt", "first\nsecond\n")
    docs.profile.write("dir/b.bin", "\0")
    docs("sync")
    return docs


def newest(shell: Shell) -> str:
    """The name of the last event."""
    event: str = json.loads(shell("log", "--limit", "1", "--json"))["event"]
    return event


def test_log_for_people(two: Shell) -> None:
    """A line for each change, newest first, with size and device."""
    lines = two("log").splitlines()
    assert [line.split()[-1] for line in lines] == ["a.txt", "dir/b.bin", "a.txt"]
    assert all("anna" in line and "put" in line for line in lines)
    assert two("log", "docs:dir").count("\n") == 1
    assert two("log", "--limit", "0") == ""


def test_log_of_several_folders_names_them(two: Shell, tmp_path: Path) -> None:
    """A path alone would not say which folder it is in."""
    two("folder", "create", str(tmp_path / "other"))
    assert two("log").splitlines()[0].endswith("docs:a.txt")
    assert two("log", "docs").splitlines()[0].endswith(" a.txt")


def test_devices_of_one_name_are_told_apart(docs: Shell, shells: Shells, tmp_path: Path) -> None:
    """Two devices called the same are shown with their ids."""
    bert = shells("bert")
    bert("config", "set", "device.name", "anna")
    bert("store", "add", "nas", str(tmp_path / "nas"))
    bert("folder", "join", "docs", str(bert.profile.folder))
    bert("sync")
    device = docs.document("status")["device"]["id"]
    assert f"anna ({device})" in bert("log")


def test_ls_for_people(two: Shell) -> None:
    """Sizes of files, a stroke behind directories, an @ behind links."""
    (two.profile.folder / "link").symlink_to("a.txt")
    two("sync")
    file, directory, link = two("ls", "docs:").splitlines()
    assert file.split()[:2] == ["13", "B"]
    assert directory.endswith("dir/")
    assert link.endswith("link@")
    assert two("ls", "docs:dir").endswith("dir/b.bin\n")
    assert two("ls", "docs:", "--recursive").count("\n") == 4


def test_cat_of_a_content_that_is_nowhere(two: Shell, tmp_path: Path) -> None:
    """A version whose store is out of reach is told, with what to do."""
    (tmp_path / "nas").rename(tmp_path / "away")
    first = json.loads(two("log", "docs:a.txt", "--json").splitlines()[-1])["event"]
    two("cat", "docs:a.txt", "--at", first, code=1)
    assert "no store in reach" in two.err


def test_diff_of_a_text(two: Shell) -> None:
    """A unified diff to the version before."""
    assert two("diff", "docs:a.txt").splitlines()[-2:] == [" first", "+second"]
    assert two.document("diff", "docs:a.txt")["lines"][-1] == "+second"


def test_diff_of_what_is_no_text(two: Shell) -> None:
    """The sizes are told instead."""
    two.profile.write("dir/b.bin", "\0\0\0")
    two("sync")
    assert two("diff", "docs:dir/b.bin") == "dir/b.bin: 1 B before, 3 B after\n"
    assert "no text" in two.err


def test_diff_of_a_directory(two: Shell) -> None:
    """A sign and a path for each difference."""
    (two.profile.folder / "a.txt").rename(two.profile.folder / "c.txt")
    (two.profile.folder / "dir" / "b.bin").unlink()
    moment = newest(two)
    two("sync")
    shown = two("diff", "docs", "--from", moment)
    assert shown.splitlines() == ["> a.txt → c.txt", "+ dir", "- dir/b.bin"]
    assert two.document("diff", "docs", "--from", moment)["changes"][0]["source"] == "a.txt"
