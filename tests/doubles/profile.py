"""A device for tests of the engine: a profile and directories of its own, opened as commands do."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from firnline.config.places import Places
from firnline.core.steps import Steps, no_steps
from firnline.engine.runtime import Engine
from firnline.engine.store_commands import StoreWish, add_store
from firnline.engine.surroundings import Surroundings
from firnline.engine.sync_command import FolderOutcome, sync_folders
from firnline.engine.system import SystemClock
from firnline.stores.base import Store
from firnline.stores.probe import Report
from firnline.sync.context import Progress


class Profile:
    """One device. Every call opens the profile anew, as a fresh process would."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.places = Places.of_profile(base / "profile")
        self.folder = base / "Documents"
        self.folder.mkdir(parents=True)

    @contextmanager
    def engine(
        self,
        *,
        lock: bool = True,
        steps: Steps = no_steps,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Iterator[Engine]:
        outside = Surroundings(SystemClock(), os.urandom, steps, Progress(), cancelled)
        with Engine.open(self.places, outside, lock=lock) as engine:
            yield engine

    def write(self, path: str, text: str) -> None:
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def read(self, path: str) -> str:
        return (self.folder / path).read_text()

    def add_store(self, name: str, place: Path, wish: StoreWish | None = None) -> None:
        """Without trying it at length, as `firnline store add` does."""
        with self.engine() as engine, patch("firnline.engine.store_commands.probe", believed):
            add_store(engine, name, str(place), wish or StoreWish())

    def sync(self, *names: str) -> list[FolderOutcome]:
        with self.engine() as engine:
            return list(sync_folders(engine, names))


def believed(store: Store, *_: object) -> Report:
    """A store that can do what it says."""
    return Report((), store.capabilities, usable=True)
