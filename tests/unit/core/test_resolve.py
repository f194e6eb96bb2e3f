"""Rules 4 to 7 of docs/design.md section 3: the events that whoever sees a conflict writes."""

from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.core.builders import (
    WEAK,
    A,
    B,
    C,
    Event,
    KnownEvents,
    at,
    batch,
    change,
    copy,
    delete,
    link,
    mkdir,
    move,
    named,
    put,
    single,
)
from tests.unit.core.forging import forged
from tests.unit.core.vectors import VECTORS

from firnline.core.clock import DateTime, later
from firnline.core.entry import Change
from firnline.core.event import DeviceId, EventText, Op, parse_name
from firnline.core.hashing import PLAIN, Hasher, Ref
from firnline.core.heads import state_of
from firnline.core.resolve import Ruling, device_of, resolve, sources, time_of


class Asked(NamedTuple):
    """An event that a rule asks for, in the words of these tables."""

    seconds: float
    device: DeviceId
    changes: tuple[Change, ...]


def asked(ruling: Ruling) -> Asked:
    """With the microsecond that is added taken off again."""
    before = [s / 2 for s in range(100) if later(at(s / 2)) == ruling.time]
    return Asked(before[0], ruling.device, ruling.changes)


def mark(device: DeviceId, second: int = 0) -> str:
    return f" (conflict 2026-11-22 08.26.{second:02} {device})"


def aside(loser: Event, content: str, path: str, target: str, flags: str = "-") -> Change:
    return change(Op.MOV, target, content, loser.ref, source=path, flags=flags)


def gone(event: Event, path: str) -> Change:
    return change(Op.DEL, path, "", event.ref)


OLD = put("p", "old")
ONE = put("p", "one", seconds=1, device=A)
TWO = put("p", "two", seconds=2, device=B)
THREE = put("p", "three", seconds=3, device=C)
ONE_TOO = put("p", "too", seconds=1.5, device=A)
ONE_AGAIN = put("p", "one", seconds=4, device=C)
ONE_LATER = put("p", "one", OLD.ref, seconds=2.5, device=B)
LINK = link("p", "there", seconds=1)
DIR = mkdir("p")
MINE = put(f"p{mark(A, 1)}", "mine")
CHILD = put("p/x", "x", seconds=5)

RULE_4 = [
    ("one head", [ONE], []),
    ("twins", [ONE, ONE_AGAIN], []),
    ("deletions only", [OLD, delete("p", OLD.ref)], []),
    (
        "the smaller name is moved aside",
        [ONE, TWO],
        [Asked(2, A, (aside(ONE, "one", "p", f"p{mark(A, 1)}"),))],
    ),
    (
        "so is every loser, each to its own copy",
        [ONE, TWO, THREE],
        [
            Asked(3, A, (aside(ONE, "one", "p", f"p{mark(A, 1)}"),)),
            Asked(3, B, (aside(TWO, "two", "p", f"p{mark(B, 2)}"),)),
        ],
    ),
    (
        "of equal losers the smallest name is moved, the others are closed",
        [OLD, delete("p", OLD.ref), ONE, ONE_LATER, THREE],
        [
            Asked(3, A, (aside(ONE, "one", "p", f"p{mark(A, 1)}"),)),
            Asked(3, B, (gone(ONE_LATER, "p"),)),
        ],
    ),
    (
        "twins of the loser need no event",
        [ONE, ONE_AGAIN, put("p", "w", seconds=9)],
        [Asked(9, A, (aside(ONE, "one", "p", f"p{mark(A, 1)}"),))],
    ),
    (
        "twins among the equal ones are closed once",
        [OLD, ONE, ONE_LATER, put("p", "one", OLD.ref, seconds=6), put("p", "w", seconds=9)],
        [
            Asked(9, A, (aside(ONE, "one", "p", f"p{mark(A, 1)}"),)),
            Asked(9, B, (gone(ONE_LATER, "p"),)),
        ],
    ),
    (
        "a link stays one",
        [LINK, TWO],
        [Asked(2, A, (aside(LINK, "there", "p", f"p{mark(A, 1)}", "l"),))],
    ),
    (
        "flags are content",
        [ONE, put("p", "one", seconds=2, device=B, flags="x")],
        [Asked(2, A, (aside(ONE, "one", "p", f"p{mark(A, 1)}"),))],
    ),
    (
        "an executable stays one",
        [put("p", "one", seconds=1, flags="x"), TWO],
        [
            Asked(
                2,
                A,
                (aside(put("p", "one", seconds=1, flags="x"), "one", "p", f"p{mark(A, 1)}", "x"),),
            )
        ],
    ),
    (
        "a name that is in use gets a second mark",
        [ONE, TWO, MINE],
        [Asked(2, A, (aside(ONE, "one", "p", f"p{mark(A, 1)}{mark(A, 1)}"),))],
    ),
    (
        "a name that was in use does not",
        [ONE, TWO, MINE, delete(f"p{mark(A, 1)}", MINE.ref)],
        [Asked(2, A, (aside(ONE, "one", "p", f"p{mark(A, 1)}"),))],
    ),
    (
        "two losers of one device and second",
        [ONE, ONE_TOO, TWO],
        [
            Asked(2, A, (aside(ONE, "one", "p", f"p{mark(A, 1)}"),)),
            Asked(2, A, (aside(ONE_TOO, "too", "p", f"p{mark(A, 1)}{mark(A, 1)}"),)),
        ],
    ),
    (
        "it is at rest then",
        [ONE, TWO, single(later(at(2)), A, aside(ONE, "one", "p", f"p{mark(A, 1)}"))],
        [],
    ),
]

