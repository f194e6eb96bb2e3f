"""What the tests of history share."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.history.log_builder import LogBuilder


@pytest.fixture
def log(tmp_path: Path) -> Iterator[LogBuilder]:
    """An empty folder."""
    builder = LogBuilder(tmp_path)
    yield builder
    builder.close()
