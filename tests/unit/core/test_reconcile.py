"""What a scan's finding means (docs/design.md section 3 rule 8 and section 7)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.core.builders import (
    WEAK,
    B,
    C,
    data_hash,
    delete,
    link,
    mkdir,
    move,
    on,
    put,
    rmdir,
)
from tests.unit.core.forging import forged

from firnline.core.event import Kind
from firnline.core.hashing import EMPTY_HASH, Ref
from firnline.core.heads import by_ref, state_of
from firnline.core.reconcile import ABSENT, Book, Finding, Write, reconcile


def file(content, flags="-"):
    return Finding(Kind.FILE, data_hash(content), flags)


DIRECTORY = Finding(Kind.DIRECTORY, EMPTY_HASH, "-")

OLD = put("p", "old")
OLD_TWIN = put("p", "old", seconds=1, device=B)
NEW = put("p", "new", OLD.ref, seconds=2)
RIVAL = put("p", "rival", OLD.ref, seconds=3, device=B)
BACK = put("p", "old", RIVAL.ref, seconds=4, device=B)
SAME = put("p", "new", RIVAL.ref, seconds=4, device=B)
GONE = delete("p", OLD.ref, seconds=5)
GONE_TOO = delete("p", RIVAL.ref, seconds=6, device=B)
AGAIN = put("p", "x", GONE.ref, seconds=8)
LAST = put("p", "z", seconds=9)
THERE = Finding(Kind.LINK, data_hash("target"), "-")
AWAY = move("p", "q", "old", OLD.ref, seconds=7)
LINK = link("p", "target")
MADE = mkdir("p")
REMOVED = rmdir("p", MADE.ref, seconds=1)

BEFORE = put("p", "old", NEW.ref, seconds=3)
BOOKED = [
    ("the winner", file("new"), OLD, [OLD, NEW], NEW),
    ("the winner, with no row", file("new"), None, [OLD, NEW], NEW),
    ("the winner of twins", file("old"), OLD, [OLD, OLD_TWIN], OLD_TWIN),
    ("nothing new since what was applied", file("old"), OLD, [OLD, NEW], OLD),
    ("a head that lost", file("new"), OLD, [OLD, NEW, RIVAL], NEW),
    ("the larger of two heads that lost", file("new"), OLD, [OLD, NEW, RIVAL, SAME, LAST], SAME),
    ("the winner, on what is no head any more", file("old"), NEW, [OLD, NEW, BEFORE], BEFORE),
    ("the winner, on a deletion that is a head", file("new"), GONE, [OLD, NEW, GONE], NEW),
    ("any version, with no row", file("old"), None, [OLD, NEW], OLD),
    ("the largest of equal ones, with no row", file("old"), None, [OLD, OLD_TWIN, NEW], OLD_TWIN),
    ("a deleted version, with no row", file("old"), None, [OLD, GONE], OLD),
    ("a link", THERE, None, [LINK], LINK),
    ("a link, whatever its flags", THERE._replace(flags="x"), None, [LINK], LINK),
    ("a directory", DIRECTORY, None, [MADE], MADE),
    ("gone, as was applied", ABSENT, GONE, [OLD, GONE], GONE),
    ("gone, as was applied, and put again since", ABSENT, GONE, [OLD, GONE, AGAIN], GONE),
    ("gone, and somebody deleted the same", ABSENT, OLD, [OLD, GONE], GONE),
    ("gone, and somebody deleted the same beside an edit", ABSENT, OLD, [OLD, RIVAL, GONE], GONE),
    ("gone, and somebody moved it away", ABSENT, OLD, [OLD, GONE, AWAY], AWAY),
    ("gone, and a newer one was deleted", ABSENT, OLD, [OLD, RIVAL, GONE_TOO], GONE_TOO),
    ("a directory removed by somebody", ABSENT, MADE, [MADE, REMOVED], REMOVED),
]


@pytest.mark.parametrize(
    ("description", "found", "base", "events", "booked"),
    BOOKED,
    ids=[description for description, *_ in BOOKED],
)
def test_what_is_known_is_booked(description, found, base, events, booked):
    """The log says it already: the table notes which event, and nobody writes."""
    verdict = reconcile(found, base and base.ref, on("p", *events))
    assert isinstance(verdict, Book), description
    assert verdict.entry.event == booked.text, description


RIVALS = [OLD, NEW, RIVAL]
TWINS = [OLD, OLD_TWIN, put("p", "w", seconds=3)]
WRITTEN = [
    ("a new file", file("new"), None, [], None, []),
    ("a file that nobody had, with no row", file("mine"), None, [OLD, NEW], None, []),
    ("an edit", file("mine"), OLD, [OLD], OLD, []),
    ("an edit of what was applied, not of what is newest", file("mine"), OLD, [OLD, NEW], OLD, []),
    ("flags alone", file("old", "x"), OLD, [OLD], OLD, []),
    ("a link instead of a file", Finding(Kind.LINK, data_hash("old"), "-"), OLD, [OLD], OLD, []),
    ("a directory instead of a file", DIRECTORY, OLD, [OLD], OLD, []),
    ("an old version again", file("old"), NEW, [OLD, NEW], NEW, []),
    ("put again after a deletion", file("old"), GONE, [OLD, GONE], GONE, []),
    ("a deletion", ABSENT, OLD, [OLD], OLD, []),
    ("a deletion beside an edit", ABSENT, OLD, [OLD, NEW], OLD, []),
    ("a deletion beside that of another", ABSENT, NEW, [OLD, NEW, RIVAL, GONE_TOO], NEW, []),
    ("equal heads are closed", file("mine"), NEW, [OLD, NEW, RIVAL, SAME], NEW, [SAME]),
    ("equal heads are closed by a deletion", ABSENT, NEW, [OLD, NEW, RIVAL, SAME], NEW, [SAME]),
    ("the content of a rival", file("rival"), NEW, [OLD, NEW, RIVAL], NEW, []),
    ("the content of what was applied, by another way", file("new"), RIVAL, RIVALS, RIVAL, []),
    ("the content of a rival on a twin of a head", file("w"), OLD_TWIN, TWINS, OLD_TWIN, []),
    ("twins need no closing", file("mine"), OLD, [OLD, OLD_TWIN], OLD, []),
    ("an event that is not known any more", file("mine"), RIVAL, [OLD], RIVAL, []),
]


@pytest.mark.parametrize(
    ("description", "found", "base", "events", "parent", "closes"),
    WRITTEN,
    ids=[description for description, *_ in WRITTEN],
)
def test_what_the_user_did_is_written(description, found, base, events, parent, closes):
    """On top of what this device had applied, after closing what equals it."""
    verdict = reconcile(found, base and base.ref, on("p", *events))
    assert isinstance(verdict, Write), description
    assert verdict.parent == (parent.ref if parent else "0"), description
    assert [head.event for head in verdict.closes] == [e.text for e in closes], description


def test_what_was_never_there_is_not_missing():
    """A path without a row cannot be found gone: whoever asks has lost track of its table."""
    with pytest.raises(AssertionError, match="never had"):
        reconcile(ABSENT, None, on("p", OLD))


FINDINGS = st.sampled_from(
    [
        ABSENT,
        DIRECTORY,
        file("1"),
        file("2", "x"),
        file("mine"),
        Finding(Kind.LINK, data_hash("1"), "-"),
    ]
)


@given(
    st.one_of(forged(), forged(hasher=WEAK)),
    FINDINGS,
    st.integers(0, 12),
    st.randoms(use_true_random=False),
)
def test_the_verdict_on_any_log(events, found, choice, random):
    """Booked is only what equals the finding; what is written is new, and order does not matter."""
    entries = on("p", *events)
    bases = [None, *dict.fromkeys(entry.ref for entry in entries), Ref("u" * 10)]
    base = bases[choice % len(bases)]
    if base is None and found == ABSENT:
        return
    verdict = reconcile(found, base, entries)
    shuffled = entries.copy()
    random.shuffle(shuffled)
    assert reconcile(found, base, shuffled) == verdict
    state = state_of(entries)
    match verdict:
        case Book(entry):
            assert entry in entries
            assert entry.content == found.content
        case Write(parent, closes):
            assert parent == (base or "0")
            known = {head.content for head in state.putting}
            assert found.content not in known or _is_open(parent, entries)
            assert all(head in state.heads for head in closes)


@given(forged(), FINDINGS, st.integers(0, 12))
def test_what_was_written_is_known_the_next_time(events, found, choice):
    """After the event that a verdict asks for, the same finding is booked to it."""
    entries = on("p", *events)
    refs = [entry.ref for entry in entries]
    if not refs or found.kind is not Kind.FILE:
        return
    verdict = reconcile(found, refs[choice % len(refs)], entries)
    if isinstance(verdict, Write):
        content = next(c for c in ("1", "2", "mine") if data_hash(c) == found.data_hash)
        closing = [
            delete("p", head.ref, seconds=8 + n / 10, device=C)
            for n, head in enumerate(verdict.closes)
        ]
        made = put("p", content, verdict.parent, seconds=9, device=C, flags=found.flags)
        after = on("p", *events, *closing, made)
        assert isinstance(reconcile(found, made.ref, after), Book)
        assert not any(
            head.content == _replaced(verdict, entries) for head in state_of(after).heads
        )


def _is_open(ref, entries):
    """Whether an event, or a twin of it, is a head that puts something."""
    open_keys = {head.twin_key for head in state_of(entries).putting}
    return by_ref(entries)[ref].twin_key in open_keys


def _replaced(verdict, entries):
    content = next(entry.content for entry in entries if entry.ref == verdict.parent)
    return content if content[0] is not Kind.NOTHING else None
