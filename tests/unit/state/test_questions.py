"""Questions in a database."""

from firnline.core.clock import DateTime
from firnline.state.folder_state import FolderState
from firnline.state.questions import Question

EARLY, LATE = DateTime("20261122080000000000"), DateTime("20261122090000000000")


def ask(
    state: FolderState, now: DateTime, asked: dict[str, str], subject: str = "here"
) -> Question:
    with state.transaction("ask"):
        return state.questions.ask("kind", subject, now, {"files": len(asked)}, asked)


def test_question_is_there_after_a_restart(state: FolderState) -> None:
    """With its facts and its paths."""
    question = ask(state, EARLY, {"a": "base1", "b": "base2"})
    again = FolderState(state.database.path)
    assert again.questions.all() == again.questions.open() == [question]
    assert again.questions.asked(question.id) == {"a": "base1", "b": "base2"}
    assert question.details == {"files": 2}
    again.close()


def test_grown_question_is_another_one(state: FolderState) -> None:
    """Its old id answers nothing any more; it waits since it was asked first."""
    first = ask(state, EARLY, {"a": "base"})
    second = ask(state, LATE, {"a": "base", "b": "base"})
    assert first.id != second.id
    assert second.since == EARLY
    assert state.questions.open() == [second]
    assert state.questions.asked(first.id) == {}


def test_same_question_keeps_its_id(state: FolderState) -> None:
    """Whoever was shown it can answer it."""
    assert ask(state, EARLY, {"a": "base"}) == ask(state, LATE, {"a": "base"})


def test_same_thing_asked_anew_is_another_question(state: FolderState) -> None:
    """An id that was shown before does not answer it."""
    first = ask(state, EARLY, {"a": "base"})
    with state.transaction("withdraw"):
        state.questions.withdraw("kind", "here")
    assert state.questions.all() == []
    assert ask(state, LATE, {"a": "base"}).id != first.id


def test_what_has_to_do_with_a_question(state: FolderState) -> None:
    """A path that one is about, one below it, and one above it, of any question; no other."""
    assert not state.questions.is_any_about(["d/f"])
    ask(state, EARLY, {"d/f": "base"})
    ask(state, LATE, {"e": "base"}, "elsewhere")
    for path in ("d/f", "d/f/g/h", "d", "e", "e/x"):
        assert state.questions.is_any_about(["x", path]), path
    for path in ("d/g", "d/f0", "d-", "f"):
        assert not state.questions.is_any_about(["x", path]), path
    assert not state.questions.is_any_about([])


def test_subjects_do_not_meet(state: FolderState) -> None:
    """Each kind and subject has a question of its own."""
    first = ask(state, LATE, {"a": "base"})
    second = ask(state, EARLY, {"b": "base"}, "elsewhere")
    assert state.questions.open() == [second, first]
    with state.transaction("withdraw"):
        state.questions.withdraw("kind", "elsewhere")
    assert state.questions.open() == [first]


def test_answer_stays_until_it_was_carried_out(state: FolderState) -> None:
    """Beside a new question of the same kind, path by path, and no withdrawing takes it away."""
    first = ask(state, EARLY, {"a": "base", "b": "base"})
    with state.transaction("answer"):
        state.questions.answer(first.id, "delete")
    second = ask(state, LATE, {"c": "base"})
    assert [q.answer for q in state.questions.of("kind", "here")] == ["delete", ""]
    assert state.questions.open() == [second]
    with state.transaction("withdraw"):
        state.questions.withdraw("kind", "here")
    assert [q.id for q in state.questions.all()] == [first.id]
    with state.transaction("carry out"):
        state.questions.forget_asked(first.id, ["a"])
    assert state.questions.asked(first.id) == {"b": "base"}
    with state.transaction("done"):
        state.questions.drop(first.id)
    assert state.questions.all() == []
    assert state.questions.asked(first.id) == {}


def test_what_a_question_is_about(state: FolderState) -> None:
    """Its paths, asked for by themselves or by a directory above them."""
    question = ask(state, EARLY, {"d/a": "base", "e": "base"})
    ask(state, EARLY, {"x": "base"}, "elsewhere")
    for heads in (["d/a"], ["d"], ["none", "e"]):
        assert state.questions.is_about(question.id, heads)
    for heads in ([], ["d/", "d/a/b", "d/b"], ["x"], ["", "d-", "D"]):
        assert not state.questions.is_about(question.id, heads)
