"""What a pass did, and what is left: told to the caller, and kept for `status`.

A quick pass looks at a part, so what earlier passes found elsewhere still holds.
"""

import json
from collections.abc import Callable, Iterable, Iterator

from firnline.folder.ignore import IGNORE_FILE
from firnline.state.folder_state import FolderState
from firnline.state.journal import EventState
from firnline.state.questions import Question
from firnline.stores.errors import CredentialsError, DeniedError
from firnline.sync.context import FolderContext, Problem

FULL = "store full"
"""The kind of problem that is kept until the next whole pass, which tries it first."""
CLOCK = "clock"
HOME_STORE = "home store"
NO_SOURCE = "no source"
_REFUSES = "store refuses"


class PassReport:
    """What a pass did. `complete` is False when something is left to do."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        """Those of earlier passes included, where a quick pass did not look again."""
        self.notices: list[Problem] = []
        """What is good to know, and leaves nothing undone."""
        self.written = 0
        """Events of this device."""
        self.applied = 0
        """Paths brought in line with the log."""
        self.copied = 0
        """Event files brought from store to store."""
        self.questions: list[Question] = []
        """What waits for the user's decision."""
        self.complete = True


def keep_earlier(
    report: PassReport,
    earlier: Iterable[Problem],
    looked_at: Callable[[Problem], bool],
    asked_again: Iterable[str],
) -> None:
    """Add what earlier passes told and this one did not look at: it is so still.

    `asked_again`: kinds of problems without a path that this pass would have told as well.
    """
    again = {*_LEFT_ALONE.values(), FULL, _REFUSES, *asked_again}
    told = {*report.problems, *report.notices}
    for problem in earlier:
        if problem.path == "":
            holds = problem.kind not in again
        else:
            holds = problem.path != IGNORE_FILE and not looked_at(problem)
        if holds and problem not in told:
            (report.notices if problem.is_notice else report.problems).append(problem)


def finish(context: FolderContext, report: PassReport) -> None:
    """What is left: refused and pending events, unreached stores. Kept for `status`."""
    state = context.state
    report.problems += _left_alone(context)
    for name, error in context.full.items():
        report.problems.append(Problem("", FULL, error.detail, name))
    report.problems += context.copying or []
    report.notices += [each for each in context.set_aside if each not in report.notices]
    report.questions = state.questions.open()
    if report.questions or context.unreached or context.full:
        report.complete = False
    if state.dirty.any() or state.intents.rescued():
        report.complete = False
    told = report.problems + report.notices + _refusals(context)
    text = json.dumps([list(problem) for problem in map(_fields, told)])
    if state.fact("problems") != text and not (text == "[]" and state.fact("problems") is None):
        with state.transaction("problems"):
            state.set_fact("problems", text)


def _left_alone(context: FolderContext) -> Iterator[Problem]:
    """Events that are refused or wait. Whoever can write into a store can make a million of them,
    so beyond the first ones they are only counted."""
    journal = context.state.journal
    for state, kind in _LEFT_ALONE.items():
        rows = journal.in_state(state, limit=_MOST_TOLD)
        for row in rows:
            yield Problem("", kind, f"{row.name}: {row.why}", _holder(context, row.id))
        more = journal.count_in(state) - len(rows)
        if more:
            yield Problem("", kind, f"{more} more events like these")


_LEFT_ALONE = {
    EventState.NAMED: "pending event",
    EventState.REFUSED: "refused event",
    EventState.BODILESS: "pending event",
}
_MOST_TOLD = 100


def _holder(context: FolderContext, event: int) -> str:
    """The name of a store that has the event; '' when none in reach has it."""
    lacks = context.state.stores.lacks
    having = (c.name for c in context.stores if not lacks(c.store_id, event))
    return next(having, "")


def _refusals(context: FolderContext) -> list[Problem]:
    """Stores that can be read and not written: at a look they seem well, so `status` is told. Where
    the login failed, a look says so by itself, and no more once it is mended."""
    return [
        Problem("", _REFUSES, unreached.why.detail, unreached.name)
        for unreached in context.unreached
        if isinstance(unreached.why, DeniedError)
        and not isinstance(unreached.why, CredentialsError)
    ]


def _fields(problem: Problem) -> tuple[str, str, str, str]:
    return (problem.path, problem.kind, problem.message, problem.store)


def last_problems(context_state: FolderState) -> list[Problem]:
    """The problems of the last pass, and its notices."""
    text = context_state.fact("problems")
    return [] if text is None else [Problem(*fields) for fields in json.loads(text)]
