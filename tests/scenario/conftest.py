"""No power is cut in scenarios, so nothing waits for a disk: a fifth of the time remains."""

import os

import pytest

from firnline.folder.handles import Handles
from firnline.stores import durability


@pytest.fixture(autouse=True)
def _no_waiting_for_disks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    monkeypatch.setattr(os, "fdatasync", lambda descriptor: None, raising=False)
    monkeypatch.setattr(durability, "sync_filesystem", lambda descriptor: True)
    monkeypatch.setattr(Handles, "sync_all", lambda access: True)
