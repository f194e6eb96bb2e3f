"""What asyncssh raises, as store errors: the edge of the SFTP store."""

from collections.abc import Iterator
from contextlib import contextmanager

import asyncssh

from firnline.stores.errors import (
    AlreadyExistsError,
    CredentialsError,
    DeniedError,
    FullError,
    NotFoundError,
    StoreError,
    UnavailableError,
)

_TREE: tuple[tuple[tuple[type[BaseException], ...], type[StoreError]], ...] = (
    (
        (
            asyncssh.SFTPNoSuchFile,
            asyncssh.SFTPNoSuchPath,
            asyncssh.SFTPNotADirectory,
            asyncssh.SFTPLinkLoop,
        ),
        NotFoundError,
    ),
    ((asyncssh.SFTPConnectionLost, asyncssh.SFTPNoConnection), UnavailableError),
    ((asyncssh.SFTPFileAlreadyExists,), AlreadyExistsError),
    ((asyncssh.SFTPNoSpaceOnFilesystem, asyncssh.SFTPQuotaExceeded), FullError),
    ((asyncssh.SFTPError,), DeniedError),
    ((asyncssh.PermissionDenied,), CredentialsError),
    ((asyncssh.KeyExchangeFailed,), DeniedError),
    ((asyncssh.KeyImportError, asyncssh.KeyEncryptionError), CredentialsError),
)
_FULL_WORDS = ("no space", "quota", "disk full", "not enough space")


def store_error(error: Exception, path: str) -> StoreError:
    """The error of the tree that `error` is for `path`; what nobody foresaw is worth a retry."""
    detail = _reason(error)
    if isinstance(error, asyncssh.SFTPFailure) and any(w in detail.lower() for w in _FULL_WORDS):
        return FullError(path, detail)
    for kinds, ours in _TREE:
        if isinstance(error, kinds):
            return ours(path, detail)
    return UnavailableError(path, detail)


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(getattr(error, "reason", "")) or str(error) or type(error).__name__


@contextmanager
def translated(path: str, missing: type[StoreError] = NotFoundError) -> Iterator[None]:
    """Whatever asyncssh and the network say inside comes out as a store error about `path`;
    `missing` is what "no such file" becomes."""
    try:
        yield
    except (asyncssh.Error, OSError, EOFError, ValueError) as error:
        found = store_error(error, path)
        if isinstance(found, NotFoundError):
            found = missing(path, found.detail)
        raise found from error
