"""Nothing warns by accident: a record of WARNING or above that a test did not expect fails it.

A test that provokes some says so: `@pytest.mark.logs("store nas: .*", …)`, regular expressions
that match whole messages. Each of them has to be met at least once, and each message has to meet
one of them.
"""

import logging
import re
from collections.abc import Iterable, Sequence

LOUD = logging.WARNING


class LogWatch(logging.Handler):
    """Collects what is said too loud on the root logger."""

    def __init__(self) -> None:
        super().__init__(LOUD)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())


def loud_lines(text: str) -> list[str]:
    """The messages of WARNING and above in a log file's text."""
    line = re.compile(r"^\S+Z (?:WARNING|ERROR|CRITICAL) [\w.]+: (.*)$", re.MULTILINE)
    return line.findall(text)


def complaints(said: Iterable[str], expected: Sequence[str]) -> list[str]:
    """What was said and not expected, and what was expected and not said."""
    messages = list(said)
    unexpected = [m for m in messages if not any(re.fullmatch(e, m, re.DOTALL) for e in expected)]
    silent = [e for e in expected if not any(re.fullmatch(e, m, re.DOTALL) for m in messages)]
    return [f"unexpected in the log: {message}" for message in unexpected] + [
        f"never said: {pattern}" for pattern in silent
    ]
