"""Forged, damaged, replayed and countless events: items 42 to 55 but 50 (see `test_scale`).

53 and 54 are about snapshots and the records of history: no reader of this version opens them, so
here they only must not get in the way; their readers get rows of their own with them. 46 and 52
need more than one store or week, so they are played by `Laptop`s.
"""

import json
import os
from collections import Counter
from pathlib import Path

import pytest
from tests.scenario.forging import batch, change, member, plant, plant_manifest, single, write
from tests.scenario.hostile.victim import Victim, ref
from tests.scenario.laptops import LAYOUT, Laptop, settle
from tests.scenario.store_contents import event_files

from firnline.core.clock import DateTime
from firnline.core.event import DeviceId, Op
from firnline.core.hashing import EMPTY_HASH, PLAIN, Ref

GOOD = "20261122070000000000_" + "0" * 31 + "g_put_" + "0" * 25 + "g.0-ssssssss-000000000--"
NAMES = {
    "42-field-missing": GOOD.replace("_put", ""),
    "42-field-too-many": GOOD + "-x",
    "42-extra-source": GOOD.replace(".0", "_" + "0" * 25 + "g.0"),
    "42-move-without-source": GOOD.replace("put", "mov"),
    "42-letter-after-v": GOOD.replace("0g_put", "zg_put"),
    "42-other-separators": GOOD.replace("_", "-"),
    "42-upper-case": GOOD.upper(),
    "42-ending-that-no-hash-has": GOOD.replace("0g.0", "01.0"),
    "42-unknown-operation": GOOD.replace("put", "own"),
    "42-flag-of-none": GOOD[:-1] + "s",
    "42-flag-on-deletion": GOOD.replace("put", "del")[:-1] + "x",
    "42-line-end": GOOD + "\n",
    "42-very-long": GOOD + "x" * 100,
    "43-date-0000": "0000" + GOOD[4:],
    "43-date-9999": "9999" + GOOD[4:],
    "43-month-13": GOOD[:4] + "13" + GOOD[6:],
    "43-30-february": GOOD[:4] + "0230" + GOOD[8:],
    "43-leap-second": GOOD[:12] + "60" + GOOD[14:],
    "43-letters": "2o26" + GOOD[4:],
    "43-arabic-digits": "\u0662\u0660\u0662\u0666" + GOOD[4:],
    "43-full-width-digits": "\uff12\uff10\uff12\uff16" + GOOD[4:],
    "43-sign": "+026" + GOOD[4:],
}


@pytest.mark.parametrize("name", NAMES)
def test_names_that_do_not_parse(victim: Victim, tried: Counter[str], name: str) -> None:
    """Left alone, counted and shown, in a directory of its day or of any other."""
    day = victim.root / "events" / victim.time()[:8]
    for place in (day, victim.root / "events" / NAMES[name][:8]):
        write(place / NAMES[name], b"junk")
        tried["hostile inputs"] += 1
    assert victim.attacked(code=0) == []
    assert "there are no events, and left alone" in victim.run("status")
    assert (day / NAMES[name]).read_bytes() == b"junk"


def test_44_45_bodies_that_are_not_what_was_promised(victim: Victim, tried: Counter[str]) -> None:
    """Another content, a longer, a shorter and an endless one, alone and in batches: each keeps
    back its own path and nothing else."""
    bodies = {
        "44 other": b"evil!",
        "45 shorter": b"evi",
        "45 longer": b"right and more",
        "45 empty": b"",
        "45 endless": None,
    }
    for path, body in bodies.items():
        wanted = change(Op.PUT, path, b"right")
        place = plant(victim.store, single(wanted, b"", time=victim.time()), layout=victim.layout)
        file = victim.store / victim.layout.event(place)
        if body is None:
            file.write_bytes(b"right")
            os.truncate(file, 2**43)
        else:
            file.write_bytes(body)
        manifest = member(f"in batch {path}", hash=PLAIN.data(b"right"), size=5)
        plant_manifest(
            victim.store, manifest, body or b"", time=victim.time(), layout=victim.layout
        )
        tried["hostile inputs"] += 2
    problems = victim.attacked()
    told = " ".join(problem["message"] for problem in problems)
    for path in bodies:
        assert f"docs:{path}" in told or path == "45 endless"
        assert path not in victim.tree()
        assert f"in batch {path}" not in victim.tree()


@pytest.mark.parametrize("size", [10**13, 2**63 - 1, 2**63, -1, 10**400, 1e99, "5", True, None])
def test_45_declared_sizes(victim: Victim, tried: Counter[str], size: object) -> None:
    """A size in a manifest is a claim: nothing is set aside for it, nothing is read beyond what is
    there, and nothing else waits for it."""
    manifest = member("huge.bin", hash=PLAIN.data(b"right"), size=size)
    plant_manifest(victim.store, manifest, b"right", time=victim.time(), layout=victim.layout)
    header = b"firnline-batch 1 99999999999\n{"
    forged = plant_manifest(victim.store, b"", time=victim.time(), layout=victim.layout)
    (victim.store / victim.layout.event(forged)).write_bytes(header)
    tried["hostile inputs"] += 2
    assert len(victim.attacked()) == 2
    assert "huge.bin" not in victim.tree()


