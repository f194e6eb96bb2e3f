"""A directory, somebody who listens, and watchers that are closed whatever happens."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.unit.watch.listening import Listener, watching

from firnline.watch.watcher import Watcher

Watch = Callable[..., Watcher]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    place = tmp_path / "root"
    place.mkdir()
    return place


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture
def watch(root: Path, listener: Listener) -> Iterator[Watch]:
    """Starts a watcher of `root`."""
    made: list[Watcher] = []

    def begin(**options: Any) -> Watcher:
        watcher = watching(root, listener, **options)
        made.append(watcher)
        watcher.start()
        return watcher

    yield begin
    for watcher in made:
        watcher.close()