X = put("p", "old", OLD.ref, seconds=2, device=B, flags="x")
EDIT = put("p", "edit", OLD.ref, seconds=3, device=C)
XX = put("p", "edit", OLD.ref, seconds=3, device=C, flags="x")
X_LATER = put("p", "old", OLD.ref, seconds=4, device=B, flags="x")
X_OF_C = put("p", "old", OLD.ref, seconds=5, device=C, flags="x")
OLD_TOUCHED = put("p", "old", OLD.ref, seconds=1)
X_OF_TOUCHED = put("p", "old", OLD_TOUCHED.ref, seconds=5, device=C, flags="x")
EDIT_OF_TOUCHED = put("p", "edit", OLD_TOUCHED.ref, seconds=6)

RULE_4A = [
    (
        "the winner gets the flags, and the rival is closed",
        [OLD, X, EDIT],
        [
            Asked(3, B, (change(Op.CPY, "p", "edit", EDIT.ref, source="p", flags="x"),)),
            Asked(3, B, (gone(X, "p"),)),
        ],
    ),
    (
        "the later of the two gives the time",
        [OLD, X_LATER, EDIT],
        [
            Asked(4, B, (change(Op.CPY, "p", "edit", EDIT.ref, source="p", flags="x"),)),
            Asked(4, B, (gone(X_LATER, "p"),)),
        ],
    ),
    ("unless it has them", [OLD, X, XX], [Asked(3, B, (gone(X, "p"),))]),
    (
        "of twins the smallest name is answered, whoever the others are from",
        [OLD, X, X_LATER, X_OF_C, EDIT],
        [
            Asked(3, B, (change(Op.CPY, "p", "edit", EDIT.ref, source="p", flags="x"),)),
            Asked(3, B, (gone(X, "p"),)),
        ],
    ),
    ("so where the winner has the flags", [OLD, X, X_OF_C, XX], [Asked(3, B, (gone(X, "p"),))]),
    (
        "on top of something else they are no twins",
        [OLD, OLD_TOUCHED, X, X_OF_TOUCHED, EDIT_OF_TOUCHED],
        [
            Asked(6, device, (wanted,))
            for flags, device in ((X, B), (X_OF_TOUCHED, C))
            for wanted in (
                change(Op.CPY, "p", "edit", EDIT_OF_TOUCHED.ref, source="p", flags="x"),
                gone(flags, "p"),
            )
        ],
    ),
    (
        "flags are taken away as well",
        [OLD, X, put("p", "old", X.ref, seconds=4), put("p", "edit", X.ref, seconds=5, flags="x")],
        [
            Asked(
                5,
                A,
                (
                    change(
                        Op.CPY,
                        "p",
                        "edit",
                        put("p", "edit", X.ref, seconds=5, flags="x").ref,
                        source="p",
                    ),
                ),
            ),
            Asked(5, A, (gone(put("p", "old", X.ref, seconds=4), "p"),)),
        ],
    ),
    (
        "a link has no flags to carry",
        [OLD, X, link("p", "there", OLD.ref, seconds=3)],
        [Asked(3, B, (gone(X, "p"),))],
    ),
]

