"""Two devices and a store for the tests of the command line."""

from pathlib import Path

import pytest
from tests.scenario.commands.device import Device


@pytest.fixture
def nas(tmp_path: Path) -> Path:
    return tmp_path / "nas"


@pytest.fixture
def anna(tmp_path: Path, nas: Path) -> Device:
    """A device with the folder `docs` in the store `nas`, not synced yet."""
    device = Device(tmp_path / "anna")
    device.run("config", "set", "device.name", "anna")
    device.run("store", "add", "nas", str(nas))
    device.run("folder", "create", "docs")
    return device


@pytest.fixture
def bert(tmp_path: Path, nas: Path, anna: Device) -> Device:
    """A second device that joined it."""
    device = Device(tmp_path / "bert")
    device.run("config", "set", "device.name", "bert")
    device.run("store", "add", "shared", str(nas))
    device.run("folder", "join", "docs", "docs")
    return device
