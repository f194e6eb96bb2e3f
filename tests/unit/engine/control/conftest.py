"""Where the control socket of a test is."""

from pathlib import Path

import pytest


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Deeper than the address of a socket may be long."""
    return tmp_path / ("deep" * 20) / "control"
