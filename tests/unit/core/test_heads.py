"""Heads, twins and winners of one path (docs/design.md section 3, rules 1 to 3 and 4a)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.core.builders import WEAK, B, C, copy, delete, link, mkdir, move, on, put, rmdir
from tests.unit.core.forging import forged

from firnline.core.event import Kind
from firnline.core.hashing import Ref
from firnline.core.heads import (
    by_name,
    by_ref,
    descends,
    equal_heads,
    heads_of,
    is_straight,
    state_of,
    unknown_parents,
)

X1 = put("p", "x")
X2 = put("p", "x", seconds=1, device=B)
X3 = put("p", "x", seconds=2, device=C)
Y1 = put("p", "y", X1.ref, seconds=3)
Y2 = put("p", "y", X2.ref, seconds=4, device=B)
Z1 = put("p", "z", X1.ref, seconds=5, device=C)
XX = put("p", "x", X1.ref, seconds=6, flags="x")
GONE = delete("p", X1.ref, seconds=7)
GONE2 = delete("p", X2.ref, seconds=8, device=B)
MOVED = move("p", "q", "x", X1.ref, seconds=7)
MOVED2 = move("p", "r", "x", X1.ref, seconds=8, device=B)
HERE = move("q", "p", "x", Ref("e" * 10), seconds=9)
AGAIN = put("p", "x", GONE.ref, seconds=10)
DIR = mkdir("p")
DIR_GONE = rmdir("p", DIR.ref, seconds=1)


@pytest.mark.parametrize(
    ("description", "events", "heads", "winner"),
    [
        ("one put", [X1], [X1], X1),
        ("replaced", [X1, Y1], [Y1], Y1),
        ("replaced twice", [X1, Y1, put("p", "z", Y1.ref)], [put("p", "z", Y1.ref)], ...),
        ("rule 1: deleted", [X1, GONE], [GONE], None),
        ("rule 1: two deletions", [X1, GONE, GONE2, X2], [GONE, GONE2], None),
        ("rule 1: moved away", [X1, MOVED], [MOVED], None),
        ("rule 1: an emptied directory", [DIR, DIR_GONE], [DIR_GONE], None),
        ("put again", [X1, GONE, AGAIN], [AGAIN], AGAIN),
        ("rule 2: an edit survives a deletion", [X1, Y1, GONE], [Y1, GONE], Y1),
        ("rule 2: an edit survives a move", [X1, Y1, MOVED], [Y1, MOVED], Y1),
        ("rule 3: the largest name wins", [X1, Y1, Z1], [Y1, Z1], Z1),
        ("rule 3: equal content counts as one", [X1, X2, Y1, Y2], [Y1, Y2], Y2),
        ("twins are both heads", [X1, X2], [X1, X2], X2),
        ("naming one twin closes both", [X1, X2, Y1], [Y1], Y1),
        ("and those that arrive later", [Y1, X1, X2, X3], [Y1], Y1),
        ("a twin whose named one is not known", [X2, Y1], [X2, Y1], Y1),
        ("a deletion closes twins", [X1, X2, X3, GONE], [GONE], None),
        ("moves away are twins", [X1, MOVED, MOVED2], [MOVED, MOVED2], None),
        ("an edit beside two moves", [X1, MOVED, MOVED2, Y1], [MOVED, MOVED2, Y1], Y1),
        (
            "a put on one of two moves closes both",
            [X1, MOVED, MOVED2, put("p", "y", MOVED.ref)],
            [put("p", "y", MOVED.ref)],
            ...,
        ),
        ("a move here stands on nothing", [X1, GONE, HERE], [GONE, HERE], HERE),
        ("an unknown parent", [put("p", "y", Ref("u" * 10))], [put("p", "y", Ref("u" * 10))], ...),
        ("rule 6: a directory beside a larger file", [DIR, Y1, X1], [DIR, Y1], DIR),
        ("rule 6: a directory beside two files", [DIR, Y1, X1, Z1], [DIR, Y1, Z1], DIR),
        ("rule 4a: flags do not rival an edit", [X1, XX, Y1], [XX, Y1], Y1),
    ],
)
def test_heads_and_winners(description, events, heads, winner):
    """The heads of these events, and which of them the tree shows."""
    state = state_of(on("p", *events))
    expected = heads[0] if winner is ... else winner
    assert {head.event for head in state.heads} == {event.text for event in heads}, description
    assert (state.winner and state.winner.event) == (expected and expected.text), description


def test_nothing_is_known():
    """Of no entries there is no state."""
    assert state_of([]) == ([], None, [])


OTHER = put("p", "w", seconds=20, device=C)
EDIT_OF_TWIN = put("p", "y", X2.ref, seconds=4)
TWICE = copy("p", "p", "x", XX.ref, seconds=11)
LINK = link("p", "x")


@pytest.mark.parametrize(
    ("description", "events", "changes", "winner"),
    [
        ("flags beside an edit", [X1, XX, Y1], [XX], Y1),
        ("flags beside an edit of an edit", [X1, XX, Y1, put("p", "w", Y1.ref)], [XX], ...),
        ("beside an edit of its parent's twin", [X1, X2, XX, EDIT_OF_TWIN], [XX], EDIT_OF_TWIN),
        ("a larger rival decides", [X1, XX, Y1, OTHER], [XX], OTHER),
        ("nothing descends from the parent", [X1, XX, OTHER], [], OTHER),
        ("alone", [X1, XX], [], XX),
        ("the parent is not known", [XX, Y1], [], XX),
        ("flags and bytes", [X1, put("p", "w", X1.ref, flags="x"), Y1], [], Y1),
        ("flags on flags, beside the edit of a version before", [X1, XX, TWICE, Y1], [], TWICE),
        ("a link has none", [LINK, link("p", "x", LINK.ref), put("p", "y", LINK.ref)], [], ...),
        (
            "an empty file on a deletion has no flags of before",
            [X1, GONE, put("p", "", GONE.ref), put("p", "w", GONE.ref, seconds=1)],
            [],
            put("p", "w", GONE.ref, seconds=1),
        ),
        ("a directory decides otherwise", [X1, XX, Y1, DIR], [], DIR),
    ],
)
def test_changed_flags(description, events, changes, winner):
    """Rule 4a: a head that changed only flags is no rival of one that changed what it stood on."""
    state = state_of(on("p", *events))
    assert [head.event for head in state.flag_changes] == [e.text for e in changes], description
    if winner is not ...:
        assert state.winner is not None
        assert state.winner.event == winner.text, description


def test_the_same_bytes_written_twice_beside_changed_flags():
    """Where every head has its parent's bytes, the largest name wins: somebody has to."""
    same = put("p", "x", X1.ref, seconds=12)
    state = state_of(on("p", X1, XX, same))
    assert (state.winner and state.winner.event, state.flag_changes) == (same.text, [])


