"""The guard against mass deletions: files that are gone from this folder."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.scenario.deletions import (
    FILES,
    Pair,
    delete,
    make_filled,
    make_pair,
    names,
    only,
    sure,
)
from tests.scenario.invariants import check_rest
from tests.scenario.laptops import event_count, settle

from firnline.folder.scan import scan


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return make_pair(tmp_path)


@pytest.fixture
def filled(tmp_path: Path) -> Pair:
    return make_filled(tmp_path)


def test_half_of_a_folder_waits_and_all_else_goes_on(filled: Pair) -> None:
    """No deletion is written; a new file, an edit and a move of the same pass are."""
    a, b = filled
    delete(a, FILES[:12])
    a.write("new", "new")
    a.write(FILES[12], "edited")
    a.move(FILES[13], "moved")
    question = only(a.sync(), 12, "here")
    assert question.details["of"] == 20
    assert set(question.details["examples"]) <= set(FILES[:12])
    settle(a, b)
    expected: dict[str, object] = {name: f"{name} 1" for name in FILES}
    del expected[FILES[13]]
    assert b.tree() == expected | {"new": "new", FILES[12]: "edited", "moved": f"{FILES[13]} 1"}


def test_fewer_than_half_do_not_wait(filled: Pair) -> None:
    """Nine of twenty are told at once, spread over the directories."""
    a, b = filled
    delete(a, FILES[:9])
    assert a.sync().complete
    assert b.sync().complete
    assert names(b) == FILES[9:]


def test_nine_files_never_wait(pair: Pair) -> None:
    """Also where they are all there is."""
    a, b = pair
    for number in range(9):
        a.write(f"{number}", "x")
    settle(a, b)
    delete(a, [str(number) for number in range(9)])
    settle(a, b)
    assert b.tree() == {}


def test_whole_directory_of_the_first_level_waits(filled: Pair) -> None:
    """Ten files or more that were all there was in it, however large the rest is."""
    a, b = filled
    for number in range(100):
        a.write(f"many/{number}", "x")
    for number in range(10):
        a.write(f"ten/deep/{number}", "x")
    settle(a, b)
    delete(a, [f"many/{number}" for number in range(20)])
    assert a.sync().complete, "most of `many` is still there"
    delete(a, [f"ten/deep/{number}" for number in range(10)])
    only(a.sync(), 10, "here")


def test_keep_brings_the_files_back(filled: Pair) -> None:
    """They are fetched, no event tells of it, and everything is at rest."""
    a, b = filled
    before = a.tree()
    delete(a, FILES)
    question = only(a.sync(), 20, "here")
    events = event_count(a.stores[0])
    a.answer(question.id, "keep")
    assert a.sync().complete
    assert a.tree() == b.tree() == before
    assert event_count(a.stores[0]) == events
    check_rest(filled)


def test_delete_deletes_what_was_asked(filled: Pair) -> None:
    """On every device, where it may have to be answered again."""
    a, b = filled
    delete(a, FILES[:12])
    a.answer(only(a.sync(), 12, "here").id, "delete")
    assert a.sync().complete
    question = only(b.sync(), 12, "elsewhere")
    b.answer(question.id, "delete")
    assert b.sync().complete
    assert names(a) == names(b) == FILES[12:]
    check_rest(filled)


def test_delete_is_an_answer_to_what_was_asked_only(filled: Pair) -> None:
    """What was lost after that is asked for anew, and meanwhile it waits."""
    a, b = filled
    for number in range(40):
        a.write(f"more/{number}", "x")
    settle(a, b)
    delete(a, [f"more/{number}" for number in range(40)])
    a.answer(only(a.sync(), 40, "here").id, "delete")
    delete(a, FILES[:15])
    only(a.sync(), 15, "here")
    sure(b)
    assert [name for name in FILES if name not in b.tree()] == []
    assert b.tree()["more"] == "directory"


def test_question_grows_and_its_old_id_is_none(filled: Pair) -> None:
    """So that an answer is never taken for more than was shown."""
    a, _ = filled
    delete(a, FILES[:12])
    first = only(a.sync(), 12, "here")
    assert a.sync().questions == [first]
    delete(a, FILES[12:15])
    second = only(a.sync(), 15, "here")
    assert first.id != second.id
    assert first.since == second.since
    a.answer(first.id, "delete")
    assert a.sync().questions == [second]


def test_files_that_come_back_leave_the_question(filled: Pair) -> None:
    """Those that are still gone wait, also when they are few; when all are back nothing waits."""
    a, b = filled
    delete(a, FILES[:12])
    only(a.sync(), 12, "here")
    for name in FILES[:10]:
        a.write(name, f"{name} 1")
    only(a.sync(), 2, "here")
    for name in FILES[10:12]:
        a.write(name, f"{name} 1")
    assert a.sync().complete
    assert b.sync().complete
    assert names(b) == FILES
    check_rest(filled)


def test_file_made_anew_while_its_deletion_waits(filled: Pair) -> None:
    """It is an edit on top of the old one, and no conflict."""
    a, b = filled
    delete(a, FILES[:12])
    only(a.sync(), 12, "here")
    a.write(FILES[0], "made anew")
    question = only(a.sync(), 11, "here")
    a.answer(question.id, "keep")
    a.write(FILES[1], "made after the answer")
    settle(a, b)
    assert a.tree() == b.tree()
    assert len(a.tree()) == 20
    assert (b.read(FILES[0]), b.read(FILES[1])) == ("made anew", "made after the answer")


def test_moved_back_while_the_deletion_waits(filled: Pair) -> None:
    """A file that turns up at another path was moved: nothing of it is lost."""
    a, b = filled
    kept = a.place / "elsewhere"
    (a.folder / "d0").rename(kept)
    delete(a, FILES[1:12:4] + FILES[2:12:4] + FILES[3:12:4])
    only(a.sync(), 14, "here")
    kept.rename(a.folder / "again")
    only(a.sync(), 9, "here")
    b.sync()
    assert (b.folder / "again").exists()
    assert not (b.folder / "d0").exists()


def test_directory_that_others_move_while_it_is_gone_here(filled: Pair) -> None:
    """A move and a deletion at the same time: what was moved stays, as ever."""
    a, b = filled
    delete(a, FILES[:12])
    only(a.sync(), 12, "here")
    b.move("d3", "e3")
    b.sync()
    question = only(a.sync(), 9, "here")
    a.answer(question.id, "keep")
    settle(a, b)
    assert a.tree() == b.tree()
    assert len(a.tree()) == 20
    check_rest(filled)


def test_directory_that_is_moved_is_no_deletion(filled: Pair) -> None:
    """All of the folder in another directory; and content that was copied and removed."""
    a, b = filled
    for number in range(4):
        a.move(f"d{number}", f"all/d{number}")
    assert a.sync().complete
    assert b.sync().complete
    for name in FILES:
        a.write(f"copied/{name}", a.read(f"all/{name}"))
        a.delete(f"all/{name}")
    assert a.sync().complete
    assert b.sync().complete
    assert a.tree() == b.tree()
    assert all(b.read(f"copied/{name}") == f"{name} 1" for name in FILES)


def test_everything_gone_with_its_empty_directories(filled: Pair) -> None:
    """`rm -rf *`: an empty directory is kept back with the rest, and comes back with it."""
    a, b = filled
    (a.folder / "empty").mkdir()
    settle(a, b)
    before = a.tree()
    delete(a, FILES)
    for directory in ("d0", "d1", "d2", "d3", "empty"):
        (a.folder / directory).rmdir()
    question = only(a.sync(), 20, "here")
    b.sync()
    assert b.tree() == before
    a.answer(question.id, "keep")
    settle(a, b)
    assert a.tree() == b.tree() == before
    check_rest(filled)


def test_emptied_directories_are_not_made_meanwhile(filled: Pair) -> None:
    """The user removed the files only: whether the directories are empty waits as well."""
    a, b = filled
    delete(a, FILES)
    events = event_count(a.stores[0])
    question = only(a.sync(), 20, "here")
    assert event_count(a.stores[0]) == events
    a.answer(question.id, "delete")
    sure(a)
    sure(b)
    assert a.tree() == b.tree() == dict.fromkeys(("d0", "d1", "d2", "d3"), "directory")


def test_hidden_paths_are_no_deletion(filled: Pair) -> None:
    """An ignore pattern over everything asks nothing and deletes nothing."""
    a, b = filled
    a.write(".firnlineignore", "d*\n")
    assert a.sync().complete
    settle(a, b)
    for laptop in filled:
        assert [name for name in FILES if not (laptop.folder / name).exists()] == []


def test_file_that_became_a_directory_is_no_deletion(pair: Pair) -> None:
    """A dozen files, each now a directory with a file in it."""
    a, b = pair
    for number in range(12):
        a.write(f"{number}", "file")
    settle(a, b)
    for number in range(12):
        a.delete(f"{number}")
        a.write(f"{number}/inner", "inner")
    assert a.sync().complete
    assert b.sync().complete
    assert b.tree() == {f"{number}/inner": "inner" for number in range(12)}


def test_edit_by_others_of_what_waits(filled: Pair) -> None:
    """It survives, as any edit beside a deletion does, and is not asked for any more."""
    a, b = filled
    delete(a, FILES[:12])
    only(a.sync(), 12, "here")
    b.write(FILES[0], "edited by b")
    b.sync()
    only(a.sync(), 11, "here")
    assert a.read(FILES[0]) == "edited by b"


def test_yes_answers_with_delete(filled: Pair) -> None:
    """Of that pass, also what waited before; on either side."""
    a, b = filled
    delete(a, FILES[:12])
    only(a.sync(), 12, "here")
    sure(a)
    only(b.sync(), 12, "elsewhere")
    sure(b)
    assert names(b) == FILES[12:]
    check_rest(filled)


def test_unreadable_directory_withdraws_nothing(
    filled: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A scan that could not see everything neither tells, asks nor forgets."""
    a, _ = filled
    delete(a, FILES[:12])
    question = only(a.sync(), 12, "here")
    name = "firnline.sync.scanning.scan"
    monkeypatch.setattr(name, lambda *p, **k: scan(*p, **k)._replace(complete=False))
    assert a.sync().questions == [question]
    a.answer(question.id, "delete")
    assert a.sync().written == 0
    monkeypatch.setattr(name, scan)
    assert a.sync().written == 1


