"""What it takes for files and names to outlive a loss of power, and for a name to change hands.

Linux and other Unix: fsync of the file, rename, fsync of the directory. macOS: its fsync leaves
the data in the disk's cache, F_FULLFSYNC does not. Windows: files are flushed; directories cannot
be, their changes go through the file system's journal. The last two were not tried.
"""

import errno
import os
import sys
from collections.abc import Callable, Collection
from contextlib import suppress

from firnline.core.steps import Steps
from firnline.stores.confined import ConfinedTree, Place
from firnline.stores.linux import rename_exclusively, sync_filesystem
from firnline.stores.os_errors import is_unsupported

WINDOWS = os.name == "nt"
FEW = 16
"""Up to so many files or directories are made durable one by one, more by one `syncfs`.

Measured on a quiet ext4: 16 files 2.9 ms by fsync and 0.8 ms by syncfs, 64 files 11 and 2.6 ms. But
syncfs waits for what all other programs wrote to that disk too: with 300 MiB of that 110 ms, where
fsync takes 1 ms for one file and 19 ms for 64.
"""
# A virus scanner or indexer may hold a file on Windows for a moment after it was written.
REPLACE_ATTEMPTS = 10 if WINDOWS else 1
_REPLACE_WAIT = 0.2


def sync_file(descriptor: int) -> None:
    """The content of an open file is durable."""
    if sys.platform == "darwin":
        import fcntl

        with suppress(OSError):  # a share, or a disk that does not know it
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
            return
    # For a file that is new the size is part of what fdatasync writes; times need not be.
    getattr(os, "fdatasync", os.fsync)(descriptor)


def sync_directory(place: Place) -> None:
    """The names in a directory are durable."""
    if place.descriptor is not None:
        _sync_names(place.descriptor)
    elif not WINDOWS:
        descriptor = os.open(place.prefix, os.O_RDONLY)
        try:
            _sync_names(descriptor)
        finally:
            os.close(descriptor)


def _sync_names(descriptor: int) -> None:
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some network file systems have no fsync for directories: the server takes care.
        if not is_unsupported(error):
            raise


def sync_directories(
    tree: ConfinedTree, base: Place, directories: Collection[str], steps: Steps
) -> None:
    """The names in all these directories are durable; `base` was entered before they changed."""
    steps("store.sync_directory")
    if len(directories) > FEW and barrier(base):
        return
    for directory in sorted(directories):
        with tree.enter(directory) as place:
            sync_directory(place)


def barrier(base: Place) -> bool:
    """All that was written since `base` was entered is durable; False: there is no such call."""
    return base.descriptor is not None and sync_filesystem(base.descriptor)


def replace(
    source: Place, name: str, target: Place, leaf: str, sleep: Callable[[float], None]
) -> None:
    """Rename a file over what may stand there, in one step."""
    for attempt in range(1, REPLACE_ATTEMPTS + 1):
        try:
            os.replace(
                source.name(name),
                target.name(leaf),
                src_dir_fd=source.descriptor,
                dst_dir_fd=target.descriptor,
            )
        except PermissionError:
            if attempt == REPLACE_ATTEMPTS:
                raise
            sleep(_REPLACE_WAIT)
        else:
            return


def publish_exclusively(source: Place, name: str, target: Place, leaf: str) -> bool:
    """Give a finished file a name that nobody has; raises FileExistsError when somebody does.

    A hard link does that nearly everywhere; where there are none (FAT, exFAT), Windows' rename or
    Linux's own one refuses an existing name. False when the system offers no way at all.
    `name` may be left over: the caller removes it.
    """
    return (
        _link(source, name, target, leaf)
        or _rename_on_windows(source, name, target, leaf)
        or _rename_on_linux(source, name, target, leaf)
    )


def _link(source: Place, name: str, target: Place, leaf: str) -> bool:
    try:
        os.link(
            source.name(name),
            target.name(leaf),
            src_dir_fd=source.descriptor,
            dst_dir_fd=target.descriptor,
        )
    except FileExistsError:
        # A file server did it, its answer was lost, and the request was sent once more.
        status = os.stat(source.name(name), dir_fd=source.descriptor, follow_symlinks=False)
        if status.st_nlink < 2:
            raise
    except OSError as error:
        if not is_unsupported(error):
            raise
        return False
    return True


def _rename_on_windows(source: Place, name: str, target: Place, leaf: str) -> bool:
    if WINDOWS:
        os.rename(source.name(name), target.name(leaf))
        return True
    return False


def _rename_on_linux(source: Place, name: str, target: Place, leaf: str) -> bool:
    if source.descriptor is None or target.descriptor is None:
        return False
    try:
        rename_exclusively((source.descriptor, name), (target.descriptor, leaf))
    except NotImplementedError:
        return False
    except OSError as error:
        if error.errno == errno.EEXIST or not is_unsupported(error):
            raise
        return False
    return True
