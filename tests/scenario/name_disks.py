"""File systems that cannot hold all names, in images that are mounted for a moment.

Each skips with its reason where this machine cannot: no root, no program, a kernel without it.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.unit.stores.disks import mounted


class Disk(NamedTuple):
    """How a file system is made and mounted."""

    make: list[str]
    mount: list[str]
    size: int
    helper: str = ""
    """A program that the mounting takes, apart from the kernel."""
    links: bool = True
    modes: bool = True
    keeps_case: bool = True
    folds: bool = False
    """A directory has to be told that it folds case (`chattr +F`)."""


_NTFS = ["mkntfs", "-q", "-F"]
DISKS = {
    "vfat": Disk(
        ["mkfs.vfat"],
        ["-t", "vfat", "-o", "loop,iocharset=utf8"],
        16 << 20,
        links=False,
        modes=False,
    ),
    "exfat": Disk(
        ["mkfs.exfat"], ["-t", "exfat", "-o", "loop"], 16 << 20, links=False, modes=False
    ),
    "exfat by fuse": Disk(
        ["mkfs.exfat"],
        ["-t", "exfat-fuse", "-o", "loop,entry_timeout=0,attr_timeout=0"],
        16 << 20,
        "mount.exfat-fuse",
        links=False,
        modes=False,
    ),
    "ntfs by fuse": Disk(
        _NTFS,
        ["-t", "lowntfs-3g", "-o", "ignore_case,windows_names,entry_timeout=0"],
        32 << 20,
        "lowntfs-3g",
        modes=False,
        keeps_case=False,
    ),
    "ext4 casefold": Disk(
        ["mkfs.ext4", "-q", "-F", "-O", "casefold", "-E", "encoding=utf8"],
        ["-o", "loop"],
        16 << 20,
        folds=True,
    ),
}


@contextmanager
def disk(place: Path, kind: str) -> Iterator[tuple[Path, Callable[[], None]]]:
    """An empty directory on such a file system; and what unmounts it and mounts it again."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("mounting a file system takes root on Linux")
    wanted = DISKS[kind]
    for program in (wanted.make[0], wanted.helper):
        if program and shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    image, point = place / "disk.img", place / "mounted"
    with image.open("wb") as file:
        file.truncate(wanted.size)
    subprocess.run([*wanted.make, image], check=True, capture_output=True)
    point.mkdir()
    with mounted(point, *wanted.mount, str(image)):
        folder = point / "folder"
        folder.mkdir()
        if wanted.folds:
            subprocess.run(["chattr", "+F", folder], check=True, capture_output=True)

        def again() -> None:
            subprocess.run(["umount", point], check=True, capture_output=True)
            command = ["mount", *wanted.mount, str(image), str(point)]
            subprocess.run(command, check=True, capture_output=True)

        yield folder, again
