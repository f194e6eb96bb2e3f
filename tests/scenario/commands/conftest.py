"""Two devices and a store for the tests of the command line."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.log_watch import complaints, loud_lines
from tests.scenario.commands.device import Device


@pytest.fixture(autouse=True)
def _quiet_log_files(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[None]:
    """As for all tests, but what other processes said: a warning in a log file fails the test,
    unless `mark.logs` expects it."""
    yield
    files = sorted(tmp_path.glob("**/firnline.log*"))
    said = [line for file in files for line in loud_lines(file.read_text())]
    expected = [pattern for mark in request.node.iter_markers("logs") for pattern in mark.args]
    found = complaints(said, expected)
    if found:
        pytest.fail("\n".join(found), pytrace=False)


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