MOVE = move("p", "q", "old", OLD.ref, seconds=2, device=B)
MOVE_TWIN = move("p", "q", "old", OLD.ref, seconds=2.5, device=C)
MOVE_TO_R = move("p", "r", "old", OLD.ref, seconds=6, device=C)
ON = move("q", "r", "old", MOVE.ref, seconds=4, device=B)
EDIT_2 = put("p", "edit 2", EDIT.ref, seconds=8, device=C, mtime=7)
EDIT_BESIDE = put("p", "beside", OLD.ref, seconds=9, device=A)
OLD_TWIN = put("p", "old", seconds=0.5, device=B)
LINK_EDIT = link("p", "new", LINK.ref, seconds=3)
LINK_MOVE = move("p", "q", "there", LINK.ref, seconds=2, device=B, flags="l")
Q = put("q", "Q")


def follows(
    edit: Event, content: str, target: Event, path: str, *, flags: str = "-", mtime: int = 0
):
    """`bat{put q from p DATAHASH(E) PARENT move; del p PARENT E}`."""
    put_there = change(Op.PUT, path, content, target.ref, source="p", flags=flags, mtime=mtime)
    return tuple(sorted((put_there, gone(edit, "p")), key=lambda one: one.path))


def followed(edit: Event, content: str, target: Event, path: str, seconds: float) -> Event:
    return batch(at(seconds), C, follows(edit, content, target, path))


def onto(parent: Event, content: str = "old", seconds: float = 2) -> Event:
    """A move of p onto q, which had something: a batch of `put` and `del`."""
    changes = [
        change(Op.PUT, "q", content, parent.ref, source="p"),
        change(Op.DEL, "p", "", OLD.ref),
    ]
    return batch(at(seconds), B, changes)


Q_OLD = put("q", "old")
Q_AWAY = move("q", "z", "old", Q_OLD.ref, seconds=1)
USED = put("q", "other", ON.ref, seconds=7)
SWAP = batch(
    at(2),
    B,
    [
        change(Op.PUT, "p", "Q", OLD.ref, source="q"),
        change(Op.PUT, "q", "old", Q.ref, source="p"),
    ],
)
FOLLOWED = followed(EDIT, "edit", MOVE, "q", 3.5)

