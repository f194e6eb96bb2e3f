"""What devices are called, with and without a store in reach."""

from pathlib import Path

import pytest
from tests.doubles.profile import Profile

from firnline.engine import device_names


def test_names_are_remembered_without_a_store(anna: Profile, nas: Path) -> None:
    """A name that a store told once is known when no store is in reach."""
    anna.add_store("nas", nas)
    with anna.engine() as engine:
        device = engine.peer.device
        names = device_names.refresh(anna.places.state, [engine.connected("nas")])
        assert names == {device: engine.settings.device_name}
    assert device_names.remembered(anna.places.state) == names


@pytest.mark.parametrize("content", [b"", b"[]", b'{"a": 1}', b"\xff", b"[" * 10_000])
def test_damaged_cache_counts_as_nothing(tmp_path: Path, content: bytes) -> None:
    """The cache can always be read again from the stores."""
    (tmp_path / device_names.FILE).write_bytes(content)
    assert device_names.remembered(tmp_path) == {}
