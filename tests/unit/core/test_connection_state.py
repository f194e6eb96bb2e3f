"""The states of a connection."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firnline.core.connection_state import (
    TABLE,
    ConnectionEvent,
    ConnectionState,
    IllegalEventError,
    next_state,
)

ANY_EVENTS = st.lists(st.sampled_from(ConnectionEvent), max_size=30)


def run(events):
    """The state after those events; the ones that cannot happen are passed over."""
    state = ConnectionState.WAITING
    for event in events:
        if event in TABLE[state]:
            state = next_state(state, event)
    return state


def test_each_state_has_its_row_and_its_sentence():
    """No state is forgotten in the table or in the words."""
    assert set(TABLE) == set(ConnectionState)
    assert all(state.sentence for state in ConnectionState)
    assert len({state.sentence for state in ConnectionState}) == len(ConnectionState)


@given(ANY_EVENTS)
def test_whatever_happened_it_is_tried_again(events):
    """From every state but the last one an attempt can connect again."""
    state = run(events)
    if state in (ConnectionState.CLOSED, ConnectionState.CONNECTED):
        return
    if state is not ConnectionState.CONNECTING:
        state = next_state(state, ConnectionEvent.ATTEMPT)
    assert next_state(state, ConnectionEvent.REACHED) is ConnectionState.CONNECTED


@given(ANY_EVENTS)
def test_it_can_be_closed_at_any_time(events):
    """Closing works in every state but the closed one, and is the end."""
    state = run(events)
    if state is not ConnectionState.CLOSED:
        state = next_state(state, ConnectionEvent.CLOSE)
    assert state is ConnectionState.CLOSED
    with pytest.raises(IllegalEventError):
        next_state(state, ConnectionEvent.ATTEMPT)


def test_only_an_attempt_connects():
    """Nothing is connected that was not tried to be."""
    for state in ConnectionState:
        if state is not ConnectionState.CONNECTING:
            with pytest.raises(IllegalEventError) as caught:
                next_state(state, ConnectionEvent.REACHED)
            assert (caught.value.state, caught.value.event) == (state, ConnectionEvent.REACHED)


@pytest.mark.parametrize(
    ("event", "state"),
    [
        (ConnectionEvent.UNREACHED, ConnectionState.WAITING),
        (ConnectionEvent.FAILED, ConnectionState.REFUSED),
        (ConnectionEvent.MISTAKEN, ConnectionState.REPLACED),
    ],
)
def test_what_breaks_breaks_alike_before_and_after(event, state):
    """A store that fails while it is connected is where one is that could not be connected."""
    assert next_state(ConnectionState.CONNECTING, event) is state
    assert next_state(ConnectionState.CONNECTED, event) is state