RULE_5 = [
    ("the move alone", [OLD, MOVE], []),
    (
        "the edit goes where the file went",
        [OLD, MOVE, EDIT],
        [Asked(3, C, follows(EDIT, "edit", MOVE, "q"))],
    ),
    (
        "the later of the two gives the time",
        [OLD, MOVE_TO_R, EDIT],
        [Asked(6, C, follows(EDIT, "edit", MOVE_TO_R, "r"))],
    ),
    (
        "an edit of an edit, with its own time, flags and device",
        [OLD, MOVE, EDIT, EDIT_2],
        [Asked(8, C, follows(EDIT_2, "edit 2", MOVE, "q", mtime=7))],
    ),
    (
        "changed flags",
        [OLD, MOVE, X],
        [Asked(2, B, follows(X, "old", MOVE, "q", flags="x"))],
    ),
    (
        "an edit of a twin of what was moved",
        [OLD, OLD_TWIN, MOVE, put("p", "edit", OLD_TWIN.ref, seconds=3, device=C)],
        [
            Asked(
                3,
                C,
                follows(put("p", "edit", OLD_TWIN.ref, seconds=3, device=C), "edit", MOVE, "q"),
            )
        ],
    ),
    (
        "both of two edits",
        [OLD, MOVE, EDIT, EDIT_BESIDE],
        [
            Asked(3, C, follows(EDIT, "edit", MOVE, "q")),
            Asked(9, A, follows(EDIT_BESIDE, "beside", MOVE, "q")),
        ],
    ),
    (
        "of several moves the largest name",
        [OLD, MOVE, MOVE_TO_R, EDIT],
        [Asked(6, C, follows(EDIT, "edit", MOVE_TO_R, "r"))],
    ),
    (
        "of several moves one whose target stands",
        [OLD, MOVE, MOVE_TO_R, put("r", "R", MOVE_TO_R.ref, seconds=7), EDIT],
        [Asked(3, C, follows(EDIT, "edit", MOVE, "q"))],
    ),
    (
        "twins of the move count as one",
        [OLD, MOVE, MOVE_TWIN, EDIT],
        [Asked(3, C, follows(EDIT, "edit", MOVE_TWIN, "q"))],
    ),
    (
        "moved on: the next target takes its place",
        [OLD, MOVE, ON, EDIT],
        [Asked(4, C, follows(EDIT, "edit", ON, "r"))],
    ),
    (
        "moved on by who saw a twin",
        [OLD, MOVE, MOVE_TWIN, ON, EDIT],
        [Asked(4, C, follows(EDIT, "edit", ON, "r"))],
    ),
    (
        "moved on, and another file stood there since",
        [OLD, MOVE, ON, USED, delete("q", USED.ref, seconds=8), EDIT],
        [Asked(4, C, follows(EDIT, "edit", ON, "r"))],
    ),
    (
        "deleted; only what stood there before was moved on",
        [OLD, Q_OLD, Q_AWAY, MOVE, delete("q", MOVE.ref, seconds=3), EDIT],
        [],
    ),
    (
        "the next save follows too",
        [OLD, MOVE, EDIT, FOLLOWED, EDIT_2],
        [Asked(8, C, follows(EDIT_2, "edit 2", FOLLOWED, "q", mtime=7))],
    ),
    (
        "a move onto something",
        [OLD, Q, onto(Q), EDIT],
        [Asked(3, C, follows(EDIT, "edit", onto(Q), "q"))],
    ),
    ("the target was edited: rule 2", [OLD, MOVE, put("q", "Q", MOVE.ref, seconds=5), EDIT], []),
    ("the target was deleted: rule 2", [OLD, MOVE, delete("q", MOVE.ref, seconds=5), EDIT], []),
    ("the target has another head: rule 2", [OLD, MOVE, Q, EDIT], []),
    ("not an edit of what was moved", [OLD, MOVE, ONE], []),
    ("what was moved is not known", [MOVE, EDIT], []),
    ("deleted, not moved", [OLD, delete("p", OLD.ref), EDIT], []),
    (
        "a swap is no move",
        [OLD, Q, SWAP, EDIT],
        [Asked(3, B, (aside(SWAP, "Q", "p", f"p{mark(B, 2)}"),))],
    ),
    ("a directory does not follow", [OLD, MOVE, mkdir("p", OLD.ref, seconds=3)], []),
    ("a hint, but other content", [OLD, Q, onto(Q, "moved and edited"), EDIT], []),
    (
        "a put of other content under the name of the move",
        [OLD, batch(at(2), B, [change(Op.PUT, "q", "n"), gone(OLD, "p")]), EDIT],
        [],
    ),
    (
        "what stands at the target has to go on first",
        [OLD, MOVE, EDIT, FOLLOWED, ON, EDIT_2],
        [],
    ),
    (
        "the edit of a link",
        [LINK, LINK_MOVE, LINK_EDIT],
        [
            Asked(
                3,
                A,
                (
                    change(Op.DEL, "p", "", LINK_EDIT.ref),
                    change(Op.LNK, "q", "new", LINK_MOVE.ref, source="p"),
                ),
            )
        ],
    ),
]

