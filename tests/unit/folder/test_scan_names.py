"""Names on disk and names in the log."""

import os
import unicodedata
from pathlib import Path

import pytest
from tests.unit.folder.scanning import Scanner, changed, fill, skipped

from firnline.folder.filesystem import Root
from firnline.folder.scan import SkipKind

COMPOSED = unicodedata.normalize("NFC", "café")
DECOMPOSED = unicodedata.normalize("NFD", "café")


def test_names_that_are_no_unicode(scanner: Scanner, folder: Path):
    """Bytes that are no UTF-8 are shown escaped, and what is below is not looked at."""
    fill(folder, "good")
    os.mkdir(os.fsencode(folder) + b"/dir\xff")
    for name in (b"/bad\xc0\xae", b"/dir\xff/x"):
        with open(os.fsencode(folder) + name, "wb"):
            pass
    found = scanner.look()
    assert changed(found) == ["good"]
    assert skipped(found) == [
        ("bad\\udcc0\\udcae", SkipKind.NOT_UNICODE),
        ("dir\\udcff", SkipKind.NOT_UNICODE),
    ]


def test_names_of_other_forms(scanner: Scanner, folder: Path):
    """A name that is not NFC on disk is NFC in the log; the local name is told with it."""
    fill(folder, f"{DECOMPOSED}/{DECOMPOSED}", f"{DECOMPOSED}/plain/x", f"{COMPOSED}2", "z")
    (folder / f"{DECOMPOSED} empty").mkdir()
    found = scanner.learn()
    assert {seen.path: seen.local for seen in found.changed} == {
        f"{COMPOSED}/{COMPOSED}": f"{DECOMPOSED}/{DECOMPOSED}",
        f"{COMPOSED}/plain/x": f"{DECOMPOSED}/plain/x",
        f"{COMPOSED}2": None,
        "z": None,
    }
    assert found.local_directories == {
        COMPOSED: DECOMPOSED,
        f"{COMPOSED}/plain": f"{DECOMPOSED}/plain",
        f"{COMPOSED} empty": f"{DECOMPOSED} empty",
    }
    assert found.empty_directories == [f"{COMPOSED} empty"]
    assert changed(scanner.look()) == []
    (folder / DECOMPOSED / DECOMPOSED).unlink()
    assert scanner.look().missing == [f"{COMPOSED}/{COMPOSED}"]
    (folder / DECOMPOSED / DECOMPOSED).write_bytes(b"again")
    found = scanner.look()
    assert [(seen.path, seen.local) for seen in found.changed] == [
        (f"{COMPOSED}/{COMPOSED}", f"{DECOMPOSED}/{DECOMPOSED}")
    ]


def test_a_second_name(scanner: Scanner, folder: Path):
    """Of two names with one NFC form the known file stays the known one; the other is shown."""
    fill(folder, DECOMPOSED)
    scanner.learn()
    fill(folder, COMPOSED)
    found = scanner.look()
    assert changed(found) == found.missing == []
    assert skipped(found) == [(COMPOSED, SkipKind.SECOND_NAME)]
    assert found.files == 1
    scanner.known = []
    found = scanner.look()
    assert [(seen.path, seen.local) for seen in found.changed] == [(COMPOSED, None)]
    assert skipped(found) == [(DECOMPOSED, SkipKind.SECOND_NAME)]


def test_two_second_names_saved_anew(scanner: Scanner, folder: Path, tmp_path: Path):
    """Where neither is the file that was known, nobody guesses: nothing changed or missing."""
    fill(folder, COMPOSED)
    scanner.learn()
    # Its number is not free for one of the others.
    (tmp_path / "old").hardlink_to(folder / COMPOSED)
    for name in (COMPOSED, DECOMPOSED):
        fill(folder, "new")
        (folder / "new").rename(folder / name)
    found = scanner.look()
    assert changed(found) == found.missing == []
    assert sorted(skipped(found)) == sorted(
        (name, SkipKind.SECOND_NAME) for name in (COMPOSED, DECOMPOSED)
    )


@pytest.mark.parametrize("other", ["directory", "file"])
def test_a_second_name_of_a_directory(scanner: Scanner, folder: Path, other: str):
    """Two directories with one NFC form, or a file beside one, are both left alone."""
    fill(folder, f"{DECOMPOSED}/x", "z")
    scanner.dirs = {f"{COMPOSED}/known"}
    (folder / DECOMPOSED / "known").mkdir()
    scanner.learn()
    if other == "directory":
        (folder / COMPOSED).mkdir()
    else:
        fill(folder, COMPOSED)
    found = scanner.look()
    assert changed(found) == found.missing == found.gone_directories == []
    assert sorted(skipped(found)) == sorted(
        (name, SkipKind.SECOND_NAME) for name in (COMPOSED, DECOMPOSED)
    )
    assert found.empty_directories == []


def test_the_limits_of_names(scanner: Scanner, folder: Path):
    """255 bytes in a part are synced; what the log cannot hold is shown, and is not walked."""
    longest = "x" * 255
    grown = "\u0958" * 85
    fill(folder, longest, "ü" * 127, grown)
    deep = "/".join("d" * 255)
    (folder / deep / "d").mkdir(parents=True)
    fill(folder, f"{deep}/file", f"{deep}/d/too deep")
    found = scanner.look()
    assert changed(found) == [f"{deep}/file", longest, "ü" * 127]
    assert skipped(found) == [(f"{deep}/d/too deep", SkipKind.NAME), (grown, SkipKind.NAME)]


def test_the_longest_paths(root: Root, scanner: Scanner, folder: Path):
    """A path of 4,096 bytes is synced, a longer one is shown."""
    parts = ["y" * 200] * 20
    directory = "/".join(parts)
    fits = "a" * (4096 - len(directory) - 1)
    here = os.open(folder, os.O_RDONLY)
    for part in parts:
        os.mkdir(part, dir_fd=here)
        below = os.open(part, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    for name in (fits, fits + "a"):
        os.close(os.open(name, os.O_CREAT | os.O_WRONLY, dir_fd=here))
    os.close(here)
    found = scanner.look()
    assert changed(found) == [f"{directory}/{fits}"]
    assert skipped(found) == [(f"{directory}/{fits}a", SkipKind.NAME)]
    assert root.stat(f"{directory}/{fits}") is not None


def test_own_names(scanner: Scanner, folder: Path):
    """The marker is not seen; a marker elsewhere is shown; our own leftovers are told apart."""
    fill(folder, "d/.firnline/id", "d/.firnline-tmp-0123", ".firnlineignore", ".FIRNLINE/x")
    found = scanner.look()
    assert changed(found) == [".firnlineignore"]
    assert skipped(found) == [(".FIRNLINE", SkipKind.NAME), ("d/.firnline", SkipKind.NAME)]
    assert found.strays == ["d/.firnline-tmp-0123"]
