"""Any sequence of calls leaves what the same calls on a dictionary leave."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.contract.subjects import Connect

from firnline.stores.base import Store
from firnline.stores.errors import AlreadyExistsError, NotFoundError

PATHS = st.sampled_from(["a", "b", "d/a", "d/b", "d/e/a", "f/a"])
BODIES = st.binary(max_size=20)
CALLS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), PATHS, BODIES),
        st.tuples(st.just("create"), PATHS, BODIES),
        st.tuples(st.just("rename"), PATHS, PATHS),
        st.tuples(st.just("copy"), PATHS, PATHS),
        st.tuples(st.just("delete"), PATHS),
        st.tuples(st.just("put_many"), st.lists(st.tuples(PATHS, BODIES), max_size=20)),
    ),
    max_size=8,
)


def on_model(model: dict[str, bytes], call: tuple[Any, ...]) -> type[Exception] | None:
    """Carry out a call on a dictionary; the error that a store has to raise."""
    match call:
        case ("write", path, body):
            model[path] = body
        case ("create", path, body):
            if path in model:
                return AlreadyExistsError
            model[path] = body
        case ("rename", source, target):
            if source not in model:
                return NotFoundError
            model[target] = model.pop(source)
        case ("copy", source, target):
            if source not in model:
                return NotFoundError
            model[target] = model[source]
        case ("delete", path):
            model.pop(path, None)
        case ("put_many", files):
            model.update(files)
    return None


def on_store(store: Store, call: tuple[Any, ...]) -> None:
    if call[0] == "write":
        with store.upload() as upload:
            upload.write(call[2])
            upload.commit(call[1])
    else:
        getattr(store, call[0])(*call[1:])


def contents(store: Store, directory: str = "") -> dict[str, bytes]:
    """All files, without the connections' own."""
    found: dict[str, bytes] = {}
    for entry in list(store.list(directory, sizes=True)):
        path = f"{directory}/{entry.name}".removeprefix("/")
        if path == "connections":
            continue
        if entry.is_directory:
            found.update(contents(store, path))
        else:
            found[path] = store.read_small(path, 100)
            assert entry.size == len(found[path])
    return found


def check_like_a_dictionary(make: Callable[[Path], Connect], calls: list[tuple[Any, ...]]) -> None:
    with tempfile.TemporaryDirectory() as place:
        store = make(Path(place))("0123456789abcdef")
        try:
            model: dict[str, bytes] = {}
            for call in calls:
                expected = on_model(model, call)
                if expected is None:
                    on_store(store, call)
                else:
                    with pytest.raises(expected):
                        on_store(store, call)
                assert contents(store) == model
        finally:
            store.close()


@settings(
    max_examples=max(20, settings().max_examples // 5),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(calls=CALLS)
def test_like_a_dictionary(make_local: Callable[[Path], Connect], calls):
    """After any calls, a store holds what a dictionary holds, and has raised what it should."""
    check_like_a_dictionary(make_local, calls)


@settings(
    max_examples=max(5, settings().max_examples // 50),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(calls=CALLS)
def test_like_a_dictionary_on_servers(make_served: Callable[[Path], Connect], calls):
    """The same for stores on servers, where each call takes longer."""
    check_like_a_dictionary(make_served, calls)