RULE_6 = [
    ("a directory alone", [DIR, CHILD], []),
    ("nothing below it any more", [ONE, CHILD, delete("p/x", CHILD.ref)], []),
    (
        "a file where others have a directory",
        [ONE, CHILD],
        [Asked(1, A, (aside(ONE, "one", "p", f"p{mark(A, 1)}"),))],
    ),
    (
        "a link as well",
        [LINK, CHILD],
        [Asked(1, A, (aside(LINK, "there", "p", f"p{mark(A, 1)}", "l"),))],
    ),
    (
        "a directory that somebody made stays, also beside a larger name",
        [DIR, TWO],
        [Asked(0, B, (aside(TWO, "two", "p", f"p{mark(B, 2)}"),))],
    ),
    (
        "after the winners: the loser by the winner's time, the winner by its own",
        [ONE, TWO, CHILD],
        [
            Asked(2, A, (aside(ONE, "one", "p", f"p{mark(A, 1)}"),)),
            Asked(2, B, (aside(TWO, "two", "p", f"p{mark(B, 2)}"),)),
        ],
    ),
    (
        "equal heads are closed",
        [OLD, ONE, ONE_LATER, CHILD],
        [
            Asked(1, A, (aside(ONE, "one", "p", f"p{mark(A, 1)}"),)),
            Asked(2.5, B, (gone(ONE_LATER, "p"),)),
        ],
    ),
    (
        "loser and winner of one device and second get copies of their own",
        [ONE, ONE_TOO, CHILD],
        [
            Asked(1.5, A, (aside(ONE, "one", "p", f"p{mark(A, 1)}"),)),
            Asked(1.5, A, (aside(ONE_TOO, "too", "p", f"p{mark(A, 1)}{mark(A, 1)}"),)),
        ],
    ),
]

UNKNOWN = put("p", "w", Ref("u" * 10), seconds=4)
UNKNOWN_COPY = put(f"p{mark(A, 1)}", "w", Ref("u" * 10))

RULE_7: list[tuple[str, list[Event], list[Asked]]] = [
    ("a parent is unknown: nobody writes", [ONE, TWO, UNKNOWN], []),
    ("at the target of a move as well", [OLD, MOVE, put("q", "w", Ref("u" * 10)), EDIT], []),
    ("nor at a target further on", [OLD, MOVE, ON, put("r", "w", Ref("u" * 10)), EDIT], []),
    (
        "nor beside a copy: somebody edited it, and the move is on its way",
        [ONE, TWO, UNKNOWN_COPY],
        [],
    ),
]

TABLES = {"4": RULE_4, "4a": RULE_4A, "5": RULE_5, "6": RULE_6, "7": RULE_7}
CASES = [
    pytest.param(events, expected, id=f"rule {rule}: {description}")
    for rule, table in TABLES.items()
    for description, events, expected in table
]


@pytest.mark.parametrize(("events", "expected"), CASES)
def test_rules(events, expected):
    """Exactly these events are asked for at p, whatever order the log came in."""
    for log in (KnownEvents(*events), KnownEvents(*reversed(events))):
        assert sorted(map(asked, resolve("p", log))) == sorted(expected)


@pytest.mark.parametrize(
    ("events", "joined"),
    [
        ([OLD, X, EDIT], [False, True]),
        ([OLD, X, XX], [False]),
        ([OLD, X, link("p", "there", OLD.ref, seconds=3)], [False]),
        ([OLD, X, X_LATER, put("p", "edit", OLD.ref, seconds=7)], [False, True]),
        ([ONE, put("p", "one", OLD.ref, seconds=1.5), OLD, TWO], [False, True]),
        ([ONE, TWO, put("p", "three", seconds=3)], [False, False]),
    ],
)
def test_what_closes_a_head_waits_for_what_brings_its_part(events, joined):
    """Flags that are carried and the end of the head that had them are one decision, and so are a
    conflict copy and the end of the other heads with its content."""
    assert [ruling.joined for ruling in resolve("p", KnownEvents(*events))] == joined


def test_equal_heads_that_are_no_twins_count_as_one():
    """Rule 3: nothing has to be written for them."""
    other = put("p", "between", OLD.ref, seconds=1)
    same = put("p", "edit", other.ref, seconds=2)
    assert resolve("p", KnownEvents(OLD, EDIT, other, same)) == []


def test_moved_back_is_a_conflict_with_the_edit():
    """An edit does not follow in a circle; what was moved back stands beside it."""
    back = move("q", "p", "old", MOVE.ref, seconds=4, device=B)
    (ruling,) = resolve("p", KnownEvents(OLD, MOVE, back, EDIT))
    assert asked(ruling) == Asked(4, C, (aside(EDIT, "edit", "p", f"p{mark(C, 3)}"),))


