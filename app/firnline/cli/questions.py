"""`firnline questions` and `firnline answer`."""

from argparse import Namespace

from firnline.cli import output
from firnline.cli.opening import open_engine
from firnline.cli.sync import exit_code, tell_outcome, tell_stores
from firnline.engine.questions import answer_question, waiting_questions
from firnline.engine.waiting import Waiting


def questions(arguments: Namespace) -> int:
    """What waits for the user."""
    with open_engine(arguments, lock=False) as engine:
        found = waiting_questions(engine)
    if arguments.json:
        output.document([waiting.to_json() for waiting in found])
        return 0
    for waiting in found:
        _show(waiting)
    if not found:
        output.message("Nothing waits for your decision.")
    return 0


def answer(arguments: Namespace) -> int:
    """Decide one question. What the passes could not finish for it is told as `sync` tells it."""
    with open_engine(arguments, lock=True) as engine:
        outcomes = answer_question(engine, arguments.id, arguments.choice)
    output.line(f"{output.shown(arguments.id)}: {output.shown(arguments.choice)}")
    for outcome in outcomes:
        tell_outcome(outcome)
    tell_stores(outcomes)
    return exit_code(outcomes)


def _show(waiting: Waiting) -> None:
    folder = "" if waiting.folder is None else f"{output.shown(waiting.folder)}: "
    output.line(f"{waiting.id}  {folder}{output.shown(waiting.text)}")
    for choice, effect in waiting.choices.items():
        output.line(f"    firnline answer {waiting.id} {choice}  ({effect})")