def test_46_one_name_with_two_bodies_in_two_stores(tmp_path: Path, tried: Counter[str]) -> None:
    """The store whose body has the right hash is believed, whichever was asked first, and
    whoever was given the wrong one by the other writes it again there."""
    s1, s2 = tmp_path / "s1", tmp_path / "s2"
    laptop = Laptop(tmp_path / "a", "aaaaaaaa", [s1, s2])
    laptop.write("mine.txt", "mine")
    settle(laptop)
    for number in range(4):
        body = b"right %d" % number
        draft = single(change(Op.PUT, f"f{number}", body), body)
        plant(s1, draft)
        plant(s2, draft)
        wrong = (s1, s2)[number % 2] / LAYOUT.event(draft.name)
        wrong.write_bytes(b"wrong %d" % number if number < 2 else b"of another length")
        tried["hostile inputs"] += 1
    settle(laptop)
    right = {f"right {number}" for number in range(4)} | {"mine"}
    assert set(laptop.tree().values()) == right
    other = Laptop(tmp_path / "b", "bbbbbbbb", [s2, s1])
    settle(other, laptop)
    for store in (s1, s2):
        files = event_files(store).items()
        assert {path.read_text() for name, path in files if "_put_" in name} == right


def test_47_events_that_claim_this_device(victim: Victim, tried: Counter[str]) -> None:
    """Whoever an event says it is from, it is judged by what it says: it overwrites and deletes
    nothing that it does not name, and is no event of ours to be sent again."""
    device = DeviceId(json.loads(victim.run("status", "--json"))["device"]["id"])
    for op, path, body in (
        (Op.PUT, "forged.txt", b"forged"),
        (Op.DEL, "mine.txt", None),
        (Op.RMD, "mine.txt", None),
    ):
        draft = single(change(op, path, body), body or b"", time=victim.time(), device=device)
        plant(victim.store, draft, layout=victim.layout)
        tried["hostile inputs"] += 1
    assert victim.attacked(code=0) == []
    assert victim.tree()["forged.txt"] == "forged"


def test_48_directory_moved_into_itself(victim: Victim, tried: Counter[str]) -> None:
    """Moves of what is in a directory to places below it, also in a ring, end with every content
    where one event puts it."""
    for name in ("d/one.txt", "d/two.txt"):
        victim.write(name, name)
    victim.run("sync")
    newest = ref(max(victim.events()))
    lines = [
        member(f"d/in/{name}", op="mov", offset=None, parent=newest, size=9,
               hash=PLAIN.data(f"d/{name}".encode()), **{"from": f"d/{name}"})
        for name in ("one.txt", "two.txt")
    ]  # fmt: skip
    plant_manifest(victim.store, b"".join(lines), time=victim.time(), layout=victim.layout)
    # Onto itself is refused, and so is a path that is both moved away and moved to.
    for path, source in (("d", "d"), ("d/in/x", "d")):
        line = member(path, op="mov", offset=None, **{"from": source})
        plant_manifest(victim.store, line, time=victim.time(), layout=victim.layout)
    ring = [
        member(path, op="mov", offset=None, **{"from": source})
        for path, source in (("r1", "r2"), ("r2", "r1"))
    ]
    plant_manifest(victim.store, b"".join(ring), time=victim.time(), layout=victim.layout)
    victim.plant(Op.MOV, "d/in/deeper", b"x", source="d/in")
    victim.plant(Op.MOV, "d", b"x", source="d/in/deeper")
    tried["hostile inputs"] += 6
    victim.attacked(code=None)
    texts = list(victim.tree().values())
    assert {"d/one.txt", "d/two.txt"} <= set(texts)


@pytest.mark.parametrize("op", [Op.DEL, Op.RMD, Op.PUT, Op.LNK, Op.MKD])
def test_49_events_on_the_root(victim: Victim, tried: Counter[str], op: Op) -> None:
    """Nobody deletes, moves or writes the folder itself."""
    victim.plant(op, "", b"x" if op in (Op.PUT, Op.LNK) else None)
    for path in ("", ".", "mine.txt/.."):
        line = member(path, op=str(op), offset=None, hash=EMPTY_HASH)
        plant_manifest(victim.store, line, time=victim.time(), layout=victim.layout)
    tried["hostile inputs"] += 4
    assert [problem["kind"] for problem in victim.attacked()] == ["refused event"] * 4


def test_51_parents_that_do_not_exist(victim: Victim, tried: Counter[str]) -> None:
    """What stands on something that nobody has hides and overwrites nothing; hashes make a ring
    impossible, and what looks like one is only two unknown parents."""
    for number, path in enumerate(("new.txt", "mine.txt", "mine.txt")):
        unknown = Ref(f"{number:010}")
        victim.plant(Op.PUT, path, b"on top %d" % number, parent=unknown)
        victim.plant(Op.DEL, "mine too.txt", parent=unknown)
        tried["hostile inputs"] += 2
    victim.write("mine too.txt", "mine too")
    victim.run("sync", code=None)
    assert (victim.folder / "mine too.txt").read_text() == "mine too"
    texts = {path.read_text() for path in victim.folder.glob("*.txt")}
    assert "mine" in texts


