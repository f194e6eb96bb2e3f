"""When a path that keeps changing is told."""

from itertools import count, pairwise, takewhile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firnline.core.settling import AT_ONCE, Settle, Settling

ALONE = Settle(company=0, spare=0)


def told_at(settling: Settling, path: str, until: float) -> float | None:
    """When `path` is told, if whoever waits wakes up when it is asked to."""
    due = settling.next_due()
    while due is not None and due <= until:
        if path in settling.take(due):
            return due
        later = settling.next_due()
        assert later is None or later > due, "asked to wake up again at once"
        due = later
    return None


def play(settling: Settling, changes: list[tuple[float, str]]) -> list[tuple[float, str]]:
    """What is told, and when: the changes happen, and in between it wakes up when it asks to."""
    told = []
    for moment, path in [*changes, (float("inf"), "")]:
        due = settling.next_due()
        while due is not None and due <= moment:
            told += [(due, each) for each in sorted(settling.take(due))]
            due = settling.next_due()
        if path:
            settling.changed(path, moment)
    return told


def every(seconds: float, until: float) -> list[tuple[float, str]]:
    moments = takewhile(lambda moment: moment <= until, (step * seconds for step in count()))
    return [(moment, "log") for moment in moments]


def test_a_path_is_told_when_it_was_quiet_for_a_moment():
    """Fifty milliseconds after the last change of a save, and once."""
    settling = Settling(Settle())
    for moment in (0.0, 0.001, 0.002):
        settling.changed("a", moment)
    assert settling.take(0.05) == frozenset()
    assert told_at(settling, "a", 9) == pytest.approx(0.052)
    assert settling.next_due() is None
    assert len(settling) == 0


def test_the_wait_doubles_while_a_path_keeps_changing():
    """A file that was written to for a second is told later than one saved in an instant, and
    never more than two seconds after it rests."""
    told = {span: play(Settling(ALONE), every(0.01, span)) for span in (0.04, 0.4, 1.0, 20.0)}
    waits = {span: moment - span for span, [(moment, _)] in told.items()}
    assert waits[0.04] == pytest.approx(0.05)
    assert waits[0.4] == pytest.approx(0.4)
    assert waits[1.0] == pytest.approx(0.8)
    assert waits[20.0] == pytest.approx(2.0, abs=0.02)


def test_a_path_that_never_rests_is_told_after_a_minute():
    """And again each minute, as long as it goes on."""
    told = play(Settling(ALONE), every(0.02, 150))
    assert [moment for moment, _ in told[:2]] == pytest.approx([60, 120], abs=0.1)


def test_a_path_that_rests_does_not_wait_for_one_that_does_not():
    """A log file that is written to without end holds up nobody's save."""
    changes = [*every(0.02, 10), (5.003, "letter")]
    told = play(Settling(Settle()), sorted(changes))
    assert [moment for moment, path in told if path == "letter"] == [pytest.approx(5.053)]


def test_many_saves_in_a_row_are_told_in_a_few_lots():
    """A thousand saves in ten seconds: about one lot a second, and all of them at the end."""
    changes = [(number / 100, f"file {number}") for number in range(1000)]
    told = play(Settling(Settle()), changes)
    assert len(told) == 1000
    assert len({moment for moment, _ in told}) <= 11
    assert told[-1][0] <= 9.99 + 0.05 + 1e-9


def test_one_save_waits_for_no_company():
    """Saves that are further apart than a rest are told one by one, each at once."""
    changes = [(number / 5, f"file {number}") for number in range(20)]
    told = play(Settling(Settle()), changes)
    assert [moment for moment, _ in told] == [pytest.approx(at + 0.05) for at, _ in changes]


def test_what_is_ready_and_changes_again_has_to_rest_again():
    """While it waits for company it is as restless as before."""
    settling = Settling(Settle(quiet=1, company=3))
    settling.changed("a", 0)
    settling.changed("b", 0.9)
    assert settling.take(1) == frozenset()
    settling.changed("a", 1.5)
    assert settling.take(1.95) == {"b"}
    assert settling.take(3.4) == frozenset()
    assert settling.take(3.5) == {"a"}


def test_a_path_that_is_saved_again_and_again_is_told_at_a_pace():
    """Sixty times as soon as it rests, then every ten seconds."""
    told = [moment for moment, _ in play(Settling(Settle()), every(0.5, 300))]
    gaps = [later - earlier for earlier, later in pairwise(told)]
    assert max(gaps[:59]) == pytest.approx(0.5)
    assert gaps[75:-1] == [pytest.approx(10, abs=1)] * len(gaps[75:-1])


def test_a_path_that_had_its_rest_is_told_at_once_again():
    """What was spent comes back with time."""
    settling = Settling(Settle(spare=2, pace=10))
    early = [(0.0, "a"), (1.0, "a"), (2.0, "a")]
    told = [moment for moment, _ in play(settling, [*early, (60.0, "a"), (61.0, "a")])]
    assert told == pytest.approx([0.05, 1.05, 10.05, 60.05, 61.05])


def test_what_is_remembered_of_told_paths_is_bounded():
    """A million files saved once each leave nothing behind but the newest."""
    settling = Settling(Settle(company=0))
    for number in range(5_000):
        settling.changed(f"file {number}", number)
        settling.take(number + 0.05)
    assert len(settling._spent) <= 1001


def test_at_once_means_at_once():
    """Nothing waits where only finished files appear, however often they do."""
    settling = Settling(AT_ONCE)
    for moment in range(1000):
        settling.changed("a", moment)
        assert settling.next_due() == moment
        assert settling.take(moment) == {"a"}


def test_nothing_waits_after_clear():
    """Not even what was ready."""
    settling = Settling(Settle())
    settling.changed("a", 0)
    settling.changed("b", 0.04)
    assert settling.take(0.05) == frozenset()
    settling.clear()
    assert settling.next_due() is None
    assert settling.take(9) == frozenset()
    settling.changed("a", 10)
    assert told_at(settling, "a", 99) == pytest.approx(10.05)


GAPS = st.floats(0, 3) | st.sampled_from([0, 0.01, 0.05, 0.1, 2, 30, 70])


@given(st.lists(st.tuples(GAPS, st.sampled_from("abc")), max_size=60), st.booleans())
def test_every_change_is_told_and_in_time(steps, rules_of_the_house):
    """Whatever happens when: after each change its path is told, within the limit and the pace,
    and no path without a change."""
    rules = Settle() if rules_of_the_house else Settle(0.05, 1, 5, 0.5, 2, 3)
    now, changes = 0.0, []
    for gap, path in steps:
        now += gap
        changes.append((now, path))
    told = play(Settling(rules), changes)
    for path in "abc":
        moments = [moment for moment, each in told if each == path]
        changed = [moment for moment, each in changes if each == path]
        assert len(moments) <= len(changed)
        for moment in changed:
            latest = moment + rules.limit + rules.company + 1e-6
            assert any(moment <= at <= latest for at in moments)
