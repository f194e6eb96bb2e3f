"""Questions of folders, and their answers, as the engine tells them."""

from pathlib import Path

import pytest
from tests.doubles.profile import Profile

from firnline.core.clock import DateTime
from firnline.engine.errors import UsageError
from firnline.engine.folder_commands import create_folder, pause_folder
from firnline.engine.open_folder import state_file
from firnline.engine.questions import answer_question, waiting_questions
from firnline.engine.status import FolderActivity, status
from firnline.state.folder_state import FolderState
from firnline.state.questions import Question
from firnline.sync.mass_deletion import HERE, MASS_DELETION

FILES = [f"{number:02}.txt" for number in range(20)]


@pytest.fixture
def docs(anna: Profile, nas: Path) -> Profile:
    """Anna's folder, all but five of whose files are gone since the last pass."""
    anna.add_store("nas", nas)
    for name in FILES:
        anna.write(name, name)
    with anna.engine() as engine:
        create_folder(engine, str(anna.folder), "docs", [])
    anna.sync()
    for name in FILES[5:]:
        (anna.folder / name).unlink()
    anna.sync()
    return anna


def question_id(profile: Profile) -> str:
    with profile.engine(lock=False) as engine:
        (waiting,) = waiting_questions(engine)
    return waiting.id


def test_question_as_programs_read_it(docs: Profile) -> None:
    """All fields of the contract."""
    with docs.engine(lock=False) as engine:
        (waiting,) = waiting_questions(engine)
    found = waiting.to_json()
    assert list(found) == ["id", "folder", "kind", "text", "choices", "since", "details"]
    assert (found["folder"], found["kind"]) == ("docs", "mass deletion")
    assert found["choices"] == ["delete", "keep"]
    assert str(found["since"]).endswith("Z")
    assert "15 files of 20" in str(found["text"])


def test_status_says_what_waits_and_how_to_answer(docs: Profile) -> None:
    """The folder waits; the line names the commands."""
    with docs.engine(lock=False) as engine:
        (folder,) = status(engine).folders
    assert folder.state is FolderActivity.WAITING
    problems = folder.to_json()["problems"]
    assert isinstance(problems, list)
    (problem,) = problems
    assert problem["kind"] == "mass deletion"
    assert f"firnline answer {question_id(docs)} keep" in problem["message"]


def test_answer_is_carried_out_at_once(docs: Profile) -> None:
    """Nothing waits any more, and the files are back."""
    found = question_id(docs)
    with docs.engine() as engine:
        (outcome,) = answer_question(engine, found, "keep")
    assert outcome.complete
    assert sorted(path.name for path in docs.folder.glob("*.txt")) == FILES
    with docs.engine(lock=False) as engine:
        assert waiting_questions(engine) == []


def test_answer_waits_for_a_folder_that_is_away_or_paused(docs: Profile) -> None:
    """It is remembered, and the question is not asked again."""
    found = question_id(docs)
    docs.folder.rename(docs.base / "elsewhere")
    with docs.engine() as engine:
        (outcome,) = answer_question(engine, found, "delete")
        assert outcome.error is not None
        assert waiting_questions(engine) == []
        pause_folder(engine, "docs", paused=True)
    (docs.base / "elsewhere").rename(docs.folder)
    with docs.engine() as engine:
        pause_folder(engine, "docs", paused=False)
    (done,) = docs.sync()
    assert done.complete
    assert done.report.written == 1


@pytest.mark.parametrize(("id_", "choice"), [("nope", "keep"), ("", "keep")])
def test_what_was_not_asked_cannot_be_answered(docs: Profile, id_: str, choice: str) -> None:
    """Wrong usage, with how to find the right words."""
    with docs.engine() as engine:
        with pytest.raises(UsageError, match="no question") as caught:
            answer_question(engine, id_, choice)
        assert "firnline questions" in caught.value.advice


def test_choice_that_is_none_is_refused(docs: Profile) -> None:
    """The choices are named, and the question still waits."""
    found = question_id(docs)
    with docs.engine() as engine:
        with pytest.raises(UsageError) as caught:
            answer_question(engine, found, "maybe")
        assert "delete or keep" in caught.value.advice
    assert question_id(docs) == found


def test_paused_folder_shows_its_questions(docs: Profile) -> None:
    """And a folder that was never synced has none."""
    with docs.engine() as engine:
        pause_folder(engine, "docs", paused=True)
        create_folder(engine, str(docs.base / "other"), "other", [])
        state_file(engine, engine.folder("other").folder_id).unlink(missing_ok=True)
    assert question_id(docs)


def test_oldest_question_comes_first(docs: Profile) -> None:
    """Whatever folder or side it is of."""
    with docs.engine() as engine:
        file = state_file(engine, engine.folder("docs").folder_id)
        state = FolderState(file)
        details = {"side": HERE, "files": 1, "of": 1, "examples": ["x"]}
        with state.transaction("ask"):
            older: Question = state.questions.ask(
                MASS_DELETION, "other", DateTime("20200101000000000000"), details, {"x": "0"}
            )
        state.close()
        assert waiting_questions(engine)[0].id == older.id
