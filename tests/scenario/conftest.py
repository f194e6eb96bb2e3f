"""No power is cut in scenarios, so nothing waits for a disk: a fifth of the time remains."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.scenario.stories import MOST_IN_A_BATCH

from firnline.folder.handles import Handles
from firnline.stores import durability
from firnline.sync import differences, publisher


@pytest.fixture(autouse=True)
def _no_waiting_for_disks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    monkeypatch.setattr(os, "fdatasync", lambda descriptor: None, raising=False)
    monkeypatch.setattr(durability, "sync_filesystem", lambda descriptor: True)
    monkeypatch.setattr(Handles, "sync_all", lambda access: True)


@pytest.fixture
def memory_disk(tmp_path: Path) -> Iterator[Path]:
    """A directory in memory where there is one: worlds are copied and removed a thousand times."""
    if not os.access("/dev/shm", os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(prefix="firnline-", dir="/dev/shm") as place:
        yield Path(place)


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of some hundred bytes are large ones, and a few small ones fill a batch."""
    for module in (publisher, differences):
        monkeypatch.setattr(module, "MAX_BODIES", MOST_IN_A_BATCH)
