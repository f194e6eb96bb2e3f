"""When a server that failed is asked again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firnline.core.circuit import (
    ATTEMPTS,
    AWAY,
    FIRST,
    LONGEST,
    MOST_ASKED,
    PATIENCE,
    Circuit,
    Trial,
)

NOW = 1000.0
SHARES = st.floats(0, 1)
ASKED = st.one_of(st.none(), st.floats(-10, 1e6))


def failed_in_a_row(count: int, share: float = 1.0) -> Circuit:
    circuit = Circuit()
    for _ in range(count):
        circuit = circuit.failed(circuit.turn, NOW, share)
    return circuit


def test_all_is_well():
    """A server that never failed is asked at once."""
    assert Trial(NOW).wait(Circuit(), NOW) == 0
    assert Trial(NOW, opens=True).wait(Circuit(), NOW) == 0


def test_pauses_double():
    """The longest pauses, by the number of failures."""
    pauses = [failed_in_a_row(count).pause(NOW) for count in range(1, ATTEMPTS)]
    assert pauses == [0.5, 1, 2, 4, 8]
    assert failed_in_a_row(1, share=0.0).pause(NOW) == 0


@given(st.lists(st.tuples(SHARES, ASKED), min_size=1, max_size=30))
def test_pauses_have_bounds(failures):
    """However often it failed, and whatever it asked for, a pause is neither negative nor longer
    than what is granted at most."""
    circuit = Circuit()
    for share, asked in failures:
        circuit = circuit.failed(circuit.turn, NOW, share, asked)
        most = AWAY if asked is None else MOST_ASKED + LONGEST
        assert 0 <= circuit.pause(NOW) <= most + 1e-6
        if asked is not None:
            assert circuit.pause(NOW) >= min(max(asked, 0), MOST_ASKED) - 1e-6


@given(st.lists(st.tuples(SHARES, ASKED), min_size=1, max_size=30))
def test_a_call_ends(failures):
    """A call that fails each time is made at least once and at most so often, and waits no longer
    than its patience and one pause."""
    circuit, trial, now = Circuit(), Trial(NOW), NOW
    for share, asked in [*failures, *[(1.0, None)] * ATTEMPTS]:
        wait = trial.wait(circuit, now)
        if wait is None:
            break
        now += wait
        trial, circuit = trial.again(), circuit.failed(circuit.turn, now, share, asked)
    assert trial.wait(circuit, now) is None
    assert 1 <= trial.attempts <= ATTEMPTS
    assert now - NOW <= PATIENCE + 1e-6


def test_many_callers_are_one_failure():
    """What a broken connection does to many calls at once counts once."""
    circuit = Circuit()
    for _ in range(10):
        circuit = circuit.failed(0, NOW, 1.0)
    assert circuit.failures == 1
    assert circuit.pause(NOW) == FIRST


def test_a_success_ends_it():
    """One answer, and all ask again; but not the answer to what was asked before it failed."""
    circuit = failed_in_a_row(3)
    assert circuit.worked(circuit.turn - 1) == circuit
    assert circuit.worked(circuit.turn).pause(NOW) == 0
    assert Circuit().worked(0) == Circuit()


def test_a_server_that_answers_is_there():
    """What always fails at one thing is not gone, and its pauses stay short; a single call ends."""
    circuit, trial = Circuit(), Trial(NOW)
    while trial.wait(circuit, NOW) is not None:
        circuit = circuit.failed(circuit.turn, NOW, 1.0, answered=True)
        trial = trial.again()
    assert trial.attempts == ATTEMPTS
    assert not circuit.is_gone
    assert circuit.pause(NOW) == 2
    assert Trial(NOW).wait(circuit, NOW) == 2


def test_gone():
    """After the last attempt those who come fail without asking; later one may try, once."""
    circuit = failed_in_a_row(ATTEMPTS)
    assert circuit.is_gone
    assert AWAY / 2 <= failed_in_a_row(ATTEMPTS, share=1.0).pause(NOW) <= AWAY
    assert Trial(NOW).wait(circuit, NOW) is None
    assert Trial(NOW + AWAY).wait(circuit, NOW + AWAY) == 0
    assert Trial(NOW + AWAY, attempts=1).wait(circuit, NOW + AWAY) is None


def test_a_slow_failure_is_tried_once_more():
    """After a call that took longer than anybody's patience there is one more attempt, not two."""
    circuit = failed_in_a_row(1)
    assert Trial(NOW - 2 * PATIENCE, attempts=1).wait(circuit, NOW) == FIRST
    assert Trial(NOW - 2 * PATIENCE, attempts=2).wait(circuit, NOW) is None


@pytest.mark.parametrize("opens", [False, True])
def test_a_server_that_asks_for_time(opens):
    """What it asks for is waited for, by those who connect as well, unless it is too long; then
    nobody asks it before."""
    short = Circuit().failed(0, NOW, 0.0, 17.0)
    assert Trial(NOW, attempts=1, opens=opens).wait(short, NOW) == 17
    assert Trial(NOW, opens=opens).wait(short, NOW) == 17
    long = Circuit().failed(0, NOW, 0.0, 200.0)
    assert Trial(NOW, attempts=1, opens=opens).wait(long, NOW) is None
    assert Trial(NOW, opens=opens).wait(long, NOW) is None
    assert Trial(NOW + 190, opens=opens).wait(long, NOW + 190) == 10


def test_a_late_wish_for_more_time():
    """An answer to an earlier turn may ask for more time, and never for less."""
    circuit = failed_in_a_row(2)
    longer = circuit.failed(0, NOW, 1.0, 30.0)
    assert longer.pause(NOW) == 30
    assert longer.failures == circuit.failures
    assert longer.failed(0, NOW, 1.0, 1.0) == longer
    well = Circuit(turn=5)
    assert well.failed(3, NOW, 1.0, 30.0).pause(NOW) == 30


def test_who_connects_is_not_held_up():
    """Without a wish of the server, a connection is tried at once, and once."""
    for count in (1, ATTEMPTS):
        circuit = failed_in_a_row(count)
        assert Trial(NOW, opens=True).wait(circuit, NOW) == 0
        assert Trial(NOW, attempts=1, opens=True).wait(circuit, NOW) is None
