"""What else may stand in a store: junk, damaged bodies, refused events, deltas."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.scenario.forging import batch, change, member, plant, plant_manifest, single, write
from tests.scenario.invariants import check_rest
from tests.scenario.laptops import LAYOUT, Laptop, event_count, settle
from tests.scenario.store_contents import contents_in, event_files, missing_contents

from firnline.core.event import Op, ref_of
from firnline.core.hashing import PLAIN


@pytest.fixture
def s1(tmp_path: Path) -> Path:
    return tmp_path / "s1"


@pytest.fixture
def s2(tmp_path: Path) -> Path:
    return tmp_path / "s2"


@pytest.fixture
def pair(tmp_path: Path, s1: Path) -> tuple[Laptop, Laptop]:
    return (Laptop(tmp_path / "a", "aaaaaaaa", [s1]), Laptop(tmp_path / "b", "bbbbbbbb", [s1]))


def flip(path: Path) -> None:
    """Bit rot: the last byte is another one."""
    body = bytearray(path.read_bytes())
    body[-1] ^= 1
    path.write_bytes(body)


def cut(path: Path) -> None:
    """A copy that broke off."""
    path.write_bytes(path.read_bytes()[:-3])


def empty(path: Path) -> None:
    """What some systems leave after a power cut."""
    path.write_bytes(b"")


def garble(path: Path) -> None:
    """Nothing is as it was."""
    path.write_bytes(b"\xff" * path.stat().st_size)


DAMAGES = [flip, cut, empty, garble, Path.unlink]
Damage = Callable[[Path], None]


# --- junk -----------------------------------------------------------------------------------------


def test_junk_in_a_store(pair: tuple[Laptop, Laptop], s1: Path) -> None:
    """Foreign files, names that do not parse, events in the wrong place and directories with event
    names stop nothing, and are left alone."""
    a, b = pair
    a.write("f", "text")
    a.sync()
    (good,) = event_files(s1)
    day = s1 / LAYOUT.events / good[:8]
    junk = [
        s1 / "family photo.jpg",
        s1 / LAYOUT.root / "Thumbs.db",
        s1 / LAYOUT.events / "desktop.ini",
        s1 / LAYOUT.events / good,
        s1 / LAYOUT.events / "20261199" / good,
        s1 / LAYOUT.events / "20250101" / good,
        s1 / LAYOUT.events / "not a day" / good,
        day / ".DS_Store",
        day / f"{good}.tmp",
        day / good.upper(),
        day / good.replace("put", "foo"),
        day / f"2026113{good[7:]}",
        s1 / "connections" / "0123456789abcdef" / "late_never",
        s1 / "connections" / "not a connection",
    ]
    for place in junk:
        write(place, b"junk")
    (day / good.replace("_put_", "_lnk_")).mkdir()
    b.sync()
    settle(a, b)
    assert b.tree() == a.tree() == {"f": "text"}
    b.write("f", "edited")
    settle(a, b)
    assert a.tree() == {"f": "edited"}
    assert all(place.read_bytes() == b"junk" for place in junk)
    check_rest([a, b])


def test_late_hints_that_lie(pair: tuple[Laptop, Laptop], s1: Path) -> None:
    """Hints of events that never come, and hints that are none, harm nothing."""
    a, b = pair
    a.write("f", "text")
    a.sync()
    (good,) = event_files(s1)
    body = f"{good[:-1]}x\n../../../etc/passwd\n\0\n{good.replace('2026', '2020')}\n"
    hint = s1 / "connections" / "0123456789abcdef" / "late_20261122080000000000"
    write(hint, body.encode() + b"\xff\xfe\n")
    settle(a, b)
    assert b.tree() == {"f": "text"}
    check_rest([a, b])


# --- damage ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("files", [1, 3])
def test_damaged_in_one_store_and_whole_in_another(
    tmp_path: Path, s1: Path, s2: Path, damage: Damage, files: int
) -> None:
    """A body that is damaged in one store is taken from the other one, by somebody who knows both,
    and whoever knows only the damaged store gets it in the end."""
    a = Laptop(tmp_path / "a", "aaaaaaaa", [s1, s2])
    for number in range(files):
        a.write(f"f{number}", f"text {number}")
    a.sync()
    (event,) = event_files(s1).values()
    damage(event)
    b = Laptop(tmp_path / "b", "bbbbbbbb", [s1, s2])
    b.sync()
    assert b.tree() == a.tree()
    settle(a, b)
    c = Laptop(tmp_path / "c", "cccccccc", [s1])
    settle(c, b, a)
    assert c.tree() == a.tree()


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("files", [1, 3])
def test_damaged_everywhere(
    tmp_path: Path, pair: tuple[Laptop, Laptop], s1: Path, damage: Damage, files: int
) -> None:
    """A body that no store has whole keeps back its own files and nothing else, it is shown, and
    the files arrive once somebody who still has them syncs."""
    a, b = pair
    a.write("before", "before")
    settle(a, b)
    before = event_files(s1).keys()
    for number in range(files):
        a.write(f"f{number}", f"text {number}")
    a.sync()
    (name,) = event_files(s1).keys() - before
    a.write("after", "after")
    a.sync()
    damage(event_files(s1)[name])
    report = b.sync()
    assert (b.read("before"), b.read("after")) == ("before", "after")
    assert f"f{files - 1}" not in b.tree()
    if damage is not Path.unlink:
        assert (
            {problem.kind for problem in report.problems} <= {"pending", "pending event"} != set()
        )
    b.write("by b", "text")
    b.sync()
    a.sync()
    assert a.read("by b") == "text"
    for laptop in (a, b):
        laptop.clock.advance(days=8)
    settle(a, b)
    if damage is Path.unlink:
        assert b.tree() == a.tree(), "what a listing no longer shows is sent again"


def test_damaged_version_of_a_file_that_is_here(pair: tuple[Laptop, Laptop], s1: Path) -> None:
    """While a new version cannot be read, the file here stays as it is and can be edited; what is
    written then stands beside the version that nobody can read."""
    a, b = pair
    a.write("f", "first")
    settle(a, b)
    before = event_files(s1).keys()
    a.write("f", "second")
    a.sync()
    (name,) = event_files(s1).keys() - before
    flip(event_files(s1)[name])
    report = b.sync()
    assert b.read("f") == "first"
    assert [problem.path for problem in report.problems if problem.kind == "pending"] == ["f"]
    b.write("f", "edited by b")
    b.sync()
    assert b.read("f") == "edited by b"
    # The one who wrote it has it still, and sends it again once it is known to be damaged.
    a.sync()
    assert sorted(a.tree().values(), key=str) == ["edited by b", "second"]


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_path(pair: tuple[Laptop, Laptop], s1: Path, damage: Damage) -> None:
    """An event whose path cannot be read waits, and is shown; the rest syncs, and it is understood
    when the path is there again."""
    a, b = pair
    a.write("alone", "text")
    a.sync()
    index = s1 / LAYOUT.index(PLAIN.path("alone"))
    whole = index.read_bytes()
    damage(index)
    a.write("other 1", "one")
    a.write("other 2", "two")
    a.sync()
    report = b.sync()
    assert b.tree() == {"other 1": "one", "other 2": "two"}
    assert [problem.kind for problem in report.problems] == ["pending event"]
    index.write_bytes(whole)
    settle(b, a)
    assert b.read("alone") == "text"
    check_rest([a, b])


def test_nothing_damaged_spreads(tmp_path: Path, s1: Path, s2: Path) -> None:
    """A body that is not what its name promises is never copied into another store."""
    a = Laptop(tmp_path / "a", "aaaaaaaa", [s1])
    for number in range(3):
        a.write(f"f{number}", f"text {number}")
    a.sync()
    (event,) = event_files(s1).values()
    flip(event)
    b = Laptop(tmp_path / "b", "bbbbbbbb", [s1, s2])
    b.sync()
    b.sync()
    wanted = {PLAIN.data(f"text {number}".encode()) for number in range(3)}
    assert contents_in(s2).keys() <= wanted


# --- refused --------------------------------------------------------------------------------------


MANIFESTS = {
    "path that leaves": member("../evil"),
    "absolute path": member("/evil"),
    "marker": member(".firnline/id"),
    "marker in other letters": member("d/.FirnLine./id"),
    "path touched twice": member("f") + member("f"),
    "not in order": member("z") + member("b"),
    "copy in a batch": member("f", op="cpy"),
    "body of a deletion": member("f", op="del", size=3),
    "gap": member("f", offset=5),
    "size that lies": member("f", size=-1),
    "other keys": member("f", colour="red"),
    "no JSON": b"{\n",
    "not NFC": member("e\u0301"),
    "no UTF-8": b"\xff\xfe\n",
}


@pytest.mark.parametrize("manifest", MANIFESTS)
def test_refused_batches(pair: tuple[Laptop, Laptop], s1: Path, manifest: str) -> None:
    """A batch that breaks the format is refused as a whole and shown with its reason; the rest
    syncs, and nothing leaves the folder."""
    a, b = pair
    a.write("f", "text")
    a.sync()
    name = plant_manifest(s1, MANIFESTS[manifest])
    a.write("g", "text")
    for laptop in (a, b):
        report = laptop.sync()
        assert [problem.kind for problem in report.problems] == ["refused event"]
        assert name in report.problems[0].message
    settle(a, b)
    assert b.tree() == a.tree() == {"f": "text", "g": "text"}
    assert not (b.folder.parent / "evil").exists()
    assert (b.folder / ".firnline" / "id").exists()


@pytest.mark.parametrize("path", ["../evil", "/evil", ".firnline/id", "a/../../evil", "", "a//b"])
def test_refused_paths(pair: tuple[Laptop, Laptop], s1: Path, path: str) -> None:
    """A single event whose path is outside the grammar is refused and shown; the rest syncs."""
    a, b = pair
    a.write("f", "text")
    a.sync()
    plant(s1, single(change(Op.PUT, path, b"evil"), b"evil"))
    report = b.sync()
    assert b.tree() == {"f": "text"}
    assert [problem.kind for problem in report.problems] == ["refused event"]
    assert not (b.folder.parent / "evil").exists()


def test_refused_events_stay_where_they_are(tmp_path: Path, s1: Path, s2: Path) -> None:
    """What is refused is not passed on to other stores, has one line, and keeps nothing else from
    being passed on."""
    a = Laptop(tmp_path / "a", "aaaaaaaa", [s1, s2])
    name = plant_manifest(s1, member("f", op="cpy"))
    plant(s1, single(change(Op.PUT, "good", b"text"), b"text"))
    report = a.sync()
    assert [problem.kind for problem in report.problems] == ["refused event"]
    assert event_files(s1).keys() - event_files(s2).keys() == {name}


def test_delta_of_a_later_version(pair: tuple[Laptop, Laptop], s1: Path, tmp_path: Path) -> None:
    """An event with a delta, which this version cannot read, is pending with a clear message; the
    version before it stays, and all else syncs."""
    a, b = pair
    a.write("f", "first")
    a.write("g", "first")
    settle(a, b)
    (first,) = event_files(s1)
    delta = change(Op.PAT, "f", b"second", ref_of(first))
    plant(s1, single(delta, b"firnline-delta 1 ..."))
    a.write("g", "edited")
    a.sync()
    report = b.sync()
    assert b.tree() == {"f": "first", "g": "edited"}
    messages = [problem.message for problem in report.problems]
    assert any("delta" in message and "cannot read" in message for message in messages)
    c = Laptop(tmp_path / "c", "cccccccc", [s1])
    c.sync()
    assert c.tree() == {"f": "first", "g": "edited"}
    before = event_count(s1)
    for laptop in (a, b, c):
        assert laptop.sync().written == 0
    assert event_count(s1) == before


def test_content_of_a_delta_is_sent_whole(pair: tuple[Laptop, Laptop], s1: Path) -> None:
    """A file whose content only a delta brings is no file whose content the log has."""
    a, b = pair
    a.write("f", "first")
    settle(a, b)
    (first,) = event_files(s1)
    plant(s1, single(change(Op.PAT, "f", b"second", ref_of(first)), b"..."))
    a.write("g", "second")
    settle(a, b)
    assert b.read("g") == "second"
    assert PLAIN.data(b"second") in contents_in(s1)


def test_edit_on_top_of_what_is_shown(pair: tuple[Laptop, Laptop], s1: Path) -> None:
    """What is written while a delta is pending stands on the version that was shown, beside it."""
    a, b = pair
    a.write("f", "first")
    settle(a, b)
    (first,) = event_files(s1)
    plant(s1, single(change(Op.PAT, "f", b"second", ref_of(first)), b"..."))
    b.sync()
    b.write("f", "edited by b")
    b.sync()
    a.sync()
    assert a.tree() == b.tree() == {"f": "edited by b"}


def test_forged_events_close_nothing_they_do_not_name(
    pair: tuple[Laptop, Laptop], s1: Path
) -> None:
    """Somebody's event on a path stands beside ours, and takes nothing away."""
    a, b = pair
    a.write("f", "text")
    a.sync()
    plant(s1, batch((change(Op.PUT, "f", b"forged"), b"forged")))
    settle(a, b)
    assert a.tree() == b.tree()
    assert sorted(a.tree().values(), key=str) == ["forged", "text"]
    assert missing_contents(s1) == set()
    check_rest([a, b])
