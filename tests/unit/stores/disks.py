"""Real file systems for tests: images in a file, mounted for a moment.

Each skips the test, with the reason, where this machine cannot: that takes root, loop devices and
the program that makes the file system.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

MAKERS = {
    "ext4": ["mkfs.ext4", "-q", "-F", "-m", "0"],
    "xfs": ["mkfs.xfs", "-q", "-m", "reflink=1"],
    "btrfs": ["mkfs.btrfs", "-q"],
}
SIZES = {"ext4": 4 << 20, "xfs": 320 << 20, "btrfs": 128 << 20}
"""Bytes of the image, of which only what is written takes room."""


@contextmanager
def disk(place: Path, kind: str, options: str = "rw") -> Iterator[Path]:
    """An empty file system of its own below `place`; of `tmpfs` as well."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("mounting a file system takes root on Linux")
    point = place / f"{kind}-mounted"
    point.mkdir()
    with mounted(point, *_source(place, kind, options)):
        yield point


def _source(place: Path, kind: str, options: str) -> list[str]:
    if kind == "tmpfs":
        return ["-t", "tmpfs", "-o", options, "tmpfs"]
    if shutil.which(MAKERS[kind][0]) is None:
        pytest.skip(f"{MAKERS[kind][0]} is not installed")
    image = place / f"{kind}.img"
    with image.open("wb") as file:
        file.truncate(SIZES[kind])
    subprocess.run([*MAKERS[kind], image], check=True, capture_output=True)
    return ["-o", f"loop,{options}", str(image)]


@contextmanager
def mounted(point: Path, *arguments: str) -> Iterator[None]:
    """`mount` for a moment. Nothing of ours may be open there at the end."""
    done = subprocess.run(["mount", *arguments, point], capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(f"this machine cannot mount it: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", point], check=True, capture_output=True)


def remount(point: Path, options: str) -> None:
    """Make it read-only or writable."""
    subprocess.run(["mount", "-o", f"remount,{options}", point], check=True, capture_output=True)
