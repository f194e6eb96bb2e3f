"""Rule 5 is what it reads as (docs/design.md section 3), and costs no more than it has to: calls
are counted, no clock is looked at."""

import sys
from collections.abc import Callable
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.core import rule_five
from tests.unit.core.builders import WEAK, A, B, Event, KnownEvents, change, move, named, put
from tests.unit.core.builders import at as second
from tests.unit.core.forging import forged

from firnline.core.entry import Change
from firnline.core.event import DeviceId, Op
from firnline.core.follow import following
from firnline.core.hashing import NO_PARENT, PLAIN, Hasher, Ref
from firnline.core.heads import state_of

PATHS = ("p", "q", "r", "s")


class Step(NamedTuple):
    """What somebody does on top of one version of a path."""

    act: str
    path: str
    target: str
    version: int
    content: str
    flags: str
    second: int
    device: DeviceId


STEPS = st.builds(
    Step,
    st.sampled_from(["edit", "edit", "move", "move", "batch", "other batch", "delete", "make"]),
    st.sampled_from("pppqr"),
    st.sampled_from("qqrrsp"),
    st.integers(0, 3),
    st.sampled_from("abc"),
    st.sampled_from("--x"),
    st.integers(0, 2),
    st.sampled_from([A, B]),
)


def play(steps: list[Step], hasher: Hasher) -> list[Event]:
    """Logs in which much is moved, and edited beside that: rivals, twins, chains, rings, deletions,
    flags, moves by batches, clocks that agree."""
    events = [put("p", "a")]
    versions = {"p": [(events[0].ref, "a")]}
    for step in steps:
        known = versions.get(step.path, [])
        if not known or step.path == step.target:
            continue
        parent, content = (
            (NO_PARENT, "") if step.act == "make" else known[step.version % len(known)]
        )
        event = named(second(step.second), step.device, _made(step, parent, content), hasher)
        events.append(event)
        for entry in event.entries:
            if entry.puts:
                text = content if entry.path == step.target else step.content
                versions.setdefault(entry.path, []).append((event.ref, text))
    return events


def _made(step: Step, parent: Ref, content: str) -> list[Change]:
    carried = step.content if step.act == "other batch" else content
    if step.act == "move":
        return [change(Op.MOV, step.target, content, parent, source=step.path, flags=step.flags)]
    gone = change(Op.DEL, step.path, "", parent)
    if step.act == "delete":
        return [gone]
    if step.act in ("batch", "other batch"):
        return [change(Op.PUT, step.target, carried, source=step.path, flags=step.flags), gone]
    return [change(Op.PUT, step.path, step.content, parent, flags=step.flags)]


def movings(hasher: Hasher = PLAIN) -> st.SearchStrategy[list[Event]]:
    """Logs of at most a dozen steps."""
    return st.lists(STEPS, min_size=5, max_size=12).map(lambda steps: play(steps, hasher))


def same(events: list[Event], impatient: bool) -> None:
    log = KnownEvents(*events)
    log.impatient = impatient
    for path in PATHS:
        entries = log.entries(path)
        found = list(following(state_of(entries), entries, log))
        assert found == list(rule_five.following(path, log))


@settings(max_examples=300)
@given(movings(), st.booleans())
def test_what_follows_is_what_the_rule_says(events: list[Event], impatient: bool) -> None:
    """The same edits, in the same order, to the same places."""
    same(events, impatient)


@given(movings(WEAK) | forged(hasher=WEAK) | forged(), st.booleans())
def test_what_follows_in_forged_logs(events: list[Event], impatient: bool) -> None:
    """The same where names collide and rings close, and where any operation is anywhere."""
    same(events, impatient)


@pytest.mark.parametrize("largest", range(3))
def test_of_several_moves_the_largest_name_is_followed(largest: int) -> None:
    """By the edit of what was moved, and by the edit of that; in whatever order the log came."""
    old = put("p", "old")
    moves = [
        move("p", target, "old", old.ref, seconds=9 if number == largest else number + 1)
        for number, target in enumerate("qrs")
    ]
    edit = put("p", "edit", old.ref, seconds=5, device=B)
    events = [old, *moves, edit, put("p", "next", edit.ref, seconds=6, device=B)]
    for order in (events, events[::-1]):
        for known in (order, [event for event in order if event is not events[-1]]):
            log = KnownEvents(*known)
            entries = log.entries("p")
            ((_, goal),) = following(state_of(entries), entries, log)
            assert (goal.path, goal.ref) == ("qrs"[largest], moves[largest].ref)


def rivals(count: int) -> list[Event]:
    """Edits beside as many moves, none of which leads to the other."""
    old = [put("p", f"old {n}", seconds=n) for n in range(count)]
    moves = [move("p", f"q{n}", f"old {n}", one.ref, seconds=n) for n, one in enumerate(old)]
    return [*old, *moves, *_edits(count, NO_PARENT)]


def followers(count: int) -> list[Event]:
    """Edits of what as many devices moved elsewhere."""
    old = put("p", "old")
    moves = [move("p", f"q{n}", "old", old.ref, seconds=n) for n in range(count)]
    return [old, *moves, *_edits(count, old.ref)]


def twins(count: int) -> list[Event]:
    """Edits of a version that as many devices brought, and moved elsewhere."""
    old = [put("p", "old", seconds=n) for n in range(count)]
    moves = [move("p", f"q{n}", "old", one.ref, seconds=n) for n, one in enumerate(old)]
    return [*old, *moves, *_edits(count, old[0].ref)]


def line(count: int) -> list[Event]:
    """A long history at whose beginning there was a move, beside as many edits of its end."""
    events = [put("p", "0")]
    events.append(move("p", "q", "0", events[0].ref))
    for number in range(count):
        events.append(put("p", f"{number}", events[-1 if number else 0].ref, seconds=number))
    return [*events, *_edits(count, events[-1].ref)]


def forks(count: int) -> list[Event]:
    """A long history of which every version was moved elsewhere, the oldest one last."""
    events = [put("p", "0")]
    for number in range(1, count):
        events.append(put("p", f"{number}", events[-1].ref))
    moves = [move("p", f"q{n}", f"{n}", one.ref, seconds=count - n) for n, one in enumerate(events)]
    return [*events, *moves, *_edits(count, events[-1].ref)]


def way(count: int) -> list[Event]:
    """As many devices move a file to one place, from where it is moved on as often, and deleted."""
    old = put("p", "old")
    moves = [move("p", "q0", "old", old.ref, seconds=n) for n in range(count)]
    on = [moves[-1]]
    for n in range(count):
        on.append(move(f"q{n}", f"q{n + 1}", "old", on[-1].ref, seconds=count + n))
    end = named(second(0), A, [change(Op.DEL, f"q{count}", "", on[-1].ref)])
    return [old, *moves, *on, end, *_edits(count, old.ref)]


def _edits(count: int, parent: Ref) -> list[Event]:
    return [put("p", f"edit {n}", parent, seconds=n, device=B) for n in range(count)]


def _calls(events: list[Event]) -> int:
    log = KnownEvents(*events)
    calls = 0

    def count_call(frame: object, event: str, argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count_call)
    try:
        entries = log.entries("p")
        list(following(state_of(entries), entries, log))
    finally:
        sys.setprofile(before)
    return calls


@pytest.mark.parametrize("lay", [rivals, followers, twins, line, forks, way])
def test_twice_as_many_cost_twice_as_much(lay: Callable[[int], list[Event]]) -> None:
    """Whatever is laid for it."""
    assert _calls(lay(200)) < 2.3 * _calls(lay(100))
