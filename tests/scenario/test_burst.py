"""A burst of encrypted files is held back on the devices that receive it."""

import os
import zlib
from pathlib import Path
from typing import Any

import pytest
from tests.scenario.encrypting import (
    FILES,
    REST,
    encrypt,
    make_laptops,
    noise,
    only_burst,
    text,
)
from tests.scenario.invariants import check_rest
from tests.scenario.laptops import Laptop, settle

from firnline.core.entry import Entry
from firnline.engine.question_words import question_line
from firnline.state.device_changes import DeviceChanges
from firnline.sync.folder_pass import run_pass

Laptops = list[Laptop]
BOTH = 2 * len(FILES)
"""Each file is gone under its name and new under another one."""


@pytest.fixture
def laptops(tmp_path: Path) -> Laptops:
    return make_laptops(tmp_path)


@pytest.mark.parametrize(("ending", "paths"), [(".locked", BOTH), ("", len(FILES))])
def test_encrypted_files_wait_and_all_else_goes_on(
    laptops: Laptops, ending: str, paths: int
) -> None:
    """They are known and shown, and nothing of them is applied, pass after pass; what others and
    this user write meanwhile is synced."""
    a, b = laptops
    before = b.tree()
    encrypt(a, ending=ending)
    a.sync()
    question = only_burst(b.sync(), paths)
    assert b.tree() == before
    line = question_line(question, "docs")
    assert "device 'aaaaaaaa'" in line
    assert f"firnline answer {question.id} undo" in line
    a.write("new by a", "a")
    b.write("new by b", "b")
    for _ in range(2):
        a.sync()
        assert only_burst(b.sync(), paths).id == question.id
    assert b.tree() == before | {"new by a": "a", "new by b": "b"}
    assert a.read("new by b") == "b"


@pytest.mark.parametrize("ending", [".locked", ""])
def test_apply(laptops: Laptops, ending: str) -> None:
    """The user meant it: all is as on the other device, and it is not asked about again."""
    a, b = laptops
    encrypt(a, ending=ending)
    a.sync()
    b.answer(b.sync().questions[0].id, "apply")
    assert b.sync().questions == []
    assert b.tree() == a.tree()
    a.write(FILES[0] + ending, noise())
    a.sync()
    assert b.sync().questions == []
    settle(a, b)
    check_rest([a, b])


@pytest.mark.parametrize("ending", [".locked", ""])
def test_undo(laptops: Laptops, ending: str) -> None:
    """The versions before are back on every device, also where it was not answered; what was
    encrypted later waits anew."""
    a, b = laptops
    c = Laptop(a.place.parent / "c", "cccccccc", a.stores)
    settle(c)
    before = b.tree()
    encrypt(a, ending=ending)
    a.sync()
    c.sync()
    b.answer(b.sync().questions[0].id, "undo")
    report = b.sync()
    assert (report.questions, report.written) == ([], 1)
    assert c.sync().questions == []
    settle(a, b, c)
    assert a.tree() == b.tree() == c.tree() == before
    check_rest([a, b, c])
    a.clock.advance(minutes=30)
    encrypt(a, REST[:110], ending="")
    a.sync()
    only_burst(b.sync(), 110)


def test_edit_beside_it_stands_on_what_was_applied(laptops: Laptops) -> None:
    """Undo leaves the user's edit as it is, and takes away only what stands beside it."""
    a, b = laptops
    before = b.tree()
    encrypt(a, ending="")
    a.sync()
    b.sync()
    b.write(FILES[3], "the user goes on")
    question = only_burst(b.sync(), len(FILES))
    assert b.read(FILES[3]) == "the user goes on"
    b.answer(question.id, "undo")
    b.sync()
    settle(a, b)
    assert a.tree() == b.tree() == before | {FILES[3]: "the user goes on"}
    check_rest([a, b])


def test_edit_beside_it_that_others_made_a_conflict_of(laptops: Laptops) -> None:
    """The copy that the other device makes of what was encrypted is held as well, and undone."""
    a, b = laptops
    before = b.tree()
    encrypt(a, ending="")
    a.sync()
    b.sync()
    b.write(FILES[3], "the user goes on")
    b.sync()
    a.sync()
    question = only_burst(b.sync(), len(FILES) + 1)
    assert b.tree() == before | {FILES[3]: "the user goes on"}
    b.answer(question.id, "undo")
    settle(a, b)
    assert a.tree() == b.tree() == before | {FILES[3]: "the user goes on"}
    check_rest([a, b])


def test_deleted_and_moved_meanwhile(laptops: Laptops) -> None:
    """What this user deleted stays deleted, what was moved stays where it is: the encryption that
    follows it there is held and undone as well."""
    a, b = laptops
    before = b.tree()
    encrypt(a, ending="")
    a.sync()
    b.sync()
    b.delete(FILES[3])
    b.move(FILES[4], "moved")
    expected = {**before, "moved": before[FILES[4]]}
    del expected[FILES[3]], expected[FILES[4]]
    for _ in range(2):
        b.sync()
        a.sync()
    (question,) = b.sync().questions
    assert b.tree() == expected
    b.answer(question.id, "undo")
    settle(a, b)
    assert a.tree() == b.tree() == expected
    check_rest([a, b])