class Meanwhile:
    """Steps at which, once, something else happens during a pass."""

    def __init__(self, step: str, happens: Callable[[], object]) -> None:
        self._step = step
        self._happens: Callable[[], object] | None = happens

    def __call__(self, name: str) -> None:
        if name == self._step and self._happens is not None:
            happens, self._happens = self._happens, None
            happens()


@pytest.mark.parametrize(("more", "waits"), [(15, False), (16, True)])
def test_rounds_of_a_pass_count_together(filled: Pair, more: int, waits: bool) -> None:
    """Who deletes while a pass runs does not get around the guard, nor is asked too early."""
    a, b = filled
    for number in range(30):
        a.write(f"x{number}", "x")
    settle(a, b)
    delete(a, FILES[:9])

    def happens() -> None:
        delete(a, [f"x{number}" for number in range(more)])
        b.write("by b", "b")
        b.sync()

    report = a.sync(steps=Meanwhile("commit confirm event", happens))
    if waits:
        only(report, more, "here")
    else:
        assert report.complete
    assert a.read("by b") == "b"


def test_answer_does_not_count_for_what_follows(filled: Pair) -> None:
    """What was given up is no part of the folder: a few more that go in the same pass may go."""
    a, b = filled
    delete(a, FILES[:12])
    question = only(a.sync(), 12, "here")
    a.answer(question.id, "delete")

    def happens() -> None:
        delete(a, FILES[12:14])
        b.write("by b", "b")
        b.sync()

    assert a.sync(steps=Meanwhile("commit confirm event", happens)).complete
    assert sorted(a.tree()) == sorted([*FILES[14:], "by b"])
