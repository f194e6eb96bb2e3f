"""What the one that runs says of itself."""

import pytest

from firnline.core.connection_state import ConnectionState
from firnline.engine.running import NOTHING, FolderNow, Now, Work, ask_running, parse_now

NOW = Now(
    {"folder one": FolderNow(Work.SCANNING, 3), "folder two": FolderNow(trouble="no room")},
    {"store": ConnectionState.CONNECTING},
)


@pytest.mark.parametrize("now", [NOTHING, NOW])
def test_what_is_said_is_what_is_understood(now):
    """Both sides speak of the same."""
    assert parse_now(now.to_text()) == now


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "3",
        "{}",
        '{"folders": {}}',
        '{"folders": [], "stores": {}}',
        '{"folders": {"a": ["dancing", 1, ""]}, "stores": {}}',
        '{"folders": {"a": ["syncing"]}, "stores": {}}',
        '{"folders": {"a": ["syncing", null, ""]}, "stores": {}}',
        '{"folders": {}, "stores": {"a": "asleep"}}',
        "[" * 100_000,
    ],
)
def test_what_is_not_understood_is_nothing(text):
    """Whatever comes over the socket, `status` tells what it can see by itself."""
    assert parse_now(text) is None


def test_where_nobody_runs(tmp_path):
    """Nothing is waited for, and nothing is made."""
    assert ask_running(tmp_path / "control") is None
    assert list(tmp_path.iterdir()) == []
