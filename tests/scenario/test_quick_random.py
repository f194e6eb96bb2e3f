"""Quick passes at random: with the right hints they are whole passes, with others they do no harm,
and killed anywhere they carry on.

FIRNLINE_CRASHES=all tries every step, FIRNLINE_HINTS so many schedules of each kind.
"""

import os
import random
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st
from tests.scenario.hints import right_scope
from tests.scenario.laptops import Laptop
from tests.scenario.rehearsal import Rehearsal, after
from tests.scenario.schedules import ORDINARY, PATHS, Do, Life, Step, rows_of, steps
from tests.scenario.store_contents import operations
from tests.scenario.stories import DIRECTORIES, MIXED, OUTBOX
from tests.scenario.story import Story

from firnline.sync.context import FolderContext
from firnline.sync.scope import Scope

EXAMPLES = int(os.environ.get("FIRNLINE_HINTS", "20"))
ALL = os.environ.get("FIRNLINE_CRASHES") == "all"
USUAL = ORDINARY - {Do.LOSE_DATABASE, Do.SWAP}
"""Without swaps: one that meets a move of the same files onto each other ends as rule 5 says, with
one of the contents in history only, in whole passes as in quick ones."""
SKEWS = st.sampled_from([0.0, -40.0, 7200.0])


class Hinted(Life):
    """Laptops whose passes get only some of the right hints, and wrong ones besides."""

    def begin_guessing(self, chance: random.Random) -> None:
        def some(context: FolderContext) -> Scope:
            right = right_scope(context)
            assert right.paths is not None
            assert right.news is not None
            paths = [*(p for p in right.paths if chance.random() < 0.6), *chance.sample(PATHS, 2)]
            news = {
                store: frozenset(name for name in names or () if chance.random() < 0.6)
                for store, names in right.news.items()
            }
            return Scope(frozenset(paths), news, copy=chance.random() < 0.7)

        for laptop in self.laptops:
            laptop.scope = some

    def end_guessing(self) -> None:
        for laptop in self.laptops:
            del laptop.scope

    def sync(self, laptop: Laptop) -> bool:
        """What was gone and got no hint is not told, so it is nothing that may not come back; what
        was saved and got none was not taken in, so nobody has to keep it."""
        deleted, taken = set(self.deleted), set(self.taken)
        found = super().sync(laptop)
        rows = rows_of(laptop)
        here = {row.path for row in rows}
        self.deleted = deleted | {row for row in self.deleted if row.path not in here}
        if "scope" in vars(laptop):
            self.taken = taken | self.taken & {row.data_hash for row in rows}
        return found


@pytest.mark.timeout(36_000)
@settings(max_examples=EXAMPLES)
@given(
    schedule=st.lists(steps(2, 1, USUAL), min_size=6, max_size=40),
    skews=st.tuples(SKEWS, SKEWS),
    seed=st.integers(0, 2**16),
)
def test_hints_at_random(schedule: list[Step], skews: Sequence[float], seed: int) -> None:
    """Hints that are missing or too many harm nothing, and whole passes find the rest."""
    with tempfile.TemporaryDirectory() as place:
        life = Hinted(Path(place), [[0], [0]], skews, watch=note)
        life.begin()
        life.begin_guessing(random.Random(seed))
        life.play(schedule)
        life.end_guessing()
        life.settle()
        life.check()


@pytest.mark.timeout(36_000)
@settings(max_examples=EXAMPLES)
@given(
    schedule=st.lists(steps(2, 1, USUAL), min_size=6, max_size=40),
    skews=st.tuples(SKEWS, SKEWS),
)
def test_right_hints(schedule: list[Step], skews: Sequence[float]) -> None:
    """Two people's edits end in the same log and trees whether each pass looks at everything or
    only at what changed."""
    found = []
    for right in (True, False):
        with tempfile.TemporaryDirectory() as place:
            life = Life(Path(place), [[0], [0]], skews, watch=note)
            life.begin()
            for laptop in life.laptops if right else ():
                laptop.scope = right_scope
            life.play(schedule)
            life.settle()
            found.append((operations(Path(place, "s0")), life.laptops[0].tree()))
    assert found[0] == found[1]


STORIES = [(MIXED, 0), (MIXED, 1), (MIXED, 2), (DIRECTORIES, 0), (DIRECTORIES, 1), (OUTBOX, 2)]


@pytest.mark.timeout(36_000 if ALL else 120)
@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize(("story", "number"), STORIES, ids=[f"{s.name}-{n}" for s, n in STORIES])
def test_killed_in_a_quick_pass(
    memory_disk: Path,
    tally: Counter[str],
    monkeypatch: pytest.MonkeyPatch,
    story: Story,
    number: int,
) -> None:
    """Wherever a quick pass dies, quick passes alone bring the story to its end."""
    monkeypatch.setattr(Laptop, "scope", staticmethod(right_scope))
    rehearsal = Rehearsal(memory_disk, story)
    where = rehearsal.passes[number]
    for step in range(1 + number, len(where.steps) + 1, 1 if ALL else 4):
        tally["kill points"] += 1
        with after(rehearsal.kill(where, step)):
            rehearsal.carry_on(where, others_first=step % 2 == 0)
            rehearsal.check()
