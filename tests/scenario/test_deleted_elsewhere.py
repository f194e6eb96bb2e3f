"""The guard against mass deletions: what other devices deleted, and both at once."""

import shutil
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
from tests.scenario.laptops import Laptop, event_count, settle

from firnline.core.clock import DateTime
from firnline.engine.question_words import question_line
from firnline.folder.errors import Blocked
from firnline.folder.filesystem import Root
from firnline.folder.metadata import Stat
from firnline.state.questions import Question
from firnline.stores.configs import DeviceRecord
from firnline.stores.directory import DirectoryStore
from firnline.stores.identity import write_device
from firnline.sync.mass_deletion import ELSEWHERE, MASS_DELETION, details


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return make_pair(tmp_path)


@pytest.fixture
def filled(tmp_path: Path) -> Pair:
    return make_filled(tmp_path)


@pytest.fixture
def deleted(filled: Pair) -> Pair:
    """The other user has deleted twelve files on purpose."""
    a, _ = filled
    delete(a, FILES[:12])
    sure(a)
    return filled


def test_question_names_who_deleted(filled: Pair, tmp_path: Path) -> None:
    """By the names that people gave their devices, who deleted most first; one that no store in
    reach knows by its id."""
    a, b = filled
    c = Laptop(tmp_path / "c", "cccccccc", b.stores)
    c.sync()
    delete(a, FILES[:4])
    a.sync()
    store = DirectoryStore(b.stores[0], connection="cccccccccccccccc", clock=c.clock)
    write_device(store, DeviceRecord(c.device, "Carla's laptop", "Linux", "1"))
    store.close()
    c.delete_unasked = True
    delete(c, FILES[4:12])
    c.sync()
    question = only(b.sync(), 12, "elsewhere")
    assert question.details["devices"] == ["Carla's laptop", "aaaaaaaa"]
    text = question_line(question, "docs")
    assert "deleted by device \"Carla's laptop\" and device 'aaaaaaaa' and are still here" in text


def test_question_of_many_devices_or_of_an_earlier_version() -> None:
    """A few names are enough, and none are needed."""
    facts = details(ELSEWHERE, FILES, 20, ["a", "b", "c", "d"])
    question = Question("id", MASS_DELETION, ELSEWHERE, DateTime(""), facts)
    named = "by device 'a', device 'b', device 'c' and others and"
    assert named in question_line(question, "docs")
    del facts["devices"]
    assert "by other devices and" in question_line(question, "docs")


def test_incoming_deletions_wait_and_all_else_comes(deleted: Pair) -> None:
    """Known and not applied; at rest, with nothing written."""
    a, b = deleted
    a.write("new", "new")
    a.write(FILES[12], "edited")
    a.move(FILES[13], "moved")
    a.sync()
    question = only(b.sync(), 12, "elsewhere")
    assert question.details["of"] == 20
    assert len(b.tree()) == 21
    assert (b.read("new"), b.read(FILES[12])) == ("new", "edited")
    assert b.read("moved") == f"{FILES[13]} 1"
    events = event_count(b.stores[0])
    assert b.sync().questions == [question]
    a.sync()
    assert event_count(b.stores[0]) == events


def test_incoming_deletions_of_many_events_are_one(filled: Pair) -> None:
    """Each told by a pass of its own, they come in one."""
    a, b = filled
    for name in FILES[:12]:
        a.delete(name)
        assert a.sync().complete
    only(b.sync(), 12, "elsewhere")
    assert names(b) == FILES


def test_keep_brings_them_back_everywhere(deleted: Pair) -> None:
    """One batch on top of the deletions; nothing is transferred but its manifest."""
    a, b = deleted
    question = only(b.sync(), 12, "elsewhere")
    events = event_count(b.stores[0])
    b.answer(question.id, "keep")
    report = b.sync()
    assert (report.complete, report.written) == (True, 1)
    assert event_count(b.stores[0]) == events + 1
    settle(a, b)
    assert names(a) == names(b) == FILES
    check_rest(deleted)


def test_keep_brings_back_links_flags_and_directories(pair: Pair) -> None:
    """As they were, each with its kind."""
    a, b = pair
    for number in range(10):
        a.write(f"{number}", f"{number}")
    a.write("run", "run", executable=True)
    (a.folder / "link").symlink_to("run")
    (a.folder / "empty").mkdir()
    settle(a, b)
    before = a.tree()
    delete(a, [*map(str, range(10)), "run", "link"])
    (a.folder / "empty").rmdir()
    sure(a)
    question = only(b.sync(), 12, "elsewhere")
    assert b.tree() == before
    b.answer(question.id, "keep")
    settle(a, b)
    assert a.tree() == b.tree() == before
    check_rest(pair)


