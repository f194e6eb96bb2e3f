"""When a store is asked for news."""

from hypothesis import given
from hypothesis import strategies as st

from firnline.core.polling import POLLED, WATCHED, Pace, Polling

PACES = st.builds(
    lambda shortest, more: Pace(shortest, shortest + more),
    st.floats(0.1, 100),
    st.floats(0, 1000),
)


def intervals(looks, pace=POLLED):
    """How long is waited before each look that brings nothing."""
    now, polling, found = 0.0, Polling.begin(0.0, pace), []
    for _ in range(looks):
        found.append(polling.due - now)
        now = polling.due
        polling = polling.looked(now, pace, news=False)
    return found


def test_quiet_stores_are_asked_more_and_more_seldom():
    """5 s after activity, doubling to 5 min."""
    assert intervals(9) == [5, 10, 20, 40, 80, 160, 300, 300, 300]


def test_a_watched_store_is_looked_at_once_an_hour():
    """A watch that was lost unseen hides nothing for longer."""
    assert intervals(3, WATCHED) == [3600, 3600, 3600]


@given(st.floats(0, 1e9), st.floats(0, 1e5), PACES)
def test_news_make_it_quick(now, interval, pace):
    """After news the next look follows after the shortest wait, however seldom it was."""
    assert Polling(now, interval).looked(now, pace, news=True) == Polling.begin(now, pace)


@given(st.floats(0, 1e6), st.floats(0, 1e6), st.floats(0, 1e3), PACES)
def test_activity_never_puts_a_look_off(now, due, interval, pace):
    """A look comes no later than it was due, and soon; after it the waits are short again."""
    polling = Polling(due, interval).active(now, pace)
    assert polling.due == min(due, now + pace.shortest)
    assert polling.interval == pace.shortest


@given(st.floats(0, 1e6), st.floats(0, 1e4), st.booleans(), PACES)
def test_waits_stay_within_bounds(now, interval, news, pace):
    """Whatever was before, it is never asked more often or more seldom than the pace says."""
    polling = Polling(now, interval).looked(now, pace, news=news)
    assert pace.shortest <= polling.interval <= pace.longest
    assert polling.due == now + polling.interval
