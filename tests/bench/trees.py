"""The trees that are copied: made the same each time, changed as a user would, compared by hash.

Contents are random bytes, so nothing is gained by compression or by finding equal files. Times
of modification are years apart and have odd milliseconds; every tenth file is executable.
"""

import os
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from blake3 import blake3

MIB = 1 << 20
MILLISECOND = 1_000_000
FIRST_MTIME = 1_600_000_000_123_456_789
MTIME_STEP = 4_321_987_654
HALF, OTHER_HALF, RENAMED = "half", "other half", "renamed half"
RENAMED_AGAIN = "half renamed again"
MARKER = ".firnline"
"""What Firnline keeps at the root of a folder; no part of the tree (docs/design.md section 7)."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Many files of one size: an equal number in each folder, half of the folders below `HALF`."""

    folders: int
    files_each: int
    size: int

    @property
    def files(self) -> int:
        return self.folders * self.files_each


class Entry(NamedTuple):
    """What must be equal of a file; of a directory, that it is there."""

    hash: str
    executable: bool
    mtime_ns: int


Listing = dict[str, Entry | None]
"""Path relative to the root -> entry, or None for a directory."""


def build_many(root: Path, shape: Shape) -> None:
    """Writes the files of this shape below an empty directory."""
    contents = random.Random(shape.files)
    for number in range(shape.folders):
        half = HALF if number < shape.folders // 2 else OTHER_HALF
        folder = root / half / f"folder {number:04}"
        folder.mkdir(parents=True)
        for index in range(shape.files_each):
            write(folder / f"file {index:03}.bin", contents.randbytes(shape.size))
            dress(folder / f"file {index:03}.bin", number * shape.files_each + index)


def build_large(root: Path, size: int) -> None:
    """Writes one file of this many bytes below an empty directory."""
    contents = random.Random(size)
    path = root / "large file.bin"
    with path.open("wb") as file:
        for start in range(0, size, MIB):
            file.write(contents.randbytes(min(MIB, size - start)))
    dress(path, 1)


def write(path: Path, content: bytes) -> None:
    """As `Path.write_bytes`, without its buffers: there are many of these files."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    try:
        os.write(descriptor, content)
    finally:
        os.close(descriptor)


def dress(path: Path, number: int) -> None:
    """Sets time of modification and executable bit of the file with this number."""
    mtime = FIRST_MTIME + number * MTIME_STEP
    os.utime(path, ns=(mtime, mtime))
    if number % 10 == 0:
        path.chmod(0o755)


def change_one_percent(root: Path) -> None:
    """Every hundredth file, all over the tree, gets other content of the same size, now."""
    contents = random.Random("changed")
    files = sorted(path for path, status in walk(root) if status is not None)
    for file in (root / path for path in files[::100]):
        write(file, contents.randbytes(file.stat().st_size))


def rename_half(root: Path) -> None:
    """Half of the files get another path, by the rename of one folder."""
    (root / HALF).rename(root / RENAMED)


def rename_again(root: Path) -> None:
    """The same files once more."""
    (root / RENAMED).rename(root / RENAMED_AGAIN)


def walk(root: Path, below: str = "") -> Iterator[tuple[str, os.stat_result | None]]:
    """Path and status of each file; path and None of each directory. Without the marker."""
    with os.scandir(root / below) as entries:
        for entry in entries:
            path = f"{below}/{entry.name}" if below else entry.name
            if path == MARKER:
                continue
            if entry.is_dir(follow_symlinks=False):
                yield path, None
                yield from walk(root, path)
            else:
                yield path, entry.stat(follow_symlinks=False)


def listing(root: Path) -> Listing:
    """Reads and hashes everything below the root."""
    found: Listing = {}
    for path, status in walk(root):
        found[path] = None if status is None else read_entry(root / path, status)
    return found


def read_entry(path: Path, status: os.stat_result) -> Entry:
    digest = blake3()
    with path.open("rb", buffering=0) as file:
        while block := file.read(MIB):
            digest.update(block)
    return Entry(digest.hexdigest(), bool(status.st_mode & 0o100), status.st_mtime_ns)


def difference(wanted: Listing, got: Listing, *, modes: bool = True) -> str | None:
    """The first difference as a sentence, or None: contents, executable bits (with `modes`), and
    times of modification to the millisecond."""
    for path in sorted(wanted.keys() | got.keys()):
        if path not in got:
            return f"{path!r} is missing"
        if path not in wanted:
            return f"{path!r} should not be there"
        what = entry_difference(wanted[path], got[path], modes=modes)
        if what is not None:
            return f"{path!r}: {what}"
    return None


def entry_difference(wanted: Entry | None, got: Entry | None, *, modes: bool) -> str | None:
    if wanted is None or got is None:
        return None if wanted is got else "a directory in one tree, a file in the other"
    if wanted.hash != got.hash:
        return "other content"
    if modes and wanted.executable != got.executable:
        return "other executable bit"
    if abs(wanted.mtime_ns - got.mtime_ns) >= MILLISECOND:
        return f"time of modification off by {(got.mtime_ns - wanted.mtime_ns) / 1e9:.3f} s"
    return None
