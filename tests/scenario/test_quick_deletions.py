"""Deletions that quick passes see: what is told, and what waits for an answer."""

from pathlib import Path

import pytest
from tests.scenario.deletions import FILES, make_filled, only
from tests.scenario.invariants import sync_until_rest
from tests.scenario.laptops import Laptop, event_count
from tests.scenario.quick_passes import news_for, quick

from firnline.core.event import Op
from firnline.folder.errors import Vanished

Pair = tuple[Laptop, Laptop]


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    """Two laptops that have twenty files in four directories, and one store."""
    return make_filled(tmp_path)


def test_many_small_deletions(pair: Pair) -> None:
    """A large deletion that comes in small parts waits from where it is half of the folder."""
    a, b = pair
    with a.awake() as context:
        for number, name in enumerate(FILES, 1):
            a.delete(name)
            report = quick(context, name)
            assert report.written == (number < 10), number
            if number >= 10:
                only(report, number - 9, "here")
        assert len(b.tree()) == 20
        b.sync()
        assert len(b.tree()) == 11


def test_deletions_that_are_far_apart(pair: Pair) -> None:
    """What was deleted long before does not count."""
    a, _ = pair
    with a.awake() as context:
        for name in FILES[:16]:
            a.delete(name)
            a.clock.advance(seconds=601)
            a.clock.elapsed += 601
            assert quick(context, name).written
        assert not context.state.questions.open()


def test_waiting_deletion_is_not_forgotten(pair: Pair) -> None:
    """What waits is asked about as long as it is gone, whatever later passes look at."""
    a, _ = pair
    gone = FILES[:12]
    with a.awake() as context:
        for name in gone:
            a.delete(name)
        question = only(quick(context, *gone), 12, "here")
        assert only(quick(context), 12, "here") == question
        assert only(quick(context, "d3/19"), 12, "here") == question
        a.delete("d3/19")
        assert only(quick(context, "d3/19"), 13, "here").id != question.id
        a.write(gone[0], "back again")
        only(quick(context, gone[0]), 12, "here")
        for name in (*gone, "d3/19"):
            a.write(name, "back again")
        report = quick(context, *gone, "d3/19")
        assert (report.questions, report.complete) == ([], True)


@pytest.mark.parametrize("choice", ["keep", "delete"])
def test_answer_is_carried_out(pair: Pair, choice: str) -> None:
    """The pass that follows an answer looks at everything, whatever it is asked for."""
    a, b = pair
    with a.awake() as context:
        for name in FILES[:12]:
            a.delete(name)
        question = only(quick(context, *FILES[:12]), 12, "here")
        a.answer(question.id, choice)
        report = quick(context)
        assert report.questions == []
    b.delete_unasked = True
    sync_until_rest([a, b])
    assert len(b.tree()) == len(a.tree()) == (20 if choice == "keep" else 8)


def test_many_small_deletions_from_elsewhere(pair: Pair) -> None:
    """The receiving side adds them up as well."""
    a, b = pair
    with b.awake() as context:
        for number, name in enumerate(FILES, 1):
            a.delete(name)
            a.delete_unasked = True
            a.sync()
            report = quick(context, news=news_for(context))
            if number >= 10:
                only(report, number - 9, "elsewhere")
        assert len(b.tree()) == 11


def test_folder_that_went_while_it_was_looked_at(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is told as gone before the folder was found to be the right one once more."""
    a, _ = pair
    asked: list[str] = []

    def require_here() -> None:
        asked.append("is it here?")
        if len(asked) == 2:
            raise Vanished("", "the folder is away")

    with a.awake() as context:
        before = event_count(a.stores[0])
        a.delete("d0/00")
        context.require_here = require_here
        with pytest.raises(Vanished):
            quick(context, "d0/00")
        assert event_count(a.stores[0]) == before
        assert quick(context, "d0/00").written == 1
        assert len(asked) == 4
        quick(context, "d0/04")
        assert len(asked) == 5


def test_directory_whose_files_wait(pair: Pair) -> None:
    """It is not told as emptied by the user, whatever else comes and goes in it."""
    a, _ = pair
    with a.awake() as context:
        for name in FILES[:16]:
            a.delete(name)
        question = only(quick(context, *FILES[:16]), 16, "here")
        a.write("d0/new", "new")
        assert quick(context, "d0/new").written == 1
        for number, name in enumerate(("d0/new", FILES[16]), 17):
            a.delete(name)
            report = quick(context, name)
            assert report.written == 0
            assert only(report, number, "here").since == question.since
        assert quick(context, "d0/nothing").written == 0
        assert not context.state.files.directories()


def test_new_end_of_a_move_comes_first(pair: Pair) -> None:
    """Where the files came from is looked at as well, so they are moved and nobody is asked."""
    a, b = pair
    a.clock.advance(seconds=10)
    with a.awake() as context:
        a.move("d0", "elsewhere")
        assert quick(context, "elsewhere").written == 1
        assert quick(context, "d0").written == 0
        assert not context.state.questions.open()
    b.sync()
    assert b.tree() == a.tree()
    assert ways(b, "elsewhere/00") == [Op.MOV]


def test_old_ends_of_moves_come_first(pair: Pair) -> None:
    """So much gone makes the pass look at everything, and nobody is asked."""
    a, b = pair
    with a.awake() as context:
        for top in ("d0", "d1", "d2"):
            a.move(top, f"{top} elsewhere")
        report = quick(context, "d0", "d1", "d2")
        assert report.written
        assert not context.state.questions.open()
        assert quick(context, "d0 elsewhere", "d1 elsewhere", "d2 elsewhere").written == 0
    b.sync()
    assert b.tree() == a.tree()
    assert ways(b, "d1 elsewhere/05") == [Op.MOV]


def ways(laptop: Laptop, path: str) -> list[Op]:
    """By which events it came to its path."""
    with laptop.awake() as context:
        return [entry.op for entry in context.state.journal.entries(path)]
