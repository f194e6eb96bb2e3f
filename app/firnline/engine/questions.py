"""What waits for the user, in words, and what becomes of an answer.

Each source of questions is a function of the engine that yields what waits at present. A question
brings its choices, and `decide`, which carries a choice out; so a new kind needs

- a source in `_SOURCES`, here or in a module of its own, that makes a `Waiting` of what was
  *observed* (a question whose cause is gone is not yielded any more);
- a stable id: `state.questions.QuestionTable` keeps ids, times and answers in any database that has
  its tables;
- where a pass should exit with 3 because of it, its place in `FolderOutcome.waits`.
"""

from collections.abc import Callable, Iterator

from firnline.config.settings import FolderSettings
from firnline.engine.errors import UsageError
from firnline.engine.open_folder import state_file
from firnline.engine.question_words import KIND_WORDS
from firnline.engine.runtime import Engine
from firnline.engine.store_questions import store_questions
from firnline.engine.sync_command import FolderOutcome, sync_folders
from firnline.engine.trust_questions import trust_questions
from firnline.engine.waiting import Waiting
from firnline.history.moments import format_time_of
from firnline.state.folder_state import FolderState
from firnline.state.questions import Question


class NoSuchQuestionError(UsageError):
    """Nothing with that id waits for an answer (any more)."""

    def __init__(self, question_id: str) -> None:
        super().__init__(
            f"no question {question_id!r} waits for an answer; its cause may be gone, or it has"
            " become another one",
            "`firnline questions` shows what waits",
        )


class NoSuchChoiceError(UsageError):
    """A question that has other choices."""

    def __init__(self, question: Waiting, choice: str) -> None:
        super().__init__(
            f"{choice!r} is no answer to question {question.id}",
            f"answer {' or '.join(question.choices)}",
        )


def waiting_questions(engine: Engine) -> list[Waiting]:
    """All that waits for the user, the oldest first. Raises DatabaseError."""
    found = [waiting for source in _SOURCES for waiting in source(engine)]
    return sorted(found, key=lambda waiting: (waiting.since, waiting.id))


def answer_question(engine: Engine, question_id: str, choice: str) -> list[FolderOutcome]:
    """Take the user's answer, and carry it out as far as that can be done now.

    The answer is kept until it was carried out: a folder that is away or paused gets it later.
    Raises NoSuchQuestionError, NoSuchChoiceError, and DatabaseError.
    """
    for waiting in waiting_questions(engine):
        if waiting.id == question_id:
            if choice not in waiting.choices:
                raise NoSuchChoiceError(waiting, choice)
            return waiting.decide(choice)
    raise NoSuchQuestionError(question_id)


def _of_folders(engine: Engine) -> Iterator[Waiting]:
    """What the folders' own databases have."""
    for folder in engine.settings.folders:
        if not state_file(engine, folder.folder_id).exists():
            continue
        state = FolderState(state_file(engine, folder.folder_id), steps=engine.outside.steps)
        try:
            questions = state.questions.open()
        finally:
            state.close()
        for question in questions:
            yield _of_folder(engine, folder, question)


def _of_folder(engine: Engine, folder: FolderSettings, question: Question) -> Waiting:
    words = KIND_WORDS[question.kind]
    return Waiting(
        question.id,
        folder.name,
        question.kind,
        words.text(question.details),
        words.choices,
        format_time_of(question.since),
        question.details,
        lambda choice: _decide(engine, folder, question, choice),
    )


def _decide(
    engine: Engine, folder: FolderSettings, question: Question, choice: str
) -> list[FolderOutcome]:
    state = FolderState(state_file(engine, folder.folder_id), steps=engine.outside.steps)
    try:
        with state.transaction("answer"):
            state.questions.answer(question.id, choice)
    finally:
        state.close()
    return list(sync_folders(engine, [folder.folder_id]))


_SOURCES: tuple[Callable[[Engine], Iterator[Waiting]], ...] = (
    _of_folders,
    store_questions,
    trust_questions,
)