def test_a_forged_ring_has_a_head():
    """Two changes that name each other: the larger name, whatever order they come in."""
    one, other = (entry for event in (X1, Y1) for entry in event.entries)
    ring = [one._replace(parent=other.ref), other]
    for entries in (ring, ring[::-1]):
        assert heads_of(entries) == [other]
        assert not descends(one, X3.entries[0], by_ref(entries))


def test_a_ring_beside_an_honest_change_is_closed():
    """It is no head as long as the path has another."""
    one, other = (entry for event in (X1, Y1) for entry in event.entries)
    honest = OTHER.entries[0]
    assert heads_of([one._replace(parent=other.ref), other, honest]) == [honest]


def test_of_two_events_with_one_reference_the_larger_name_answers():
    """Somebody forged 50 bits: all readers take the same one, whatever came first."""
    one = X1.entries[0]
    other = Y1.entries[0]._replace(ref=one.ref)
    assert by_ref([one, other]) == by_ref([other, one]) == {one.ref: other}


@pytest.mark.parametrize(
    ("description", "entry", "ancestor", "expected"),
    [
        ("its parent", Y1, X1, True),
        ("a twin of its parent", Y1, X2, True),
        ("itself", Y1, Y1, False),
        ("a grandparent", put("p", "w", Y1.ref), X1, True),
        ("through a deletion", AGAIN, X1, True),
        ("a sibling", Y1, Z1, False),
        ("its child", X1, Y1, False),
        ("what it was moved from", HERE, X1, False),
    ],
)
def test_descent(description, entry, ancestor, expected):
    """At any distance, and through twins."""
    known = by_ref(on("p", X1, X2, Y1, Z1, GONE, AGAIN, HERE))
    assert descends(entry.entries[0], ancestor.entries[0], known) is expected, description


def test_unknown_parents():
    """Rule 7: what is named on this path and has not been seen on it."""
    unknown = Ref("u" * 10)
    assert unknown_parents(on("p", X1, Y1, HERE)) == set()
    assert unknown_parents(on("p", Y1, Y2, put("p", "w", unknown))) == {X1.ref, X2.ref, unknown}
    assert unknown_parents([]) == set()


OTHER_WAY = put("p", "x", Y2.ref, seconds=30, device=B)
OTHER_TWIN = put("p", "x", Y2.ref, seconds=31, device=C)


