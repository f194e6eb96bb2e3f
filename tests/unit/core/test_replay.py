"""The tree that a set of events makes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.core.builders import WEAK, at, batch, change, delete, mkdir, move, named, put
from tests.unit.core.builders import A as DEVICE
from tests.unit.core.forging import forged

from firnline.core.clock import DateTime
from firnline.core.event import EventText, Kind, Op
from firnline.core.paths import ancestors
from firnline.core.replay import fold, until, winners

PUT = put("a", "1")
EDIT = put("a", "2", PUT.ref, seconds=1)
MOVE = move("a", "b/c", "2", EDIT.ref, seconds=2)
GONE = delete("b/c", MOVE.ref, seconds=3)
LOG = [PUT, EDIT, MOVE, GONE]


def entries(events):
    return [entry for event in events for entry in event.entries]


def tree(events):
    return {path: entry.event for path, entry in fold(entries(events)).items()}


@pytest.mark.parametrize(
    ("description", "events", "expected"),
    [
        ("nothing", [], {}),
        ("a put", [PUT], {"a": PUT}),
        ("an edit", [PUT, EDIT], {"a": EDIT}),
        ("a move", [PUT, EDIT, MOVE], {"b/c": MOVE}),
        ("a deletion", LOG, {}),
        ("a directory that somebody made", [mkdir("d")], {"d": mkdir("d")}),
        (
            "a directory with something in it",
            [mkdir("d"), put("d/x", "1")],
            {"d": mkdir("d"), "d/x": put("d/x", "1")},
        ),
        (
            "rule 6: a file where others have a directory is not shown",
            [put("d", "1"), put("d/x", "1")],
            {"d/x": put("d/x", "1")},
        ),
        (
            "rule 6: at any depth",
            [put("d", "1"), put("d/x", "1"), put("d/x/y", "1")],
            {"d/x/y": put("d/x/y", "1")},
        ),
        (
            "rule 6: not below what is deleted",
            [put("d", "1"), put("d/x", "1"), delete("d/x", put("d/x", "1").ref)],
            {"d": put("d", "1")},
        ),
        (
            "names that only begin alike",
            [put("d", "1"), put("d e/x", "1"), put("de", "1")],
            {"d": put("d", "1"), "d e/x": put("d e/x", "1"), "de": put("de", "1")},
        ),
    ],
)
def test_trees(description, events, expected):
    """What is shown at each path that exists."""
    assert tree(events) == {p: event.text for p, event in expected.items()}, description


def test_a_batch_is_all_of_its_members():
    """Folded one by one, under one name."""
    made = batch(
        at(4),
        DEVICE,
        [
            change(Op.PUT, "x", "1"),
            change(Op.DEL, "a", "", PUT.ref),
            change(Op.MKD, "d"),
        ],
    )
    assert tree([PUT, made]) == {"x": made.text, "d": made.text}


@given(st.one_of(forged(), forged(hasher=WEAK)), st.randoms(use_true_random=False))
def test_order_and_repeats_do_not_matter(events, random):
    """Any log, forged ones included: the tree is a function of the set."""
    shuffled = entries(events) + entries(events)[::2]
    random.shuffle(shuffled)
    assert fold(shuffled) == fold(entries(events))


@given(forged())
def test_a_tree_can_be_made_on_a_disk(events):
    """No path below a file or a link, and only what exists."""
    made = fold(entries(events))
    for path, entry in made.items():
        assert entry.path == path
        assert entry.puts
        assert all(made[a].kind is Kind.DIRECTORY for a in ancestors(path) if a in made)


@given(forged())
def test_only_rule_6_hides_a_winner(events):
    """All winners are in the tree but files with something below them."""
    ordered = sorted(set(entries(events)), key=lambda entry: (entry.path, entry.event))
    made = fold(entries(events))
    won = {entry.path: entry for entry in winners(ordered)}
    for path in won.keys() - made.keys():
        assert won[path].kind is not Kind.DIRECTORY
        assert any(other.startswith(f"{path}/") for other in won)
    assert all(won[path] == entry for path, entry in made.items())


@pytest.mark.parametrize(
    ("moment", "shown"),
    [
        (at(-1), []),
        (at(0), ["a"]),
        (at(1.5), ["a"]),
        (at(2), ["b/c"]),
        (at(3), []),
        (PUT.text, ["a"]),
        (MOVE.text, ["b/c"]),
        (GONE.text, []),
        (DateTime("20991231235959999999"), []),
    ],
)
def test_the_state_at_a_time(moment, shown):
    """Section 8: the events named up to a DATETIME or an event name, both included."""
    assert sorted(fold(filter(until(moment), entries(LOG)))) == shown


def test_an_event_name_tells_events_of_one_moment_apart():
    """A name is sharper than its DATETIME."""
    one, other = sorted([named(at(0), DEVICE, [change(Op.PUT, path, "1")]) for path in ("x", "y")])
    assert len(fold(filter(until(EventText(one.text)), entries([one, other])))) == 1
    assert len(fold(filter(until(at(0)), entries([one, other])))) == 2
