"""Which of several stores that have a content is asked for it."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.doubles.faulty_store import Fault, FaultyStore
from tests.scenario.laptops import Laptop
from tests.scenario.store_faults import FOREVER

from firnline.stores.base import Store
from firnline.sync.bodies import Bodies
from firnline.sync.context import FolderContext

BODY = b"x" * 2**20


@pytest.fixture
def context(tmp_path: Path) -> Iterator[FolderContext]:
    """Of a device that has nothing yet, with two stores of equal rating; one takes ten times as
    long for what is read."""
    stores = [tmp_path / "slow", tmp_path / "quick"]
    anna = Laptop(tmp_path / "anna", "anna0000", stores)
    anna.write("film", BODY)
    anna.sync()
    bert = Laptop(tmp_path / "bert", "bert0000", stores)
    (tmp_path / "bert" / "folder" / ".firnlineignore").write_text("film")
    bert.sync()

    def wrap(name: str, inner: Store) -> Store:
        delay = {"slow": 10.0, "quick": 1.0}.get(name, 0.0)
        return FaultyStore(inner, bert.clock, faults=[Fault("read", repeat=FOREVER, delay=delay)])

    bert.wrap = wrap
    with ExitStack() as stack:
        yield bert.context(stack)


def read(context: FolderContext) -> None:
    (entry,) = context.state.journal.entries("film")
    assert Bodies(context).read(entry.data_hash, len(BODY)) == BODY


def test_the_quicker_one_of_equal_stores(context: FolderContext) -> None:
    """Each is measured once; then the quicker one is asked, as long as it is that."""
    by_rating = [each.name for each in context.sources]
    assert by_rating == [each.name for each in context.stores] == ["slow", "quick"]
    read(context)
    assert [each.name for each in context.sources] == ["quick", "slow"]
    read(context)
    assert [each.name for each in context.sources] == ["quick", "slow"]
    assert context.speeds == {
        each.store_id: len(BODY) / {"slow": 10.0, "quick": 1.0}[each.name]
        for each in context.stores
    }
    (quick,) = [each for each in context.stores if each.name == "quick"]
    for _ in range(20):
        context.note_speed(quick, len(BODY), 100.0)
    assert [each.name for each in context.sources] == ["slow", "quick"]


def test_the_rating_comes_first(context: FolderContext) -> None:
    """However slow it was."""
    slow, quick = context.stores
    context.stores = [slow._replace(rating=90), quick]
    read(context)
    context.note_speed(quick, len(BODY), 0.1)
    assert [each.name for each in context.sources] == ["slow", "quick"]


def test_one_measurement_is_not_all(context: FolderContext) -> None:
    """Small bodies say nothing about speed, and one large one does not undo all others."""
    slow, _ = context.stores
    context.note_speed(slow, 100, 1.0)
    context.note_speed(slow, len(BODY), 0.0)
    assert context.speeds == {}
    context.note_speed(slow, 4 * 2**20, 1.0)
    context.note_speed(slow, 8 * 2**20, 1.0)
    assert context.speeds == {slow.store_id: 5 * 2**20}