def test_nothing_is_known_of_a_path():
    """No entries, no events."""
    assert resolve("p", KnownEvents()) == []


@pytest.mark.parametrize(
    ("events", "copies"),
    [
        ([ONE, TWO, UNKNOWN], {f"p{mark(A, 1)}", f"p{mark(B, 2)}"}),
        ([ONE, TWO, UNKNOWN_COPY], {f"p{mark(A, 1)}{mark(A, 1)}"}),
    ],
)
def test_after_seven_days_nobody_waits(events, copies):
    """Once the parent has been missing for so long, the rules take the log as it is."""
    log = KnownEvents(*events)
    assert resolve("p", log) == []
    log.impatient = True
    assert {ruling.changes[0].path for ruling in resolve("p", log)} == copies


def test_vector():
    """The listed conflict event is what the rule asks for, byte for byte."""
    (vector,) = [v for v in VECTORS["events"] if v["what"].startswith("conflict event")]
    loser, winner = (parse_name(VECTORS["events"][n]["name"]) for n in (0, 1))
    log = KnownEvents(
        *(
            single(
                n.time,
                n.device,
                Change(n.op, "a.txt", None, Ref("0"), n.data_hash, 3, n.mtime, n.flags),
            )
            for n in (loser, winner)
        )
    )
    assert VECTORS["events"][0]["name"] in log.known
    (ruling,) = resolve("a.txt", log)
    assert named(ruling.time, ruling.device, ruling.changes).text == vector["name"]


@pytest.mark.parametrize("vector", VECTORS["events"], ids=lambda vector: vector["what"])
def test_time_and_device_of_a_name(vector):
    """Read off where the grammar has them."""
    name = EventText(vector["name"])
    assert time_of(name) == vector["fields"]["datetime"]
    assert device_of(name) == vector["fields"]["device"]


def test_names_that_are_full_come_to_an_end():
    """A leaf of 255 bytes whose copy is in use: the stem gives way to a second mark."""
    path = "n" * 255
    loser, winner = put(path, "one", seconds=1), put(path, "two", seconds=2, device=B)
    copies = [f"{'n' * (255 - 40 * marks)}{mark(A, 1) * marks}" for marks in (1, 2)]
    log = KnownEvents(loser, winner, put(copies[0], "mine"))
    (ruling,) = resolve(path, log)
    assert ruling.changes == (aside(loser, "one", path, copies[1]),)


def test_no_name_is_left():
    """All copies that a name can have are in use: the loser stays a head, and nobody hangs."""
    loser, winner = put("p", "one", seconds=1), put("p", "two", seconds=2, device=B)
    taken = [put(f"p{mark(A, 1) * marks}", "mine") for marks in range(1, 7)]
    assert resolve("p", KnownEvents(loser, winner, *taken)) == []


def test_no_copy_fits_below_a_long_directory():
    """The same where the path would be longer than a path may be."""
    path = "/".join(["d" * 255] * 15 + ["d" * 250, "p"])
    log = KnownEvents(put(path, "one", seconds=1), put(path, "two", seconds=2))
    assert resolve(path, log) == []


def test_the_last_moment_of_all():
    """A winner that nothing can be named after is still decided."""
    last = DateTime("20991231235959999999")
    winner = single(last, B, change(Op.PUT, "p", "two"))
    (ruling,) = resolve("p", KnownEvents(ONE, winner))
    assert ruling.time == last


def test_copied_flags_come_from_a_copy_as_well():
    """A `cpy` of a path onto itself changes flags only: it is the usual K of rule 4a."""
    flags = copy("p", "p", "old", OLD.ref, seconds=2, device=B, flags="x")
    rulings = resolve("p", KnownEvents(OLD, flags, EDIT))
    assert [ruling.changes[0].op for ruling in rulings] == [Op.CPY, Op.DEL]


