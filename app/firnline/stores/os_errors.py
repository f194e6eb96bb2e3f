"""The operating system's errors as store errors: the edge of every store that is a directory.

What is not named here is `UnavailableError`: an error that nobody foresaw is tried again and
shown, and never taken for "there is no such file".
"""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from firnline.stores.errors import (
    AlreadyExistsError,
    BadStorePathError,
    DeniedError,
    FullError,
    NotFoundError,
    StoreError,
    UnavailableError,
)

# ENOTDIR, ELOOP, ENXIO: a file, a link or a socket stands where something of ours would be.
_NOT_FOUND = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENXIO}
_DENIED = {errno.EACCES, errno.EPERM, errno.EROFS, errno.EISDIR, errno.ENOTEMPTY}
_FULL = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}
_BAD_PATH = {errno.ENAMETOOLONG, errno.EILSEQ}
_TREE: dict[int, type[StoreError]] = {
    errno.EEXIST: AlreadyExistsError,
    **dict.fromkeys(_NOT_FOUND, NotFoundError),
    **dict.fromkeys(_DENIED, DeniedError),
    **dict.fromkeys(_FULL, FullError),
    **dict.fromkeys(_BAD_PATH, BadStorePathError),
}


def store_error(error: OSError, path: str) -> StoreError:
    """The error of the tree that `error` is for `path`."""
    kind = UnavailableError if error.errno is None else _TREE.get(error.errno, UnavailableError)
    return kind(path, error.strerror or str(error))


def base_error(error: OSError) -> StoreError:
    """The same for the store's base: one that is not there is a store that cannot be reached."""
    kind = store_error(error, "")
    return kind if isinstance(kind, DeniedError) else UnavailableError("", kind.detail)


@contextmanager
def translated(path: str, missing: type[StoreError] = NotFoundError) -> Iterator[None]:
    """Whatever the system says inside comes out as a store error about `path`.

    `missing` is what "no such file" becomes. For a writer that is `UnavailableError`: what it had
    just made is gone, and the next attempt makes it again.
    """
    try:
        yield
    except OSError as error:
        if is_missing(error):
            raise missing(path, error.strerror or str(error)) from error
        raise store_error(error, path) from error


def is_missing(error: OSError) -> bool:
    """True when there is no such file: nothing stands there, or something that is not ours."""
    return error.errno in _NOT_FOUND


def is_unsupported(error: OSError) -> bool:
    """True when the file system does not know an operation, so that another way may work."""
    return error.errno in _UNSUPPORTED


_UNSUPPORTED = {
    errno.EINVAL,
    errno.ENOSYS,
    errno.ENOTTY,
    errno.EOPNOTSUPP,
    errno.ENOTSUP,
    errno.EPERM,
    errno.EXDEV,
    errno.EBADF,
    errno.ETXTBSY,
    errno.EMLINK,
}
