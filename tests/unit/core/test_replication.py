"""Which events are brought to a store now, and when to ask again."""

from collections.abc import Iterable, Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from firnline.core.backoff import LONGEST
from firnline.core.replication import (
    GRACE_TIME,
    LARGE,
    Bounds,
    Choice,
    Owed,
    Source,
    best_first,
    choose,
    ready_at,
)

NOW = 1_000_000.0


def owed(event: int, **other: Any) -> Owed:
    """Somebody else's event, known for long."""
    return Owed(event, f"{event:04}", 10, False, 0.0, False, 0, 0.0)._replace(**other)


def chosen(
    found: Iterable[Owed],
    parents: Mapping[int, Iterable[int]] | None = None,
    *,
    leads: bool = True,
    large: bool = False,
    bounds: Bounds | None = None,
) -> Choice:
    return choose(
        found, parents or {}, now=NOW, leads=leads, large=large, bounds=bounds or Bounds()
    )


def test_own_events_go_at_once() -> None:
    """Nobody else will bring them."""
    assert chosen([owed(1, own=True, since=NOW)]) == Choice([1], False, None)


def test_others_wait_for_grace() -> None:
    """Whoever wrote them may be about to; nothing is asked again before."""
    young = owed(1, since=NOW - 10)
    assert chosen([young]) == Choice([], False, NOW - 10 + GRACE_TIME)
    assert chosen([owed(1, since=NOW - GRACE_TIME)]).start == [1]


def test_first_reading_is_left_to_the_lead() -> None:
    """It waits as for any other event; the rest waits ten times as long."""
    found = owed(1, since=NOW - GRACE_TIME, first_read=True)
    assert chosen([found], leads=True).start == [1]
    assert chosen([found], leads=False) == Choice([], False, NOW + 9 * GRACE_TIME)


def test_clock_that_went_back_makes_nothing_wait() -> None:
    """What lies in the future was long ago."""
    assert chosen([owed(1, since=NOW + 1e9)]).start == [1]
    assert chosen([owed(1, tries=3, not_before=NOW + 1e9)]).start == [1]


def test_what_failed_waits_for_itself_only() -> None:
    """Others go on, its children too: what nobody can supply holds nothing back."""
    failed = owed(1, tries=1, not_before=NOW + 20)
    assert chosen([failed, owed(2), owed(3)], {2: [1]}) == Choice([2, 3], False, NOW + 20)


def test_parents_come_along() -> None:
    """Grace or not, and before their children, whatever their names say."""
    young = owed(5, since=NOW)
    found = chosen([owed(1, own=True), young, owed(7, since=NOW)], {1: [5], 5: [7]})
    assert found.start == [7, 5, 1]


def test_ring_is_opened() -> None:
    """Somebody forged it; each goes once."""
    assert sorted(chosen([owed(1), owed(2)], {1: [2], 2: [1]}).start) == [1, 2]


def test_large_ones_go_by_a_way_of_their_own() -> None:
    """What stands on one of the other size waits for it, nothing else does."""
    found = [owed(1, size=LARGE), owed(2), owed(3), owed(4, size=LARGE)]
    parents = {2: [1], 4: [3]}
    assert chosen(found, parents).start == [3]
    assert chosen(found, parents, large=True).start == [1]


def test_bounds_by_number_and_bytes() -> None:
    """One is begun, however large; the rest is for the next time."""
    found = [owed(number, size=10) for number in range(5)]
    assert chosen(found, bounds=Bounds(2, 100)) == Choice([0, 1], True, None)
    assert chosen(found, bounds=Bounds(9, 25)) == Choice([0, 1], True, None)
    assert chosen(found, bounds=Bounds(9, 1)) == Choice([0], True, None)
    assert chosen(found, bounds=Bounds(5, 50)) == Choice([0, 1, 2, 3, 4], False, None)


def test_best_source() -> None:
    """By rating, then by speed."""
    slow, fast, near = Source("a", 50, 1.0), Source("b", 50, 2.0), Source("c", 90)
    assert best_first([slow, fast, near]) == [near, fast, slow]


OWED = st.builds(
    lambda event, size, own, since, first, tries, wait: owed(
        event, size=size, own=own, since=NOW - since, first_read=first, tries=tries,
        not_before=NOW + wait,
    ),
    st.integers(0, 12), st.sampled_from([1, 30, LARGE]), st.booleans(), st.integers(-50, 400),
    st.booleans(), st.integers(0, 2), st.integers(-400, 400),
)  # fmt: skip
BACKLOG = st.lists(OWED, unique_by=lambda each: each.event)
PARENTS = st.dictionaries(st.integers(0, 12), st.lists(st.integers(0, 12), max_size=3))


@given(BACKLOG, PARENTS, st.booleans(), st.booleans(), st.builds(Bounds, st.integers(1, 4)))
def test_choice_of_anything(
    backlog: list[Owed], parents: dict[int, list[int]], leads: bool, large: bool, bounds: Bounds
) -> None:
    """Each goes once, of the right size, within the bounds, and with nothing before its parents
    but what failed or stands in a ring; what is due is due later."""
    found = chosen(backlog, parents, leads=leads, large=large, bounds=bounds)
    by_id = {each.event: each for each in backlog}
    assert len(set(found.start)) == len(found.start) <= bounds.events
    assert all(by_id[event].is_large is large for event in found.start)
    assert found.due is None or NOW < found.due <= NOW + max(LONGEST, 10 * GRACE_TIME)
    for event in found.start:
        for parent in parents.get(event, ()):
            if parent in by_id and not by_id[parent].tries and not _in_ring(event, parents):
                before = found.start[: found.start.index(event)]
                assert parent in before, (event, parent)


@given(BACKLOG, PARENTS, st.booleans())
def test_everything_goes_in_the_end(
    backlog: list[Owed], parents: dict[int, list[int]], leads: bool
) -> None:
    """Without rings nothing waits for ever: small and large in turn bring all that is ready."""
    parents = {event: [p for p in found if p < event] for event, found in parents.items()}
    left = {each.event: each for each in backlog}
    for turn in range(4 * len(backlog) + 2):
        found = chosen(left.values(), parents, leads=leads, large=bool(turn % 2))
        left = {event: each for event, each in left.items() if event not in found.start}
    assert all(ready_at(each, NOW, leads=leads) > NOW for each in left.values())


def _in_ring(event: int, parents: Mapping[int, list[int]]) -> bool:
    """It stands, by its parents, on a ring."""
    seen: set[int] = set()

    def walk(each: int, above: tuple[int, ...]) -> bool:
        if each in above:
            return True
        if each in seen:
            return False
        seen.add(each)
        return any(walk(parent, (*above, each)) for parent in parents.get(each, ()))

    return walk(event, ())
