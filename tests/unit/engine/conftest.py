"""What the tests of the engine share."""

from pathlib import Path

import pytest
from tests.doubles.profile import Profile


@pytest.fixture
def anna(tmp_path: Path) -> Profile:
    """A device without stores or folders."""
    return Profile(tmp_path / "anna")


@pytest.fixture
def bert(tmp_path: Path) -> Profile:
    """Another one."""
    return Profile(tmp_path / "bert")


@pytest.fixture
def nas(tmp_path: Path) -> Path:
    """Where a store can be made."""
    return tmp_path / "nas"
