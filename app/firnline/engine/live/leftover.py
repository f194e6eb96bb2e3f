"""What a job left undone and may succeed later, though nothing tells when.

A file that another program holds, a disk that was full. What waits for the user, for a store or for
another device is not tried again for its own sake: an answer or news begins the next job.
"""

from typing import NamedTuple

from firnline.engine.sync_command import FolderOutcome
from firnline.sync.context import CancelledError

_MAY_PASS = frozenset(
    {
        "unreadable",
        "incomplete scan",
        "no space",
        "not applied",
        "store full",
        "home store",
        "first reading",
    }
)
"""Kinds of problems that go away by themselves, or when somebody closes a program."""


class Leftover(NamedTuple):
    """What is tried again. Equal ones have the same cause."""

    why: str
    paths: frozenset[str] | None
    """None: everything is looked at again."""


def leftover_of(outcome: FolderOutcome, *, receives: bool = False) -> Leftover | None:
    """None when there is no use in trying again soon. `receives`: something is on its way that
    begins the next job when it is here."""
    error, report = outcome.error, outcome.report
    if isinstance(error, CancelledError):
        return None
    if error is not None:
        return Leftover(f"{type(error).__name__}: {error}", None)
    problems = [each for each in outcome.problems if each.kind in _MAY_PASS]
    if problems:
        whys = sorted({f"{each.kind} {each.store}" for each in problems})
        paths = frozenset(each.path for each in problems)
        return Leftover(", ".join(whys), None if "" in paths else paths)
    if receives or report.complete or outcome.unreached or report.questions:
        return None
    return Leftover("not finished", None)
