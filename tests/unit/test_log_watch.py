"""The watch over the log that fails tests."""

import logging
from pathlib import Path

import pytest
from tests.log_watch import LogWatch, complaints, loud_lines

from firnline.config.logs import logging_to
from firnline.config.settings import load

LOGGER = logging.getLogger("firnline.test")


@pytest.mark.logs("a warning", "an error")
def test_warnings_and_errors_are_heard(tmp_path: Path) -> None:
    """On the root logger and in a log file alike; what is quieter is not."""
    watch = LogWatch()
    logging.getLogger().addHandler(watch)
    with logging_to(tmp_path, load(tmp_path / "config.toml")):
        LOGGER.info("fine")
        LOGGER.warning("a %s", "warning")
        LOGGER.error("an error")
    logging.getLogger().removeHandler(watch)
    assert watch.said == ["a warning", "an error"]
    assert loud_lines((tmp_path / "firnline.log").read_text()) == watch.said


@pytest.mark.parametrize(
    ("said", "expected", "count"),
    [
        ([], [], 0),
        (["store nas: away"], [], 1),
        (["store nas: away"], ["store nas: .*"], 0),
        (["store nas: away"], ["store"], 2),
        ([], ["store nas: .*"], 1),
        (["a\nb", "c"], ["a.b", "c"], 0),
    ],
)
def test_what_was_said_is_what_was_expected(
    said: list[str], expected: list[str], count: int
) -> None:
    """Each message is expected as a whole, and each expectation is met."""
    assert len(complaints(said, expected)) == count