def test_edit_of_a_file_whose_deletion_waits(deleted: Pair) -> None:
    """It stands on what this device has: the edit survives, whatever is answered."""
    a, b = deleted
    only(b.sync(), 12, "elsewhere")
    b.write(FILES[0], "edited meanwhile")
    question = only(b.sync(), 11, "elsewhere")
    b.answer(question.id, "delete")
    settle(a, b)
    assert a.tree() == b.tree()
    assert b.read(FILES[0]) == "edited meanwhile"
    assert len(b.tree()) == 9
    check_rest(deleted)


def test_edit_after_the_answer(deleted: Pair) -> None:
    """Also an edit that no pass had seen when the user answered."""
    a, b = deleted
    question = only(b.sync(), 12, "elsewhere")
    b.write(FILES[0], "edited before the answer")
    b.answer(question.id, "delete")
    b.write(FILES[1], "edited after it")
    settle(a, b)
    assert a.tree() == b.tree()
    assert len(a.tree()) == 10


def test_moved_while_its_deletion_waits(deleted: Pair) -> None:
    """What the user moved out of the way stays."""
    a, b = deleted
    question = only(b.sync(), 12, "elsewhere")
    b.move(FILES[0], "saved")
    b.sync()
    (question,) = b.sync().questions
    b.answer(question.id, "delete")
    settle(a, b)
    assert a.tree() == b.tree()
    assert a.read("saved") == f"{FILES[0]} 1"


def test_incoming_loss_of_a_whole_directory_waits(filled: Pair) -> None:
    """Of the first level, with ten files or more, however large the rest is."""
    a, b = filled
    for number in range(60):
        a.write(f"many/{number}", "x")
    for number in range(10):
        a.write(f"ten/deep/{number}", "x")
    settle(a, b)
    delete(a, [f"many/{number}" for number in range(20)])
    sure(a)
    assert b.sync().complete, "most of `many` is still there"
    shutil.rmtree(a.folder / "ten")
    sure(a)
    only(b.sync(), 10, "elsewhere")


