"""The store under test, of every kind in turn."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.contract.subjects import SUBJECTS, Connect

from firnline.stores.base import Store

CONNECTION = "0123456789abcdef"


@pytest.fixture(params=list(SUBJECTS))
def make_subject(request: pytest.FixtureRequest) -> Callable[[Path], Connect]:
    """Makes an empty store of one kind."""
    return SUBJECTS[request.param]


@pytest.fixture
def connect(make_subject: Callable[[Path], Connect], tmp_path: Path) -> Connect:
    """Opens connections to one empty store."""
    return make_subject(tmp_path)


@pytest.fixture
def store(connect: Connect) -> Iterator[Store]:
    """A connection to an empty store."""
    opened = connect(CONNECTION)
    yield opened
    opened.close()
