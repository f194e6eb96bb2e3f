"""System calls that Python has no name for: rename without replacing, exchange, `syncfs`.

Each raises OSError as the functions of `os` do, with ENOSYS where the system has no such call.
`ctypes` is loaded at the first of them, since most runs need none.
"""

import errno
import functools
import os
import sys
from typing import Any

_RENAMES = {
    # Name, flag for "the target must be absent", flag for "exchange the two".
    "linux": ("renameat2", 1, 2),
    "darwin": ("renameatx_np", 4, 2),
}

_ENCODING, _ERRORS = sys.getfilesystemencoding(), sys.getfilesystemencodeerrors()

UNSUPPORTED = frozenset({errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP})
"""What a system or a file system answers that does not know a call or a flag."""


def rename_exclusive(source_directory: int, source: str, directory: int, target: str) -> None:
    """Rename, in one step, onto a name that must be absent (else FileExistsError)."""
    _rename(1, source_directory, source, directory, target)


def exchange(source_directory: int, source: str, directory: int, target: str) -> None:
    """Two names change places in one step, so that neither is lost whatever they are."""
    _rename(2, source_directory, source, directory, target)


def sync_file_system(descriptor: int) -> None:
    """All that was written to the file system of `descriptor` is durable (Linux)."""
    if _function("syncfs")(descriptor) != 0:
        raise _last_error()


def _rename(flag: int, source_directory: int, source: str, directory: int, target: str) -> None:
    known = _RENAMES.get(sys.platform)
    if known is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    function = _function(known[0])
    # `os.fsencode` looks at more than a name can be, and this runs for every file.
    old, new = source.encode(_ENCODING, _ERRORS), target.encode(_ENCODING, _ERRORS)
    if function(source_directory, old, directory, new, known[flag]) != 0:
        raise _last_error()


def _last_error() -> OSError:
    import ctypes

    number = ctypes.get_errno()
    return OSError(number, os.strerror(number))


@functools.cache
def _function(name: str) -> Any:
    import ctypes

    function = getattr(ctypes.CDLL(None, use_errno=True), name, None)
    if function is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    if name != "syncfs":
        text, number = ctypes.c_char_p, ctypes.c_int
        function.argtypes = [number, text, number, text, ctypes.c_uint]
    return function