def test_answer_stays_for_what_could_not_be_done(
    deleted: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that somebody holds open is deleted later, and not asked for again."""
    _, b = deleted
    question = only(b.sync(), 12, "elsewhere")
    b.answer(question.id, "delete")
    take_away = Root.take_away

    def busy(root: Root, path: str, expected: Stat, kept: str) -> Stat:
        if path in FILES[:10]:
            raise Blocked(path, "is in use")
        return take_away(root, path, expected, kept)

    monkeypatch.setattr(Root, "take_away", busy)
    report = b.sync()
    assert (len(report.problems), report.questions) == (10, [])
    monkeypatch.setattr(Root, "take_away", take_away)
    assert b.sync().complete
    assert names(b) == FILES[12:]
    check_rest(deleted)


def test_directory_that_others_move_while_deletions_in_it_wait(deleted: Pair) -> None:
    """What was moved follows, and what waits stays where it is until it is decided."""
    a, b = deleted
    question = only(b.sync(), 12, "elsewhere")
    a.move("d3", "e3")
    a.sync()
    assert b.sync().questions == [question]
    assert sorted(path.name for path in (b.folder / "e3").iterdir()) == ["15", "19"]
    assert sorted(path.name for path in (b.folder / "d3").iterdir()) == ["03", "07", "11"]
    b.answer(question.id, "delete")
    settle(a, b)
    assert a.tree() == b.tree()
    check_rest(deleted)


def test_directory_moved_here_while_deletions_in_it_wait(deleted: Pair) -> None:
    """The user has moved what others deleted: it stays, at its new place."""
    a, b = deleted
    only(b.sync(), 12, "elsewhere")
    b.move("d3", "e3")
    question = only(b.sync(), 9, "elsewhere")
    b.answer(question.id, "delete")
    settle(a, b)
    assert a.tree() == b.tree()
    assert sorted(a.tree())[-5:] == ["e3/03", "e3/07", "e3/11", "e3/15", "e3/19"]
    check_rest(deleted)


def test_brought_back_by_who_deleted(deleted: Pair) -> None:
    """The question vanishes with its cause."""
    a, b = deleted
    only(b.sync(), 12, "elsewhere")
    for name in FILES[:12]:
        a.write(name, f"{name} 1")
    a.sync()
    assert b.sync().complete
    assert names(b) == FILES
    check_rest(deleted)


def test_incoming_moves_are_no_deletion(filled: Pair) -> None:
    """A renamed directory, and one whose files then went on; but a moved and deleted file is."""
    a, b = filled
    for number in range(4):
        a.move(f"d{number}", f"once{number}")
    a.sync()
    for number in range(4):
        a.move(f"once{number}", f"twice{number}")
    a.sync()
    assert b.sync().complete
    for number in range(4):
        a.move(f"twice{number}", f"thrice{number}")
    a.sync()
    delete(a, [f"thrice{name[1:]}" for name in FILES])
    sure(a)
    only(b.sync(), 20, "elsewhere")


def test_user_deletes_as_well_what_others_deleted(deleted: Pair) -> None:
    """Both agree, and nobody has to answer."""
    a, b = deleted
    only(b.sync(), 12, "elsewhere")
    delete(b, FILES[:12])
    assert b.sync().complete
    assert a.tree() == b.tree()
    check_rest(deleted)


# --- both sides -----------------------------------------------------------------------------------


def test_both_ask_and_one_deletes(filled: Pair) -> None:
    """The other's question vanishes: what it asks about is deleted."""
    a, b = filled
    for laptop in filled:
        delete(laptop, FILES[:12])
    question = only(a.sync(), 12, "here")
    only(b.sync(), 12, "here")
    a.answer(question.id, "delete")
    assert a.sync().complete
    assert b.sync().complete
    check_rest(filled)


def test_one_deletes_and_the_other_keeps(filled: Pair) -> None:
    """Who wants them back gets them back; the other device is told and follows."""
    a, b = filled
    for laptop in filled:
        delete(laptop, FILES[:12])
    ours = only(a.sync(), 12, "here")
    theirs = only(b.sync(), 12, "here")
    a.answer(ours.id, "delete")
    b.answer(theirs.id, "keep")
    a.sync()
    settle(b, a)
    assert names(a) == names(b) == FILES
    check_rest(filled)


def test_different_halves_on_both(filled: Pair) -> None:
    """Each waits for its own; an answer on one side becomes a question on the other."""
    a, b = filled
    delete(a, FILES[:10])
    delete(b, FILES[10:])
    ours, theirs = only(a.sync(), 10, "here"), only(b.sync(), 10, "here")
    a.answer(ours.id, "delete")
    a.sync()
    assert {q.details["side"] for q in b.sync().questions} == {"here", "elsewhere"}
    b.answer(theirs.id, "keep")
    b.sync()
    (question,) = b.sync().questions
    b.answer(question.id, "keep")
    settle(a, b)
    assert names(a) == names(b) == FILES
    check_rest(filled)


def test_joining_with_what_others_deleted(filled: Pair, tmp_path: Path) -> None:
    """An old copy of the folder joins: what would go from it waits, nothing of it comes back."""
    a, b = filled
    delete(a, FILES[:12])
    sure(a)
    sure(b)
    old = Laptop(tmp_path / "old", "cccccccc", a.stores)
    for name in FILES:
        old.write(name, f"{name} 1")
    question = only(old.sync(), 12, "elsewhere")
    assert names(old) == FILES
    settle(a, b)
    assert names(a) == FILES[12:]
    old.answer(question.id, "delete")
    settle(old, a, b)
    assert names(old) == FILES[12:]
    check_rest([old, a, b])


def test_joining_an_empty_folder_asks_nothing(deleted: Pair, tmp_path: Path) -> None:
    """There is nothing to delete."""
    a, _ = deleted
    new = Laptop(tmp_path / "new", "cccccccc", a.stores)
    assert new.sync().complete
    assert names(new) == FILES[12:]


def test_few_deletions_in_each_round_of_a_pass(filled: Pair) -> None:
    """What comes while a pass is running is measured by all of the folder as well."""
    a, b = filled
    for number in range(30):
        a.write(f"more/{number}", f"more {number}")
    settle(a, b)
    waves = [FILES[:5], FILES[5:12]]
    delete(a, waves.pop(0))
    for number in range(6):
        a.write(f"new/{number}", f"new {number}")
    a.sync()

    def meanwhile(step: str) -> None:
        if step == "commit applied" and waves:
            delete(a, waves.pop(0))
            a.sync()

    report = b.sync(steps=meanwhile)
    assert (report.applied, report.questions) == (18, [])
    assert len(b.tree()) == 44
