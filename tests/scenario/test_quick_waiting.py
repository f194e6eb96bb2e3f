"""Quick passes beside what waits for the user: they leave it alone, unless it is concerned."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.scenario.deletions import FILES, delete, make_filled, make_pair, only, sure
from tests.scenario.encrypting import encrypt
from tests.scenario.invariants import sync_until_rest
from tests.scenario.laptops import Laptop, settle
from tests.scenario.quick_passes import news_for, quick

from firnline.sync.burst_guard import BURST
from firnline.sync.context import FolderContext
from firnline.sync.folder_pass import run_pass

Pair = tuple[Laptop, Laptop]
GONE = FILES[:12]


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    """Two laptops that have twenty files in four directories; twelve were deleted on the second,
    and wait on the first."""
    a, b = make_filled(tmp_path)
    delete(b, GONE)
    sure(b)
    only(a.sync(), 12, "elsewhere")
    return a, b


class Work:
    """Counts what a pass costs: steps of the database, and calls of functions."""

    def __init__(self, context: FolderContext) -> None:
        self._sql = context.state.database.connection
        self.steps = self.calls = 0

    def of(self, act: Callable[[], object]) -> tuple[int, int]:
        self.steps = self.calls = 0
        self._sql.set_progress_handler(self._step, 1)
        sys.setprofile(self._call)
        try:
            act()
        finally:
            sys.setprofile(None)
            self._sql.set_progress_handler(None, 1)
        return self.steps, self.calls

    def _step(self) -> int:
        self.steps += 1
        return 0

    def _call(self, frame: object, event: str, argument: object) -> None:
        self.calls += event in ("call", "c_call")


def waiting(place: Path, count: int, side: str) -> Pair:
    """So many deletions wait on the first laptop, beside ten files that nobody deletes."""
    a, b = make_pair(place)
    gone = [f"d{number % 7}/{number}" for number in range(count)]
    for name in (*gone, *(f"kept/{number}" for number in range(10))):
        a.write(name, name)
    settle(a, b)
    if side == "here":
        delete(a, gone)
    else:
        delete(b, gone)
        sure(b)
    only(a.sync(), count, side)
    return a, b


def costs(place: Path, count: int, side: str) -> list[tuple[int, int]]:
    """Of a pass that looks at nothing, of one that saves a file, of one that gets one."""
    a, b = waiting(place, count, side)
    with a.awake() as context:
        work = Work(context)
        # What is loaded or prepared once.
        a.write("kept/0", "first")
        quick(context, "kept/0")
        nothing = work.of(lambda: quick(context))
        a.write("kept/0", "second")
        save = work.of(lambda: quick(context, "kept/0"))
        b.write("kept/1", "first")
        b.sync()
        quick(context, news=news_for(context))
        b.write("kept/1", "second")
        b.sync()
        news = news_for(context)
        get = work.of(lambda: quick(context, news=news))
        assert a.read("kept/1") == "second"
        only(quick(context), count, side)
    return [nothing, save, get]


@pytest.mark.parametrize("side", ["here", "elsewhere"])
def test_what_waits_costs_nothing(tmp_path: Path, side: str) -> None:
    """However many deletions wait, a pass that looks at one file costs what that file costs."""
    few = costs(tmp_path / "few", 50, side)
    many = costs(tmp_path / "many", 250, side)
    for (few_steps, few_calls), (many_steps, many_calls) in zip(few, many, strict=True):
        assert many_steps <= few_steps * 1.1
        assert many_calls <= few_calls * 1.1


def test_more_deletions(pair: Pair) -> None:
    """What others delete afterwards is asked about with the rest, as one question."""
    a, b = pair
    with a.awake() as context:
        before = only(quick(context), 12, "elsewhere")
        b.delete("d1/13")
        b.sync()
        after = only(quick(context, news=news_for(context)), 13, "elsewhere")
        assert after.id != before.id
        assert "d1/13" in a.tree()


def test_a_version_that_comes_later(pair: Pair) -> None:
    """Where somebody puts a file again it is taken, and the question is about the others."""
    a, b = pair
    with a.awake() as context:
        b.write(GONE[0], "again")
        b.sync()
        only(quick(context, news=news_for(context)), 11, "elsewhere")
        assert a.read(GONE[0]) == "again"


def test_a_save_of_what_waits(pair: Pair) -> None:
    """What the user saves here is his answer for that file."""
    a, b = pair
    with a.awake() as context:
        a.write(GONE[0], "still needed")
        report = quick(context, GONE[0])
        assert report.written == 1
        only(report, 11, "elsewhere")
        b.sync()
        assert b.read(GONE[0]) == "still needed"


def test_a_directory_at_a_path_that_waits(pair: Pair) -> None:
    """A file that made room for a directory was not deleted: the directory comes."""
    a, b = pair
    with a.awake() as context:
        b.write(f"{GONE[0]}/below", "in a directory")
        b.sync()
        report = quick(context, news=news_for(context))
        only(report, 11, "elsewhere")
        assert a.read(f"{GONE[0]}/below") == "in a directory"


def test_other_things_go_on(pair: Pair) -> None:
    """New files, moves and conflicts of others are as ever, and nothing of what waits happens."""
    a, b = pair
    with a.awake() as context:
        b.write("new", "new")
        b.move("d3/15", "d3/moved")
        b.write("d3/19", "theirs")
        a.write("d3/19", "ours")
        b.sync()
        quick(context, "d3/19", news=news_for(context))
        only(quick(context), 12, "elsewhere")
        tree = a.tree()
        assert {"new", "d3/moved", *GONE} <= set(tree)
        assert len([name for name in tree if "(conflict" in name]) == 1


@pytest.mark.parametrize("choice", ["keep", "delete"])
def test_an_answer_after_a_rest(pair: Pair, choice: str) -> None:
    """The pass that follows carries it out, and nothing waits or rests any more."""
    a, b = pair
    with a.awake() as context:
        question = only(quick(context), 12, "elsewhere")
        a.answer(question.id, choice)
        quick(context)
        report = quick(context)
        assert (report.questions, report.complete) == ([], True)
        assert not context.state.resting.any()
        assert not context.state.dirty.any()
    sync_until_rest([a, b])
    assert len(a.tree()) == len(b.tree()) == (20 if choice == "keep" else 8)


def test_what_rests_is_still_left_to_do(pair: Pair) -> None:
    """It counts as not applied, in this process and in the next."""
    a, _ = pair
    with a.awake() as context:
        assert not quick(context).complete
        assert context.state.dirty.count() == 12
        assert context.state.dirty.paths() == sorted(GONE)
    with a.awake() as context:
        assert run_pass(context).questions
        assert context.state.dirty.paths() == sorted(GONE)


@pytest.mark.parametrize("ending", [".locked", ""])
def test_a_burst_beside_deletions(tmp_path: Path, ending: str) -> None:
    """While deletions wait, files that another device encrypts are held as well."""
    a, b = waiting(tmp_path, 30, "elsewhere")
    names = [f"papers/{number}.txt" for number in range(110)]
    for name in names:
        b.write(name, f"{name}\n" * 40)
    b.clock.advance(hours=1)
    a.clock.advance(hours=1)
    b.sync()
    with a.awake() as context:
        only(run_pass(context), 30, "elsewhere")
        b.clock.advance(hours=1)
        a.clock.advance(hours=1)
        encrypt(b, names, ending)
        b.sync()
        report = quick(context, news=news_for(context))
        assert {question.kind for question in report.questions} == {BURST, "mass deletion"}
        assert a.read(names[0]).startswith(names[0])
        assert quick(context).applied == 0
        b.write("papers/new", "harmless")
        b.sync()
        quick(context, news=news_for(context))
        assert a.read("papers/new") == "harmless"
        assert a.read(names[0]).startswith(names[0])
