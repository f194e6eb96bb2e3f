"""A folder's state for one test, and events to put into it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from firnline.state.folder_state import FolderState


@pytest.fixture
def state(tmp_path: Path) -> Iterator[FolderState]:
    opened = FolderState(tmp_path / "folder.db")
    yield opened
    opened.close()
