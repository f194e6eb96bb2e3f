"""Random trees and random edits: a scan finds what a plain comparison of two listings finds."""

import os
import shutil
import stat
import tempfile
import unicodedata
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from tests.doubles.still_clock import StillClock
from tests.unit.folder.known_rows import rows_of

from firnline.folder.filesystem import Root
from firnline.folder.ignore import Ignore
from firnline.folder.scan import scan

PATTERNS = "*.log\n/b/\n!keep.log\n"
NAMES = [
    "a",
    "b",
    "a.b",
    "a-",
    "B",
    "x.log",
    "keep.log",
    ".DS_Store",
    "e\u0301",
    "日",
    "\U0001f409",
]
PATHS = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3).map("/".join)
EDITS = st.lists(
    st.tuples(
        st.sampled_from(["write", "run", "link", "mkdir", "pipe", "remove", "rename"]), PATHS
    ),
    max_size=12,
)


def edit(folder: Path, what: str, path: str) -> None:
    """One change by the user; nothing where a parent is no directory."""
    place = folder / path
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
    except OSError:
        return
    if place.is_dir() and not place.is_symlink():
        if what == "remove":
            shutil.rmtree(place)
        elif what == "rename" and not (folder / "renamed").exists():
            place.rename(folder / "renamed")
        return
    if what in ("link", "mkdir", "pipe", "remove"):
        place.unlink(missing_ok=True)
    if what == "mkdir":
        place.mkdir()
    elif what == "pipe":
        os.mkfifo(place)
    elif what == "link":
        place.symlink_to(path)
    elif what in ("write", "run") and (place.is_file() or not os.path.lexists(place)):
        with place.open("ab") as file:
            file.write(b"x")
            os.fchmod(file.fileno(), 0o755 if what == "run" else 0o644)
    elif what == "rename" and os.path.lexists(place):
        place.rename(folder / "renamed too")


Listing = dict[str, tuple[str, int, int, int, bool]]


def listing(folder: Path, *, everything: bool = False) -> tuple[Listing, set[str]]:
    """All files and links with what tells them apart, and all directories; by plain means."""
    files: Listing = {}
    directories: set[str] = set()
    for directory, subdirectories, names in os.walk(folder):
        for name in [*subdirectories, *names]:
            place = Path(directory, name)
            path = unicodedata.normalize("NFC", place.relative_to(folder).as_posix())
            if path.split("/")[0] == ".firnline":
                continue
            if not everything and ignored(path, place.is_dir() and not place.is_symlink()):
                continue
            found = place.lstat()
            if stat.S_ISDIR(found.st_mode):
                directories.add(path)
            elif stat.S_ISREG(found.st_mode) or stat.S_ISLNK(found.st_mode):
                is_file = stat.S_ISREG(found.st_mode)
                files[path] = (
                    "f" if is_file else "l",
                    found.st_size,
                    found.st_mtime_ns,
                    found.st_ino,
                    is_file and bool(found.st_mode & 0o100),
                )
            else:
                files[path] = ("pipe", 0, 0, 0, False)
    return files, directories


def ignored(path: str, is_directory: bool) -> bool:
    """`PATTERNS` and the one system file, spelled out."""
    parts = path.split("/")
    if ".DS_Store" in parts or "x.log" in parts:
        return True
    return parts[0] == "b" and (len(parts) > 1 or is_directory)


@given(EDITS, EDITS, st.sets(PATHS.map(lambda path: unicodedata.normalize("NFC", path))))
def test_as_a_plain_comparison(
    first: list[tuple[str, str]], second: list[tuple[str, str]], dirs: set[str]
):
    """Changed, missing, hidden, empty and gone are what two listings and the rules say."""
    with tempfile.TemporaryDirectory() as name, Root(name) as root:
        folder = Path(name)
        clock = StillClock()
        for what, path in first:
            edit(folder, what, path)
        known = rows_of(scan(root, [], Ignore(), clock=clock))
        for what, path in second:
            edit(folder, what, path)
        found = scan(root, known, Ignore.parse(PATTERNS), clock=clock, dirs=dirs)
        files, directories = listing(folder)
    synced = {path: what for path, what in files.items() if what[0] != "pipe"}
    before = {row.path: (*row[1:5], row.flags == "x") for row in known}
    changed = [path for path, what in synced.items() if before.get(path) != what]
    assert [seen.path for seen in found.changed] == sorted(changed, key=str.encode)
    hidden = [path for path in before if is_hidden(path)]
    assert found.hidden == sorted(hidden, key=str.encode)
    missing = set(before) - set(files) - set(hidden)
    pipes = {path for path, what in files.items() if what[0] == "pipe"}
    under_pipe = {path for path in missing if not pipes.isdisjoint(above(path))}
    assert found.missing == sorted(missing - under_pipe, key=str.encode)
    with_children = {path.rpartition("/")[0] for path in [*synced, *directories]}
    assert found.empty_directories == sorted(directories - with_children - dirs)
    gone = {
        path
        for path in dirs - directories
        if not is_hidden(path, is_directory=True) and pipes.isdisjoint([path, *above(path)])
    }
    assert found.gone_directories == sorted(gone)
    assert found.files == len(synced)
    assert found.bytes == sum(what[1] for what in synced.values())
    assert found.complete


def above(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts))]


def is_hidden(path: str, *, is_directory: bool = False) -> bool:
    return ignored(path, is_directory)
