"""Random schedules with a guard that asks about many a deletion, and users who decide.

The guard takes a single file for a mass here, so that the small folders of these lives are asked
about all the time, on either side, while people go on working in them.
"""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st
from tests.scenario.hints import right_scope
from tests.scenario.laptops import Laptop
from tests.scenario.schedules import ORDINARY, Do, Life, Step, answer, steps

_DELETING = ORDINARY | {Do.GIVE_UP}
_DECIDING = _DELETING | {Do.KEEP}
FEWER = settings(max_examples=settings().max_examples // 5)
STORES = [[0], [0, 1], [1]]


class Decided(Life):
    """At the end everybody decides what still waits, always the same."""

    def end(self, choice: str) -> None:
        for _ in range(12):
            self.settle()
            if not [laptop for laptop in self.laptops if answer(laptop, choice)]:
                return
        raise AssertionError("there was always one more question")


@contextmanager
def asked_early() -> Iterator[None]:
    """One file may be a mass."""
    with ExitStack() as stack:
        for module in ("mass_deletion", "deletion_guard"):
            stack.enter_context(patch(f"firnline.sync.{module}.LEAST", 1))
        yield


def live(schedule: Sequence[Step], laptops: int, choice: str) -> Decided:
    """A life up to its rest; the directory is gone afterwards."""
    with tempfile.TemporaryDirectory() as place, asked_early():
        life = Decided(Path(place), STORES[:laptops], [0.0, -40.0, 2.5][:laptops], watch=note)
        life.begin()
        life.play(schedule)
        life.end(choice)
        if choice == "keep":
            # What a user deleted is back, since that is what was asked for.
            life.deleted.clear()
        life.check()
    return life


@pytest.mark.timeout(600)
@FEWER
@given(st.lists(steps(3, 2, _DELETING), min_size=6, max_size=40))
def test_who_always_deletes_gets_what_the_log_says(schedule: list[Step]) -> None:
    """A question only delays: all of section 10 holds as if nobody had been asked."""
    live(schedule, 3, "delete")


@pytest.mark.timeout(600)
@FEWER
@given(st.lists(steps(2, 1, _DECIDING - {Do.LOSE_DATABASE}), min_size=6, max_size=40))
def test_who_keeps_loses_nothing(schedule: list[Step]) -> None:
    """Whatever two users decide, in whatever order: they end up with the same, and at rest."""
    live(schedule, 2, "keep")


def asked(laptop: Laptop) -> list[tuple[str, str, dict[str, str]]]:
    """What waits for an answer, by kind and subject, with all its paths."""
    with ExitStack() as stack:
        table = laptop.context(stack).state.questions
        return sorted((q.kind, q.subject, table.asked(q.id)) for q in table.open())


@pytest.mark.timeout(600)
@settings(max_examples=settings().max_examples // 10)
@given(st.lists(steps(2, 1, _DECIDING - {Do.LOSE_DATABASE}), min_size=6, max_size=40))
def test_quick_passes_ask_what_whole_ones_ask(schedule: list[Step]) -> None:
    """Passes that look only at what is new leave alone what waits; a look at everything afterwards
    finds nothing else to ask, and all ends as ever."""
    with tempfile.TemporaryDirectory() as place, asked_early():
        life = Decided(Path(place), STORES[:1] * 2, [0.0, -40.0], watch=note)
        life.begin()
        for laptop in life.laptops:
            laptop.scope = right_scope
        life.play(schedule)
        for laptop in life.laptops:
            laptop.away.clear()
            # Twice: what a first look brings here may be asked about by the second.
            for _ in range(3):
                life.sync(laptop)
            found = asked(laptop)
            del laptop.scope
            life.sync(laptop)
            assert asked(laptop) == found
        life.end("keep")
        life.deleted.clear()
        life.check()
