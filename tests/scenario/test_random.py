"""Random schedules over whole laptops: converge, lose nothing, bring nothing back, come to rest."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, note
from hypothesis import strategies as st
from tests.scenario.schedules import ORDINARY, Do, Life, Step, steps

SKEWS = st.sampled_from([0.0, -40.0, 2.5, 7200.0])


@pytest.mark.timeout(600)
@given(
    schedule=st.lists(steps(2, 1, ORDINARY - {Do.LOSE_DATABASE}), min_size=6, max_size=40),
    skews=st.tuples(SKEWS, SKEWS),
)
def test_two_laptops_and_a_store(schedule: list[Step], skews: Sequence[float]) -> None:
    """Whatever two people do to one folder through one store, all of section 10 holds."""
    _live([[0], [0]], skews, schedule)


@pytest.mark.timeout(600)
@given(
    schedule=st.lists(steps(3, 2), min_size=6, max_size=40),
    skews=st.tuples(SKEWS, SKEWS, SKEWS),
)
def test_three_laptops_and_two_stores(schedule: list[Step], skews: Sequence[float]) -> None:
    """Three devices that share two stores in different ways, and lose sight of them or their own
    database now and then, end up as one that was never alone."""
    _live([[0], [0, 1], [1]], skews, schedule)


def _live(stores: list[list[int]], skews: Sequence[float], schedule: list[Step]) -> None:
    with tempfile.TemporaryDirectory() as place:
        life = Life(Path(place), stores, skews, watch=note)
        life.begin()
        life.play(schedule)
        life.settle()
        life.check()
