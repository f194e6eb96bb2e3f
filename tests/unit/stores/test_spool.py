"""Where bodies wait until they are committed."""

import os
from pathlib import Path

from firnline.stores.spool import SMALL, place, spool


def test_place(tmp_path: Path):
    """On a disk where there is such a place, unless the user says another."""
    assert place({}, str(tmp_path)) == str(tmp_path)
    assert place({"TMPDIR": "/elsewhere"}, str(tmp_path)) is None
    assert place({}, str(tmp_path / "missing")) is None


def test_nothing_is_left(tmp_path: Path, monkeypatch):
    """Small or large, it is read as it was written, and no name is ever there for it."""
    monkeypatch.setattr("firnline.stores.spool.place", lambda: str(tmp_path))
    body = os.urandom(SMALL + 1)
    for size in (1, SMALL + 1):
        with spool() as file:
            file.write(body[:size])
            assert list(tmp_path.iterdir()) == []
            file.seek(0)
            assert file.read() == body[:size]
        assert list(tmp_path.iterdir()) == []
