"""`firnline sync`."""

import signal
import threading
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from firnline.cli import output
from firnline.cli.opening import open_engine
from firnline.cli.progress import bars_for_terminal
from firnline.engine.sync_command import Deadline, FolderOutcome, sync_folders
from firnline.engine.system import SystemClock

DONE, FAILED, WAITS = 0, 1, 3
"""The exit codes that a pass may have."""
NO_FOLDERS = "There are no folders here yet: `firnline folder create PATH` makes one."


def sync(arguments: Namespace) -> int:
    """One pass; a line for each thing that is left to do, and the exit code says that there is."""
    clock = SystemClock()
    deadline = Deadline(clock, arguments.timeout)
    bars = bars_for_terminal(clock)
    with (
        open_engine(arguments, lock=True, progress=bars, cancelled=deadline) as engine,
        stopping_softly(deadline),
    ):
        outcomes = []
        for outcome in sync_folders(engine, arguments.folders, yes=arguments.yes):
            if bars is not None:
                bars.clear()
            tell_outcome(outcome)
            outcomes.append(outcome)
        if not outcomes:
            output.message(NO_FOLDERS)
    tell_stores(outcomes)
    return exit_code(outcomes)


def exit_code(outcomes: list[FolderOutcome]) -> int:
    """3 where something waits for the user's decision, whatever else is left: the other causes may
    be gone at the next pass, this one is not. Else 1 when something is left to do, else 0."""
    if any(outcome.waits for outcome in outcomes):
        return WAITS
    return DONE if all(outcome.complete for outcome in outcomes) else FAILED


@contextmanager
def stopping_softly(deadline: Deadline) -> Iterator[None]:
    """Ctrl-C and SIGTERM end the pass at a safe place; a second one ends it at once.

    Not where the command is carried out for somebody else: the signals are not meant for it then.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        if deadline.asked:
            raise KeyboardInterrupt
        deadline.asked = True
        output.message("Stopping at a safe place; once more stops at once.")

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def tell_outcome(outcome: FolderOutcome) -> None:
    """One line of what was done, and one for each thing that was not."""
    name = output.shown(outcome.name)
    if outcome.paused:
        output.message(f"{name}: paused (`firnline folder resume` goes on).")
        return
    output.line(f"{name}: {_summary(outcome)}")
    if not outcome.complete:
        tell_what_is_left(outcome)


def tell_what_is_left(outcome: FolderOutcome) -> None:
    """A line for each cause why a pass left something undone in a folder."""
    for line in what_is_left(outcome):
        output.message(line)


def what_is_left(outcome: FolderOutcome) -> Iterator[str]:
    """Why a pass left something undone in a folder, a line for each cause."""
    from firnline.engine.causes import causes
    from firnline.engine.problems import explain, explain_problem

    for first, more in causes(outcome.problems):
        line = output.shown(explain_problem(first, outcome.name).line)
        rest = f" ({more:,} more for this reason: `firnline status` lists them.)" if more else ""
        yield line + rest
    for question in outcome.report.questions:
        from firnline.engine.question_words import question_line

        yield output.shown(question_line(question, outcome.name))
    if outcome.error is not None:
        found = explain(outcome.error, f"folder {outcome.name}")
        yield output.shown(found.line)


def what_was_done(outcome: FolderOutcome) -> list[str]:
    """In a few words each; nothing for a pass that found nothing to do."""
    report = outcome.report
    done = []
    if report.written:
        done.append(f"{output.count_text(report.written, 'event')} written")
    if report.applied:
        done.append(f"{output.count_text(report.applied, 'change')} brought here")
    if report.copied:
        done.append(f"{output.count_text(report.copied, 'event')} copied between stores")
    return done


def _summary(outcome: FolderOutcome) -> str:
    done = what_was_done(outcome)
    if outcome.error is not None:
        return ", ".join([*done, "not finished"])
    if not done:
        return "up to date" if outcome.complete else "nothing new"
    return ", ".join(done) + ("; up to date" if outcome.complete else "")


def tell_stores(outcomes: list[FolderOutcome]) -> None:
    """Each store that could not be reached, once, however many folders wanted it."""
    causes = {each.name: each.why for outcome in outcomes for each in outcome.unreached}
    if not causes:
        return
    for name, why in causes.items():
        output.message(out_of_reach(name, why))


def out_of_reach(name: str, why: Exception) -> str:
    """The line for a store that could not be used."""
    from firnline.engine.problems import explain

    return output.shown(explain(why, f"store {name}").line)
