"""One notice for one cause: a full disk is told once, and not for each file that found no room.

`status` has a line for each path; this is for what a command says at its end.
"""

from collections.abc import Iterable
from typing import NamedTuple

from firnline.sync.context import Problem


class Cause(NamedTuple):
    """What several problems have in common."""

    first: Problem
    """The one that stands for all."""
    more: int
    """How many others there are."""


def causes(problems: Iterable[Problem]) -> list[Cause]:
    """The problems, those of one kind, store and reason together; in the order of the first."""
    found: dict[tuple[str, str, str], list[Problem]] = {}
    for problem in problems:
        found.setdefault((problem.kind, problem.store, _reason(problem)), []).append(problem)
    return [Cause(group[0], len(group) - 1) for group in found.values()]


def _reason(problem: Problem) -> str:
    """Messages begin with the path or the event that they are about."""
    return problem.message.rpartition(": ")[2]
