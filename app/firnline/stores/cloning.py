"""Copies of open files that share blocks where the file system can (a reflink).

Btrfs, XFS and some file servers make such a copy at once and without using space; it is an
independent file all the same. On other systems than Linux nothing is shared.
"""

import errno
import os
import sys

_FICLONE = 0x40049409
_CHUNK = 1 << 20
_AT_ONCE = 1 << 30
_REAL_TROUBLE = {errno.ENOSPC, errno.EIO, errno.EROFS, getattr(errno, "EDQUOT", errno.ENOSPC)}


def clone(source: int, target: int) -> bool:
    """`target`, an empty open file, shares all blocks of `source`.

    False, and nothing done, where that cannot be: another disk, another file system.
    """
    if sys.platform != "linux":
        return False
    import fcntl

    try:
        fcntl.ioctl(target, _FICLONE, source)
    except OSError as error:
        if error.errno in _REAL_TROUBLE:
            raise
        return False
    return True


def copy_content(source: int, target: int) -> None:
    """Copy a whole open file into an empty one, by the quickest way that works here."""
    if clone(source, target):
        return
    _copy_in_kernel(source, target)
    # All of it where the kernel cannot copy between these two, else the end of the file.
    while chunk := os.read(source, _CHUNK):
        write_all(target, chunk)


def _copy_in_kernel(source: int, target: int) -> None:
    """As much as the kernel copies; both files stand behind that afterwards."""
    if not hasattr(os, "copy_file_range"):
        return
    try:
        while os.copy_file_range(source, target, _AT_ONCE) > 0:
            pass
    except OSError as error:
        if error.errno in _REAL_TROUBLE:
            raise


def write_all(descriptor: int, chunk: bytes | bytearray | memoryview) -> None:
    """`os.write` until everything is written."""
    written = os.write(descriptor, chunk)
    if written < len(chunk):
        rest = memoryview(chunk)[written:]
        while rest:
            rest = rest[os.write(descriptor, rest) :]
