"""`FOLDER:path` and times, as typed."""

import pytest

from firnline.cli.targets import Target, moment, parse_target, within
from firnline.engine.errors import UsageError
from firnline.history.moments import PRESENT


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("docs", Target("docs", "")),
        ("docs:", Target("docs", "")),
        ("docs:a/b.txt", Target("docs", "a/b.txt")),
        ("docs:/a/b/", Target("docs", "a/b")),
        ("docs:a:b", Target("docs", "a:b")),
        ("docs:u\u0308", Target("docs", "ü")),
    ],
)
def test_targets(text: str, target: Target) -> None:
    """Folder and path are told apart at the first colon; the path is brought into its form."""
    assert parse_target(text) == target


@pytest.mark.parametrize("text", ["", ":a", "docs:..", "docs:a//b", "docs:.firnline/x", "docs:\0"])
def test_impossible_targets_are_wrong_usage(text: str) -> None:
    """No folder, or a path that none can be."""
    with pytest.raises(UsageError):
        parse_target(text)


def test_root_is_no_file() -> None:
    """Commands about one path refuse the whole folder."""
    assert within(Target("docs", "a")) == Target("docs", "a")
    with pytest.raises(UsageError):
        within(Target("docs", ""))


def test_moments() -> None:
    """What is not given is None; what is no time is wrong usage."""
    assert moment(None) is None
    assert moment("now") == PRESENT
    assert moment("2026-11-22T08:26:00Z") == "20261122082600000000"
    with pytest.raises(UsageError):
        moment("yesterday")