def test_52_event_replayed_from_an_old_log(tmp_path: Path, tried: Counter[str]) -> None:
    """An event that comes back, in any store, after it was superseded, deleted and forgotten
    elsewhere changes nothing: what stood on it still stands on it."""
    s1, s2 = tmp_path / "s1", tmp_path / "s2"
    a = Laptop(tmp_path / "a", "aaaaaaaa", [s1])
    b = Laptop(tmp_path / "b", "bbbbbbbb", [s1, s2])
    a.write("f", "old secret")
    settle(a, b)
    old = {name: path.read_bytes() for name, path in event_files(s1).items()}
    a.write("f", "new")
    settle(a, b)
    a.delete("f")
    a.write("g", "rest")
    settle(a, b)
    for laptop in (a, b):
        laptop.clock.advance(days=400)
    for store in (s1, s2):
        for name, body in old.items():
            (store / LAYOUT.event(name)).unlink()
            settle(a, b)
            write(store / LAYOUT.event(name), body)
            tried["hostile inputs"] += 1
            settle(a, b)
    c = Laptop(tmp_path / "c", "cccccccc", [s2])
    settle(a, b, c)
    assert a.tree() == b.tree() == c.tree() == {"g": "rest"}


SNAPSHOT_NAMES = [
    "{store}_99999999zzzzzz_0",
    "{store}_00000000000000_0",
    "{store}_00000000000000_" + "0" * 32,
    "{store}_-0000001aaaaaa_0",
    "{store}_123456789aaaaaa_0",
    "{other}_00000001aaaaaa_0",
    "..",
    "x" * 200,
]


def test_53_54_forged_snapshots_and_records(victim: Victim, tried: Counter[str]) -> None:
    """Bases, items, lists and inverse records of any shape lie in the store and change nothing of
    what this version makes of the log."""
    (current,) = victim.store.glob("stores/*/is_current")
    for name in SNAPSHOT_NAMES:
        filled = name.format(store=current.parent.name, other="0" * 16)
        snapshot = filled.split("_")[1] if "_" in filled else "00000002bbbbbb"
        for place, body in {
            f"snapshot/base/{filled}": b"",
            f"snapshot/items/{snapshot}/lists": f"{snapshot}\n".encode() * 3,
            f"snapshot/items/{snapshot}/names": b"\x1f\x8b" + b"\0" * 100,
            f"snapshot/items/{snapshot}/manifest": b"[" * 10_000,
            "history/invert/202611/" + filled: b'{"path": "../pwn", "hash": "x"}',
            "history/data/00/" + "0" * 32: b"of another hash",
        }.items():
            if ".." not in place:
                write(victim.root / place, body)
                tried["hostile inputs"] += 1
    assert victim.attacked(code=0) == []


def test_55_name_that_stands_in_the_target_with_other_bytes(
    tmp_path: Path, tried: Counter[str]
) -> None:
    """What is wrong reaches no folder and no other store, and is shown to who has nothing better;
    whoever finds it and has something better writes it again."""
    s1, s2 = tmp_path / "s1", tmp_path / "s2"
    a = Laptop(tmp_path / "a", "aaaaaaaa", [s1])
    for number in range(3):
        a.write(f"f{number}", f"text {number}")
        a.sync()
    names = sorted(event_files(s1))
    for name, wrong in zip(names, (b"wrong!", b"", b"longer than the right one"), strict=True):
        write(s2 / LAYOUT.event(name), wrong)
        tried["hostile inputs"] += 1
    b = Laptop(tmp_path / "b", "bbbbbbbb", [s1, s2])
    settle(b, a)
    c = Laptop(tmp_path / "c", "cccccccc", [s2])
    report = c.sync()
    assert c.tree() == {}
    assert {problem.kind for problem in report.problems} == {"pending event"}
    finder = Laptop(tmp_path / "d", "dddddddd", [s2, s1])
    settle(finder, c, b, a)
    assert c.tree() == finder.tree() == a.tree()
    assert {path.read_bytes() for path in event_files(s2).values()} == {
        path.read_bytes() for path in event_files(s1).values()
    }


def test_batch_with_a_wrong_manifest_hash(victim: Victim, tried: Counter[str]) -> None:
    """A manifest that is not the one of its name is not believed in a single line."""
    draft = batch(
        (change(Op.PUT, "pwn.txt", b"x"), b"x"), (change(Op.PUT, "q.txt", b"y"), b"y"),
        time=DateTime(victim.time()),
    )  # fmt: skip
    name = plant(victim.store, draft, layout=victim.layout)
    file = victim.store / victim.layout.event(name)
    file.write_bytes(file.read_bytes().replace(b"pwn.txt", b"own.txt"))
    tried["hostile inputs"] += 1
    assert [problem["kind"] for problem in victim.attacked()] == ["pending event"]
    assert "own.txt" not in victim.tree()
