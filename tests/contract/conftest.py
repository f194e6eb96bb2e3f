"""The store under test, of every kind in turn."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest
from tests.contract.subjects import SERVED, SUBJECTS, Connect

from firnline.stores.base import Store

Make = Callable[[Path], Connect]
CONNECTION = "0123456789abcdef"


@pytest.fixture(params=list(SUBJECTS))
def make_local(request: pytest.FixtureRequest) -> Make:
    """Makes an empty store of one kind that needs no server."""
    return SUBJECTS[request.param]


@pytest.fixture(params=list(SERVED))
def make_served(request: pytest.FixtureRequest) -> Make:
    """Makes an empty store on one of the servers."""
    fixture, make = SERVED[request.param]
    return partial(make, request.getfixturevalue(fixture))


@pytest.fixture(params=[*SUBJECTS, *SERVED])
def make_subject(request: pytest.FixtureRequest) -> Make:
    """Makes an empty store of one kind."""
    if request.param in SUBJECTS:
        return SUBJECTS[request.param]
    fixture, make = SERVED[request.param]
    return partial(make, request.getfixturevalue(fixture))


@pytest.fixture
def connect(make_subject: Make, tmp_path: Path) -> Iterator[Connect]:
    """Opens connections to one empty store; they are closed at the end."""
    connecting = make_subject(tmp_path)
    with ExitStack() as stack:

        def connect(connection: str) -> Store:
            store = connecting(connection)
            stack.callback(store.close)
            return store

        yield connect


@pytest.fixture
def store(connect: Connect) -> Store:
    """A connection to an empty store."""
    return connect(CONNECTION)
