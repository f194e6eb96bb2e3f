"""What the tests of the folder share."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.doubles.still_clock import StillClock
from tests.unit.folder.scanning import Scanner
from tests.unit.folder.steps_double import StepsDouble

from firnline.folder import marker
from firnline.folder.filesystem import Root

FOLDER_ID = "0123456789abcdef"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A directory with its marker."""
    path = tmp_path / "folder"
    path.mkdir()
    with Root(str(path)) as root:
        marker.create(root, FOLDER_ID)
    return path


@pytest.fixture
def steps() -> StepsDouble:
    return StepsDouble()


@pytest.fixture
def root(folder: Path, steps: StepsDouble) -> Iterator[Root]:
    with Root(str(folder), steps=steps) as found:
        yield found


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def scanner(root: Root, clock: StillClock) -> Scanner:
    return Scanner(root, clock)