@pytest.mark.parametrize("seen", [[X], [X_OF_C], [X_OF_C, X], [X, X_LATER]])
def test_observers_that_know_different_twins_agree(seen):
    """Rule 4a: each names one, and that closes those that it had not seen. So nothing is asked for
    when all meet, and everybody shows one file: with the flags, and without a rival."""
    logs = [KnownEvents(OLD, EDIT, *seen), KnownEvents(OLD, EDIT, X_LATER)]
    assert [at_rest(log, PLAIN) for log in logs] == [2, 2]
    everything = [*logs[0].known.values(), *logs[1].known.values()]
    met = KnownEvents(*{event.text: event for event in everything}.values())
    assert at_rest(met, PLAIN) == 0
    (head, *twins) = state_of(met.entries("p")).putting
    assert (head.data_hash, head.flags) == (EDIT.entries[0].data_hash, "x")
    assert all(twin.twin_key == head.twin_key for twin in twins)


def at_rest(log: KnownEvents, hasher: Hasher, *, backwards: bool = False) -> int:
    """Resolves until nothing is asked for; how many events that took."""
    written = 0
    while True:
        rulings = [
            ruling for path in sorted(log.paths, reverse=backwards) for ruling in resolve(path, log)
        ]
        if not rulings:
            return written
        for ruling in rulings:
            log.receive(named(ruling.time, ruling.device, ruling.changes, hasher))
        written += len(rulings)
        assert written < 200, "the rules never come to rest"


@pytest.mark.parametrize(
    ("description", "path", "events", "expected"),
    [
        ("nothing was moved", "p", [OLD, EDIT], set()),
        ("not where it went", "p", [OLD, MOVE], set()),
        ("a move", "q", [OLD, MOVE], {"p"}),
        ("a chain of moves", "r", [OLD, MOVE, ON], {"p", "q"}),
        ("two moves to one place", "q", [MOVE, move("r", "q", "r", Ref("u" * 10))], {"p", "r"}),
        ("an edit that followed", "q", [OLD, MOVE, EDIT, FOLLOWED], {"p"}),
        ("moved in a ring", "p", [OLD, MOVE, move("q", "p", "old", MOVE.ref)], {"q"}),
    ],
)
def test_sources(description, path, events, expected):
    """The paths at which rule 5 has to be asked again when something happens at this one."""
    assert sources([path], KnownEvents(*events).entries) == expected, description


def test_an_edit_follows_once_its_target_has_gone_on():
    """Who resolves only what changed has to come back to the source of the move."""
    log = KnownEvents(OLD, MOVE, EDIT, FOLLOWED, ON, EDIT_2)
    assert resolve("p", log) == []
    (ruling,) = resolve("q", log)
    log.receive(named(ruling.time, ruling.device, ruling.changes))
    assert "p" in sources(["q"], log.entries)
    (ruling,) = resolve("p", log)
    assert {change.path for change in ruling.changes} == {"p", "r"}


@given(forged(), st.booleans())
def test_any_log_comes_to_rest(events, impatient):
    """Whatever somebody forged: the rules end, and leave one content at each path."""
    log = KnownEvents(*events)
    log.impatient = impatient
    at_rest(log, PLAIN)
    for path, entries in log.paths.items():
        contents = {head.content for head in state_of(entries).putting}
        assert len(contents) <= 1 or log.waits(path) or _copy_waits(path, log)


def _copy_waits(path: str, log: KnownEvents) -> bool:
    return any(log.waits(other) for other in log.paths if other.startswith(f"{path} (conflict"))


@given(forged(hasher=WEAK))
def test_rings_and_collisions_come_to_rest(events):
    """So with events that name each other, and with two that answer to one reference."""
    log = KnownEvents(*events)
    log.impatient = True
    at_rest(log, WEAK)


@given(forged(), st.data())
def test_observers_of_a_forged_log_agree(events, data):
    """Two that resolved on parts of it, and then get everything, end with one tree."""
    logs = [
        KnownEvents(*data.draw(st.lists(st.sampled_from(events), unique=True))) for _ in range(2)
    ]
    for log in logs:
        log.impatient = True
    for _ in range(8):
        for number, log in enumerate(logs):
            at_rest(log, PLAIN, backwards=number == 1)
        everything = {**logs[0].known, **logs[1].known} | {event.text: event for event in events}
        if all(log.known.keys() == everything.keys() for log in logs):
            break
        for log in logs:
            for event in everything.values():
                log.receive(event)
    else:
        raise AssertionError("the observers never come to rest")
    assert logs[0].tree() == logs[1].tree()
