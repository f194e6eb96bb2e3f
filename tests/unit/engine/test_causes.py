"""One notice for one cause."""

from firnline.engine.causes import Cause, causes
from firnline.sync.context import Problem


def test_one_notice_for_each_cause() -> None:
    """Same kind, store and reason are one cause, whatever the path; all else is another one."""
    locked = [Problem(path, "unreadable", f"{path}: Permission denied") for path in "abc"]
    broken = Problem("d", "unreadable", "d: Input/output error")
    full = [Problem("", "store full", "no space left", store) for store in ("nas", "usb")]
    found = causes([locked[0], broken, *full, *locked[1:]])
    assert found == [Cause(locked[0], 2), Cause(broken, 0), Cause(full[0], 0), Cause(full[1], 0)]


def test_nothing_is_wrong() -> None:
    """Then nothing is said."""
    assert causes([]) == []
