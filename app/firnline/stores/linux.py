"""System calls of Linux that Python does not offer.

`ctypes` costs 2 ms to import, so it is loaded by the first call. Everything here says False or
raises NotImplementedError where the system is no Linux or its C library does not have the call;
callers have another way.
"""

import os
import sys
from functools import cache
from typing import Any

_RENAME_NOREPLACE = 1


def sync_filesystem(descriptor: int) -> bool:
    """`syncfs`: all that was written to the file system of `descriptor` is durable.

    Raises OSError when any of it could not be written since `descriptor` was opened (Linux 5.8),
    so it has to be opened before the writing. False where there is no such call.
    """
    call = _function("syncfs")
    if call is None:
        return False
    _check(call(descriptor))
    return True


def rename_exclusively(source: tuple[int, str], target: tuple[int, str]) -> None:
    """Rename, or raise FileExistsError; each end is a directory's descriptor and a name in it.

    Raises NotImplementedError where the system has no such call, and OSError with EINVAL where
    the file system does not know it.
    """
    call = _function("renameat2")
    if call is None:
        raise NotImplementedError
    names = os.fsencode(source[1]), os.fsencode(target[1])
    _check(call(source[0], names[0], target[0], names[1], _RENAME_NOREPLACE))


def _check(result: int) -> None:
    if result != 0:
        import ctypes

        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _function(name: str) -> Any:
    """A function of the C library, None where it has none."""
    return getattr(_library(), name, None) if sys.platform == "linux" else None


@cache
def _library() -> Any:
    import ctypes

    return ctypes.CDLL(None, use_errno=True)
