"""A store that fails once, at any call of a pass, in any way: nothing is lost, nothing is doubled.

A story is lived through once to note the calls of each pass to each store. Then, for each call and
each kind of fault that fits it, everything is put back, the fault happens there, the pass comes to
its end, and the next pass finds the stores well again. All must end as if nothing had happened:
equal trees, every content found, nothing deleted or brought back, no conflict copies but those
that people made, no event that says again what another said, rest, and nothing left over.

By default a sample; FIRNLINE_FAULTS is the stride between two that are tried, or `all`.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.scenario.rehearsal import Pass, Rehearsal, after
from tests.scenario.store_contents import entries_in
from tests.scenario.store_faults import KINDS, Call, Haunted, Kind, stride
from tests.scenario.stories import STORIES
from tests.scenario.story import Story

from firnline.core.event import parse_name
from firnline.stores.errors import StoreError
from firnline.sync.event_writer import NowhereToWriteError
from firnline.sync.folder_pass import run_pass

STRIDE = stride(29)

PASSES = [(story, number) for story in STORIES for number in range(len(story.acts))]
every_pass = pytest.mark.parametrize(
    ("story", "number"), PASSES, ids=[f"{story.name}-{number}" for story, number in PASSES]
)
pytestmark = [
    pytest.mark.usefixtures("small_batches"),
    pytest.mark.timeout(120 if STRIDE == 29 else 36_000),
]


@every_pass
def test_one_fault_at_every_call(
    memory_disk: Path, tally: Counter[str], story: Story, number: int
) -> None:
    """Whatever goes wrong once, the story comes to the end that it has without."""
    rehearsal = Rehearsal(memory_disk, story)
    where = rehearsal.passes[number]
    for call, word in _some(rehearsal, where, offset=PASSES.index((story, number))):
        tally["faults of stores"] += 1
        rehearsal.world.go_back(where.moment)
        with after(f"{word} at {call}"):
            _disturbed(rehearsal, where, call, KINDS[word])
            rehearsal.carry_on(where)
            rehearsal.check()
            again = {what: count for what, count in _said(rehearsal).items() if count > 1}
            # What cannot be read of one's own outbox is told anew: a twin, which folds with it.
            assert call.is_home or not again, f"said twice: {again}"


def _some(rehearsal: Rehearsal, where: Pass, offset: int) -> Iterator[tuple[Call, str]]:
    """Each call of a pass with each kind of fault that fits it, or a sample of that."""
    rehearsal.world.go_back(where.moment)
    laptop = rehearsal.laptop(where)
    with Haunted(laptop) as haunted:
        laptop.sync()
    pairs = [(c, word) for c in haunted.calls() for word, kind in KINDS.items() if kind.fits(c)]
    yield from pairs[offset % STRIDE :: STRIDE]


def _disturbed(rehearsal: Rehearsal, where: Pass, call: Call, kind: Kind) -> None:
    """A pass with the fault. No other store is given up for it, and only where this computer's own
    disk failed does the pass end early, in words."""
    laptop = rehearsal.laptop(where)
    before = _as_it_was(rehearsal, where)
    with Haunted(laptop, call, kind, before) as haunted, ExitStack() as stack:
        context = laptop.context(stack)
        try:
            run_pass(context)
        except (NowhereToWriteError, StoreError):
            assert call.is_home
        given_up = {unreached.name for unreached in context.unreached} - {
            store.name for store in laptop.away
        }
        assert given_up <= {call.store}
    assert haunted.happened()


def _as_it_was(rehearsal: Rehearsal, where: Pass) -> dict[str, Path]:
    """The stores as they were one pass before, by name."""
    if where.number == 0:
        return {}
    copy = rehearsal.passes[where.number - 1].moment.copy
    stores = {place.name: place for place in (copy / "stores").glob("*")}
    return {**stores, "home": copy / where.laptop / "home"}


def _said(rehearsal: Rehearsal) -> Counter[tuple[str, ...]]:
    """What devices bring, how often each: a change that was sent again under another name counts
    twice. That two devices bring the same is another matter, and deletions may be twins."""
    laptops = rehearsal.world.laptops.values()
    places = {place for laptop in laptops for place in (*laptop.stores, laptop.place / "home")}
    entries = {(e.event, e.path): e for place in places for e in entries_in(place)}
    return Counter(
        (parse_name(e.event).device, e.path, str(e.kind), e.data_hash, e.flags, e.parent)
        for e in entries.values()
        if e.puts
    )
