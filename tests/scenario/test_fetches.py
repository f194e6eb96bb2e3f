"""Bodies that a pass does not wait for, and that are brought beside it."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest
from tests.scenario.invariants import check_done, sync_until_rest
from tests.scenario.laptops import Laptop, event_count

from firnline.core.steps import Steps, no_steps
from firnline.sync.context import CancelledError, FolderContext, GaveUp, Patience
from firnline.sync.fetches import LARGE, Fetches, bring
from firnline.sync.folder_pass import PassReport, run_pass

BODY = "x" * LARGE


class Slow(Patience):
    """Bodies took long lately."""

    def reads_slowly(self) -> bool:
        return True


class GivesUp(Patience):
    """Nothing of the stores is read in time."""

    def __init__(self, context: FolderContext) -> None:
        self.context = context

    @contextmanager
    def strictly(self) -> Iterator[GaveUp]:
        stores, self.context.stores = self.context.stores, []
        gave_up = GaveUp()
        try:
            yield gave_up
        finally:
            self.context.stores = stores
            gave_up.some = True


class Device:
    """A laptop whose passes wait for no large body."""

    def __init__(self, laptop: Laptop) -> None:
        self.laptop = laptop
        self.asked: list[bool] = []
        self.fetches = Fetches(self.asked.append)

    def sync(self) -> PassReport:
        with ExitStack() as stack:
            context = self._context(stack)
            arrived = self.fetches.arrived
            report = run_pass(context)
            self.fetches.drop(arrived)
            return report

    def bring(self, *, steps: Steps = no_steps, cancelled: bool = False) -> bool:
        with ExitStack() as stack:
            context = self.laptop.context(stack, steps)
            context.cancelled = lambda: cancelled
            return bring(context, self.fetches, large=True)

    @property
    def temporaries(self) -> list[Path]:
        return list(self.laptop.folder.glob(".firnline/tmp/*"))

    def _context(self, stack: ExitStack) -> FolderContext:
        context = self.laptop.context(stack)
        context.patience = Slow()
        context.fetches = self.fetches
        context.root.spare(self.fetches.names)
        return context


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def anna(tmp_path: Path, store: Path) -> Laptop:
    laptop = Laptop(tmp_path / "anna", "anna0000", [store])
    laptop.write("small", "s")
    laptop.sync()
    return laptop


@pytest.fixture
def bert(tmp_path: Path, store: Path, anna: Laptop) -> Device:
    laptop = Laptop(tmp_path / "bert", "bert0000", [store])
    laptop.sync()
    return Device(laptop)


def test_it_is_taken_by_a_later_pass(anna: Laptop, bert: Device) -> None:
    """All else is done meanwhile, nothing is a problem, and no sweep takes what is here."""
    anna.write("large", BODY, executable=True)
    anna.write("small", "ss")
    anna.sync()
    for _ in range(2):
        report = bert.sync()
        assert (report.problems, report.complete) == ([], False)
    assert bert.laptop.tree() == {"small": "ss"}
    assert bert.asked == [True]
    assert not bert.bring()
    assert len(bert.temporaries) == 1
    assert bert.sync().complete
    assert not bert.fetches
    assert bert.temporaries == []
    assert bert.laptop.tree() == anna.tree()
    check_done([anna, bert.laptop])


def test_a_replaced_file_keeps_its_permissions(anna: Laptop, bert: Device) -> None:
    """As with what a pass brings itself."""
    (bert.laptop.folder / "small").chmod(0o640)
    anna.write("small", BODY)
    anna.sync()
    bert.sync()
    bert.bring()
    assert bert.sync().complete
    assert (bert.laptop.folder / "small").stat().st_mode & 0o777 == 0o640
    check_done([anna, bert.laptop])


def test_a_save_meanwhile_is_not_lost(anna: Laptop, bert: Device) -> None:
    """What the user saves where a body is to come is an event of its own, and both stay."""
    anna.write("small", BODY)
    anna.sync()
    bert.sync()
    bert.bring()
    bert.laptop.write("small", "bert's")
    bert.sync()
    sync_until_rest([anna, bert.laptop])
    assert len(anna.tree()) == 2
    assert "bert's" in anna.tree().values()
    check_done([anna, bert.laptop])


def test_what_is_wanted_no_more_is_thrown_away(anna: Laptop, bert: Device) -> None:
    """The log went on before a pass took it."""
    anna.write("large", BODY)
    anna.sync()
    bert.sync()
    bert.bring()
    anna.delete("large")
    anna.sync()
    assert bert.sync().complete
    bert.sync()
    assert bert.temporaries == []
    assert not bert.fetches
    check_done([anna, bert.laptop])


def test_what_cannot_be_had_is_told(anna: Laptop, bert: Device, store: Path) -> None:
    """By the pass that follows, as ever; and it is asked for again when somebody may have it."""
    anna.write("large", BODY)
    anna.sync()
    bert.sync()
    (event,) = [path for path in store.glob("*/events/*/*") if path.stat().st_size == LARGE]
    body = event.read_bytes()
    event.write_bytes(b"y" * LARGE)
    bert.bring()
    assert bert.temporaries == []
    assert "pending event" in {problem.kind for problem in bert.sync().problems}
    assert not bert.fetches
    event.write_bytes(body)
    anna.sync()
    bert.sync()
    bert.bring()
    sync_until_rest([anna, bert.laptop])
    check_done([anna, bert.laptop])


def test_one_that_is_ended_is_brought_again(anna: Laptop, bert: Device) -> None:
    """A command may end it at any time."""
    anna.write("large", BODY)
    anna.sync()
    bert.sync()
    with pytest.raises(CancelledError):
        bert.bring(cancelled=True)
    assert bert.sync().problems == []
    assert bert.asked == [True]
    bert.bring()
    assert bert.sync().complete
    check_done([anna, bert.laptop])


class Killed(BaseException):
    """The process ends here."""


def test_killed_at_any_step(anna: Laptop, bert: Device) -> None:
    """The next process knows of nothing, sweeps what is left, and everything arrives."""
    anna.write("large", BODY)
    anna.sync()
    steps = 0
    while True:
        bert.sync()
        left = steps

        def kill(name: str) -> None:
            nonlocal left
            left -= 1
            if left < 0:
                raise Killed

        died = True
        with suppress(Killed):
            bert.bring(steps=kill)
            died = False
        bert = Device(bert.laptop)
        bert.sync()
        assert bert.temporaries == []
        assert bert.laptop.tree() == {"small": "s"}
        if not died:
            break
        steps += 1
    assert steps > 3
    sync_until_rest([anna, bert.laptop])
    check_done([anna, bert.laptop])


def test_small_bodies_come_beside_where_a_store_gives_no_answer(
    anna: Laptop, bert: Device, store: Path
) -> None:
    """What was given up is no problem either."""
    anna.write("small", "ss")
    anna.sync()
    with ExitStack() as stack:
        context = bert.laptop.context(stack)
        context.patience, context.fetches = GivesUp(context), bert.fetches
        assert run_pass(context).problems == []
    assert bert.asked == [False]
    with ExitStack() as stack:
        assert not bring(bert.laptop.context(stack), bert.fetches, large=True)
        assert not bring(bert.laptop.context(stack), bert.fetches, large=False)
    assert bert.sync().complete
    assert event_count(store) == 2
    check_done([anna, bert.laptop])