@pytest.mark.parametrize(
    ("description", "events", "base", "closed"),
    [
        ("no base", [X1], "0", []),
        ("an unknown base", [X1], "u" * 10, []),
        ("nothing equal", [X1, Y1, Z1], Y1.ref, []),
        ("twins need no event", [X1, X2, X3], X1.ref, []),
        ("the same by another way", [X1, X2, Y1, Y2], Y1.ref, [Y2]),
        ("other flags are not equal", [X1, XX, X2, Y2, OTHER_WAY], XX.ref, []),
        (
            "of twins among them the smallest",
            [HERE, Y2, OTHER_TWIN, OTHER_WAY],
            HERE.ref,
            [OTHER_WAY],
        ),
        ("deletions are equal", [X1, X2, Y2, GONE, delete("p", Y2.ref)], GONE.ref, ...),
        ("a base that is no head any more", [X1, Y1, HERE], X1.ref, [HERE]),
    ],
)
def test_equal_heads(description, events, base, closed):
    """What a writer on top of `base` closes first, so that it does not come back."""
    expected = [delete("p", Y2.ref)] if closed is ... else closed
    found = equal_heads(on("p", *events), Ref(base))
    assert [head.event for head in found] == [event.text for event in expected], description


CHAIN = [X1, GONE, AGAIN, put("p", "w", AGAIN.ref, seconds=11)]


@pytest.mark.parametrize(
    ("description", "events", "straight"),
    [
        ("nothing", [], True),
        ("one", [X1], True),
        ("one that stands on what is not known", [Y1], False),
        ("a chain", CHAIN, True),
        ("a chain in another order", CHAIN[::-1], False),
        ("moved away at the end", [X1, MOVED], True),
        ("moved here at the start", [HERE, put("p", "y", HERE.ref)], True),
        ("moved here later", [X1, GONE, HERE], False),
        ("twins", [X1, X2], False),
        ("two edits of one", [X1, Y1, Z1], False),
        ("the same twice", [X1, X1], False),
    ],
)
def test_straight_lines(description, events, straight):
    """Each change on top of the one before."""
    assert is_straight(on("p", *events)) is straight, description


def test_line_in_which_two_have_one_name_is_not_straight():
    """Somebody forged the last one's 50 bits: naming it names the one before it too."""
    first, last = on("p", X1, Y1)
    assert is_straight([first, last])
    assert not is_straight([first, last._replace(ref=first.ref)])


LOGS = st.one_of(forged(), forged(hasher=WEAK))


@given(LOGS, st.randoms(use_true_random=False), st.sampled_from(["p", "q"]))
def test_order_and_repeats_do_not_matter(events, random, path):
    """Any log, forged ones included: the state is a function of the set."""
    entries = on(path, *events)
    shuffled = entries + entries[::2]
    random.shuffle(shuffled)
    one, other = state_of(entries), state_of(shuffled)
    assert one.winner == other.winner
    assert set(one.heads) == set(other.heads)
    assert set(one.flag_changes) == set(other.flag_changes)
    assert unknown_parents(entries) == unknown_parents(shuffled)
    for head in one.heads:
        assert equal_heads(entries, head.ref) == equal_heads(
            list(dict.fromkeys(shuffled)), head.ref
        )


@given(LOGS, st.sampled_from(["p", "q"]))
def test_a_straight_line_has_one_head(events, path):
    """Its last entry, so whoever has asked for straightness need not ask for heads."""
    entries = sorted(on(path, *events), key=by_name)
    for length in range(1, len(entries) + 1):
        line = entries[:length]
        if is_straight(line):
            assert heads_of(line) == line[-1:]


@given(LOGS, st.sampled_from(["p", "q"]))
def test_heads_are_what_nobody_names(events, path):
    """By the letter of section 3: no head is named, nor is a twin of it; all else is."""
    entries = on(path, *events)
    state = state_of(entries)
    named = {entry.closes for entry in entries}

    def closed(entry):
        twins = [other for other in entries if other.twin_key == entry.twin_key]
        return any(twin.ref in named for twin in twins)

    open_ones = [entry for entry in entries if not closed(entry)]
    assert state.heads == (open_ones or [max(entries, key=by_name)] if entries else [])


@given(LOGS, st.sampled_from(["p", "q"]))
def test_the_winner_is_a_putting_head(events, path):
    """Rules 1 to 3: there is one exactly when something is put, and a directory comes first."""
    state = state_of(on(path, *events))
    assert (state.winner is None) == (not state.putting)
    if state.winner is not None:
        assert state.winner in state.putting
        assert state.winner not in state.flag_changes
        directory = any(head.kind is Kind.DIRECTORY for head in state.putting)
        assert (state.winner.kind is Kind.DIRECTORY) == directory
        rivals = [
            head
            for head in state.putting
            if head.kind is state.winner.kind and head not in state.flag_changes
        ]
        assert directory is False or state.winner == max(rivals, key=by_name)


@given(forged(), st.integers(0, 30))
def test_naming_a_head_closes_it_and_all_its_twins(events, choice):
    """Rule 8: an event that names any head is a head of its own, and no twin of that remains."""
    heads = [head for head in state_of(on("p", *events)).heads if head.puts]
    if heads:
        named = heads[choice % len(heads)]
        after = state_of(on("p", *events, put("p", "new", named.ref, seconds=9)))
        assert after.winner is not None
        assert named.twin_key not in {head.twin_key for head in after.heads}
