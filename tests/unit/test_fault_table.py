"""docs/faults.md names tests that exist."""

import re
from pathlib import Path

import tests

TESTS = Path(tests.__file__).parent
PAGE = TESTS.parent / "docs" / "faults.md"


def test_each_named_test_exists() -> None:
    """A test that is renamed or removed takes its row along."""
    named = re.findall(r"`([a-z0-9_/]+\.py)::(test_\w+)`", PAGE.read_text())
    assert len(named) > 40
    missing = [
        f"{file}::{name}"
        for file, name in named
        if f"def {name}(" not in (TESTS / file).read_text()
    ]
    assert missing == []