def test_what_stands_on_held_events_is_asked_for(laptops: Laptops) -> None:
    """What came after the question is not undone unseen."""
    a, b = laptops
    encrypt(a, ending="")
    a.sync()
    first = only_burst(b.sync(), len(FILES))
    a.clock.advance(hours=2)
    a.write(FILES[0], "written by hand, much later")
    a.sync()
    second = only_burst(b.sync(), len(FILES))
    assert first.id != second.id
    assert b.read(FILES[0]) == text(FILES[0])


def test_answer_is_for_what_was_shown(laptops: Laptops) -> None:
    """Of what came after the answer the user is asked again; the rest is carried out."""
    a, b = laptops
    encrypt(a, ending="")
    a.sync()
    b.answer(b.sync().questions[0].id, "apply")
    a.write(FILES[0], noise())
    a.sync()
    question = only_burst(b.sync(), 1)
    assert b.tree()[FILES[1]] == a.tree()[FILES[1]]
    b.answer(question.id, "apply")
    settle(a, b)
    assert a.tree() == b.tree()


def test_one_by_one(laptops: Laptops) -> None:
    """Single events, in passes of a program that keeps running: what came before there were many
    is applied, and undone with the rest."""
    a, b = laptops
    before = b.tree()
    with a.awake() as sending, b.awake() as receiving:
        for number, name in enumerate(FILES):
            a.write(name, noise())
            a.clock.advance(seconds=2)
            run_pass(sending)
            if number % 12 == 11:
                run_pass(receiving)
    assert [name for name in FILES if b.tree()[name] != before[name]] == FILES[:96]
    question = only_burst(b.sync(), len(FILES))
    b.answer(question.id, "undo")
    settle(a, b)
    assert a.tree() == b.tree() == before


def test_encryption_of_photos(tmp_path: Path) -> None:
    """What was compressed before is told by its mark."""
    a, b = (Laptop(tmp_path / n, n * 8, [tmp_path / "store"]) for n in "ab")
    photos = [f"{number:03}.jpg" for number in range(120)]
    for name in photos:
        a.write(name, b"\xff\xd8\xff" + os.urandom(600))
    settle(a, b)
    encrypt(a, photos)
    a.sync()
    only_burst(b.sync(), 240)


def replace_by_text(a: Laptop) -> None:
    for name in FILES:
        a.write(name, text(name).upper())


def compress(a: Laptop) -> None:
    a.delete_unasked = True
    for name in FILES:
        a.write(name + ".gz", b"\x1f\x8b" + zlib.compress(os.urandom(900)))
        a.delete(name)


def rename(a: Laptop) -> None:
    for name in FILES:
        a.move(name, name + ".bak")


def copy_in(a: Laptop) -> None:
    for name in FILES:
        a.write("photos/" + name, noise())


def encrypt_few(a: Laptop) -> None:
    encrypt(a, FILES[:90])


@pytest.mark.parametrize("work", [replace_by_text, compress, rename, copy_in, encrypt_few])
def test_what_people_do(laptops: Laptops, work: object) -> None:
    """A checkout of other text, gzip, a mass rename, noise that is new, and a few encrypted files
    are nothing to ask about."""
    a, b = laptops
    assert callable(work)
    work(a)
    a.sync()
    b.delete_unasked = True
    assert b.sync().questions == []
    assert a.tree() == b.tree()


def test_first_join(laptops: Laptops) -> None:
    """Who has no version before loses none by applying."""
    a, _ = laptops
    encrypt(a)
    a.sync()
    c = Laptop(a.place.parent / "c", "cccccccc", a.stores)
    assert c.sync().questions == []
    assert c.tree() == a.tree()


def test_slow_changes(laptops: Laptops) -> None:
    """As many files in hours are no burst."""
    a, b = laptops
    for name in FILES:
        a.clock.advance(minutes=6)
        a.write(name, noise())
        if FILES.index(name) % 4 == 0:
            a.sync()
    a.sync()
    assert b.sync().questions == []
    assert a.tree() == b.tree()


def test_contents_of_ordinary_changes_are_not_read_again(laptops: Laptops) -> None:
    """While the program runs, many saved texts are looked at once, not at each save."""
    a, b = laptops
    with b.awake() as context:
        replace_by_text(a)
        a.sync()
        run_pass(context)
        assert context.bursts_cleared == {a.device: len(FILES)}
        a.write(REST[0], noise())
        a.sync()
        assert run_pass(context).questions == []
        assert context.bursts_cleared == {a.device: len(FILES)}


def test_new_files_are_not_looked_at_where_nothing_is_gone(
    laptops: Laptops, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who brought a whole folder here minutes ago and saves some of it now makes that no dearer."""
    a, b = laptops
    read: list[str] = []
    fresh = DeviceChanges.fresh

    def noted(*arguments: Any) -> list[Entry]:
        read.append("fresh")
        return fresh(*arguments)

    monkeypatch.setattr(DeviceChanges, "fresh", noted)
    replace_by_text(a)
    a.sync()
    b.sync()
    assert read == []
    compress(a)
    a.sync()
    b.sync()
    assert read
