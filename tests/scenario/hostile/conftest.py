"""A victim, and the count of what was tried on it."""

from collections import Counter
from pathlib import Path

import pytest
from tests.scenario.hostile.victim import Victim


@pytest.fixture
def victim(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Victim:
    """A device in step with its store. Where commands run is watched as well."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return Victim(tmp_path, capsys)


@pytest.fixture
def tried(tally: Counter[str]) -> Counter[str]:
    """Counts `hostile inputs` for the summary."""
    return tally
