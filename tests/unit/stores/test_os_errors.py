"""The system's errors as store errors."""

import errno

import pytest

from firnline.stores.errors import (
    AlreadyExistsError,
    BadStorePathError,
    DeniedError,
    FullError,
    NotFoundError,
    UnavailableError,
)
from firnline.stores.os_errors import base_error, store_error, translated

CASES = [
    ("ENOENT", NotFoundError),
    ("ENOTDIR", NotFoundError),
    ("ELOOP", NotFoundError),
    ("EEXIST", AlreadyExistsError),
    ("EACCES", DeniedError),
    ("EPERM", DeniedError),
    ("EROFS", DeniedError),
    ("EISDIR", DeniedError),
    ("ENOSPC", FullError),
    ("EDQUOT", FullError),
    ("EFBIG", FullError),
    ("EIO", UnavailableError),
    ("ESTALE", UnavailableError),
    ("ENODEV", UnavailableError),
    ("ENOTCONN", UnavailableError),
    ("ETIMEDOUT", UnavailableError),
    ("EHOSTDOWN", UnavailableError),
    ("EMFILE", UnavailableError),
    ("ENAMETOOLONG", BadStorePathError),
]


@pytest.mark.parametrize(("name", "kind"), CASES, ids=[name for name, _ in CASES])
def test_tree(name, kind):
    """Each error of the system is one of the tree, with path and reason."""
    number = getattr(errno, name)
    found = store_error(OSError(number, "what the system says"), "d/a")
    assert type(found) is kind
    assert (found.path, found.detail) == ("d/a", "what the system says")


def test_an_error_without_number():
    """An error that nobody foresaw is worth another attempt."""
    assert type(store_error(OSError("odd"), "a")) is UnavailableError


@pytest.mark.parametrize(("name", "kind"), CASES, ids=[name for name, _ in CASES])
def test_base(name, kind):
    """A base that cannot be opened is a store out of reach, or forbidden; never a missing file."""
    found = base_error(OSError(getattr(errno, name), "reason"))
    assert type(found) is (DeniedError if kind is DeniedError else UnavailableError)
    assert found.path == ""


def test_translated():
    """Inside, errors of the system become store errors; others, and store errors, stay."""
    with pytest.raises(NotFoundError), translated("a"):
        raise FileNotFoundError(errno.ENOENT, "gone")
    with pytest.raises(UnavailableError), translated("a", missing=UnavailableError):
        raise FileNotFoundError(errno.ENOENT, "gone")
    with pytest.raises(FullError), translated("a", missing=UnavailableError):
        raise FullError("b", "inner")
    with pytest.raises(KeyError), translated("a"):
        raise KeyError
