"""The examples of the store format that any two programs must agree on (vectors.json)."""

import json
from pathlib import Path
from typing import Any

import pytest

VECTORS: dict[str, Any] = json.loads(
    Path(__file__).with_name("vectors.json").read_text(encoding="utf-8")
)


def vectors(section: str) -> pytest.MarkDecorator:
    """Runs a test once for each example of a section, as its argument `vector`."""
    cases = [pytest.param(vector, id=vector["what"]) for vector in VECTORS[section]]
    return pytest.mark.parametrize("vector", cases)
