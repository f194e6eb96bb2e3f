"""Which paths a store is asked for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firnline.stores.errors import BadStorePathError
from firnline.stores.store_path import check_store_directory, check_store_path


@given(st.text())
def test_what_is_allowed_stays_inside(path):
    """An allowed path has only parts that name something below the base, on every system."""
    try:
        check_store_path(path)
    except BadStorePathError:
        return
    for part in path.split("/"):
        assert part not in ("", ".", "..")
        assert part[-1] not in ". "
        assert not set(part) & set('\\:*?"<>|\0')
        assert 1 <= len(part.encode()) <= 255


def test_the_base_is_a_directory_only():
    """The empty path names the base, which can be listed but is no file."""
    assert check_store_directory("") == ""
    with pytest.raises(BadStorePathError):
        check_store_path("")


@pytest.mark.parametrize("path", ["...a", ".hidden", "a b", "-rf", "%2e%2e", "$(x)", "é" * 127])
def test_odd_but_harmless(path):
    """Names that only look dangerous are names."""
    assert check_store_path(path) == path


def test_the_error_can_be_shown():
    """What is told of a refused path can be written to any terminal or file."""
    with pytest.raises(BadStorePathError) as caught:
        check_store_path("a\ud800\n")
    str(caught.value).encode("ascii")
