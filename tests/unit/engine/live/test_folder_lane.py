"""When which job of a folder is due. Time and threads are played."""

import asyncio
from collections.abc import Awaitable, Callable
from unittest.mock import patch

import pytest
from tests.doubles.still_loop import run_still, the_loop
from tests.unit.engine.live.lanes import NONE, Lane

from firnline.core.clock import DateTime
from firnline.core.pace import NOW_AND_THEN, POLL, RETRY
from firnline.engine.folder_root import FolderAwayError
from firnline.engine.running import FolderNow, Work
from firnline.engine.sync_command import FolderOutcome
from firnline.state.questions import Question
from firnline.sync.context import CancelledError, Problem, Unreached
from firnline.sync.scope import WHOLE, Scope
from firnline.watch.hints import EVERYTHING, Hints


def play(story: Callable[[Lane], Awaitable[None]]) -> None:
    """A story with a lane that has looked at everything once; at its end the lane is stopped."""

    async def tell() -> None:
        async with asyncio.TaskGroup() as group:
            lane = Lane(group)
            assert await lane.quiet() == [WHOLE]
            await story(lane)
            lane.lane.stop()
        assert lane.jobs.ended == 1
        assert lane.worker.ended

    run_still(tell())


def hints(*paths: str) -> Hints:
    return Hints(frozenset(paths))


def looking_at(*paths: str) -> Scope:
    return Scope(frozenset(paths), {})


def test_hint_is_a_quick_pass() -> None:
    """Over what was hinted at, and only that."""

    async def story(lane: Lane) -> None:
        lane.lane.changed_here(hints("a", "b"))
        assert await lane.quiet() == [looking_at("a", "b")]
        lane.lane.take_in("nas", {"name"})
        assert await lane.quiet() == [Scope(frozenset(), {"nas": frozenset({"name"})})]
        lane.lane.list_store("nas")
        assert await lane.quiet() == [Scope(frozenset(), {"nas": None})]
        lane.lane.know_stores()
        assert await lane.quiet() == []

    play(story)


def test_hints_while_a_job_runs_become_one() -> None:
    """However many there are, and never two jobs at a time."""

    async def story(lane: Lane) -> None:
        lane.jobs.seconds = 1
        lane.lane.changed_here(hints("a"))
        await lane.quiet()
        for number in range(100):
            lane.lane.changed_here(hints(str(number)))
        assert await lane.quiet() == []
        await asyncio.sleep(1)
        assert await lane.quiet() == [looking_at(*map(str, range(100)))]

    play(story)


@pytest.mark.parametrize("hint", [EVERYTHING, hints("a", ".firnlineignore")])
def test_some_hints_ask_for_everything(hint: Hints) -> None:
    """Something was missed; or other paths are hidden than before."""

    async def story(lane: Lane) -> None:
        lane.lane.changed_here(hint)
        assert await lane.quiet() == [WHOLE]

    play(story)


def test_everything_is_looked_at_now_and_then() -> None:
    """Also while quick passes come and go; and nothing happens in between."""

    async def story(lane: Lane) -> None:
        begun = lane.jobs.times[0]
        await asyncio.sleep(NOW_AND_THEN / 2)
        lane.lane.changed_here(hints("a"))
        await lane.quiet()
        await asyncio.sleep(NOW_AND_THEN * 3)
        assert lane.jobs.times[2:] == [begun + NOW_AND_THEN * number for number in (1, 2, 3)]
        assert await lane.quiet() == [WHOLE] * 3

    play(story)


def test_unwatched_folder_is_polled() -> None:
    """More and more seldom."""

    async def story(lane: Lane) -> None:
        lane.jobs.watched = False
        lane.lane.look_again()
        await lane.quiet()
        begun = lane.jobs.times[-1]
        await asyncio.sleep(POLL * 15)
        # The first look of all, which was watched, counts as a quiet one, too.
        assert [time - begun for time in lane.jobs.times[-2:]] == [POLL * 4, POLL * 12]
        await lane.quiet()

    play(story)


def test_nothing_is_done_before_the_stores_are_known() -> None:
    """A device without its table reads them first."""

    async def tell() -> None:
        async with asyncio.TaskGroup() as group:
            lane = Lane(group)
            lane.stores = None
            assert await lane.quiet() == []
            lane.stores = NONE
            lane.lane.know_stores()
            assert await lane.quiet() == [WHOLE]
            lane.lane.stop()

    run_still(tell())


def unreadable(outcome: FolderOutcome) -> None:
    outcome.report.problems.append(Problem("a", "unreadable", "another program has it"))


def test_what_failed_is_tried_again() -> None:
    """That path alone, with growing pauses, until it works."""

    async def story(lane: Lane) -> None:
        lane.jobs.ends = unreadable
        lane.lane.changed_here(hints("a", "b"))
        await lane.quiet()
        begun = lane.jobs.times[-1]
        await asyncio.sleep(RETRY * 3.5)
        assert [time - begun for time in lane.jobs.times[2:]] == [RETRY, RETRY * 3]
        assert await lane.quiet() == [looking_at("a")] * 2
        lane.jobs.ends = lambda outcome: None
        await asyncio.sleep(RETRY * 4)
        assert await lane.quiet() == [looking_at("a")]
        await asyncio.sleep(NOW_AND_THEN / 2)
        assert await lane.quiet() == []

    play(story)


def test_other_jobs_do_not_put_off_the_next_try() -> None:
    """Somebody saves every second, and still the locked file is asked for in time."""

    async def story(lane: Lane) -> None:
        lane.jobs.ends = unreadable
        lane.lane.changed_here(hints("a"))
        await lane.quiet()
        for _ in range(7):
            await asyncio.sleep(1)
            lane.lane.changed_here(hints("b"))
        assert any(scope.paths and "a" in scope.paths for scope in (await lane.quiet())[1:])

    play(story)


def unfinished(outcome: FolderOutcome) -> None:
    outcome.report.complete = False


def asking(outcome: FolderOutcome) -> None:
    outcome.report.questions.append(
        Question("id", "kind", "", DateTime("20261122080000000000"), {})
    )
    outcome.report.complete = False


def without_store(outcome: FolderOutcome) -> None:
    outcome.unreached.append(Unreached("nas", "id", False, OSError()))
    outcome.report.complete = False


def special(outcome: FolderOutcome) -> None:
    outcome.report.problems.append(Problem("a", "special", "a socket"))


def failing(outcome: FolderOutcome) -> None:
    outcome.error = OSError("it did not work")


def full(outcome: FolderOutcome) -> None:
    outcome.report.problems.append(Problem("", "store full", "no space", "nas"))


@pytest.mark.parametrize("ends", [asking, without_store, special])
def test_what_waits_for_others_is_not_tried_again(ends: Callable[[FolderOutcome], None]) -> None:
    """For the user, for a store, for ever: a machine that is left alone does nothing."""

    async def story(lane: Lane) -> None:
        lane.jobs.ends = ends
        lane.lane.changed_here(hints("a"))
        await lane.quiet()
        await asyncio.sleep(NOW_AND_THEN / 2)
        assert await lane.quiet() == []

    play(story)


@pytest.mark.parametrize("ends", [unfinished, failing, full])
def test_some_failures_ask_for_everything(ends: Callable[[FolderOutcome], None]) -> None:
    """Where no path is to blame."""

    async def story(lane: Lane) -> None:
        lane.jobs.ends = ends
        lane.lane.changed_here(hints("a"))
        await lane.quiet()
        await asyncio.sleep(RETRY)
        assert await lane.quiet() == [WHOLE]

    play(story)


def away(outcome: FolderOutcome) -> None:
    outcome.error = FolderAwayError("the folder is not there", "look for it")


def test_folder_that_is_away_is_looked_for_when_disks_come() -> None:
    """One that is there is left alone."""

    async def story(lane: Lane) -> None:
        lane.lane.may_be_back()
        assert await lane.quiet() == []
        lane.jobs.ends = away
        lane.lane.look_again()
        await lane.quiet()
        lane.lane.may_be_back()
        assert await lane.quiet() == [WHOLE]

    play(story)


def test_rest_waits_for_the_job_and_ends_with_a_look_at_everything() -> None:
    """While it rests the folder is closed, and nothing is done whatever is asked for."""

    async def story(lane: Lane) -> None:
        lane.jobs.seconds = 2
        lane.lane.changed_here(hints("a"))
        await lane.quiet()
        assert not lane.jobs.cancelled()
        begun = the_loop().time()
        await lane.lane.rest()
        assert the_loop().time() == begun + 2
        assert lane.jobs.closed
        lane.lane.changed_here(hints("b"))
        await asyncio.sleep(NOW_AND_THEN * 2)
        assert await lane.quiet() == []
        lane.jobs.seconds = 0
        lane.lane.go_on()
        assert await lane.quiet() == [WHOLE]

    play(story)


def test_two_who_want_rest_get_it() -> None:
    """It goes on when both are done; the second rest is one as well."""

    async def story(lane: Lane) -> None:
        await lane.lane.rest()
        await lane.lane.rest()
        lane.lane.go_on()
        assert await lane.quiet() == []
        lane.lane.go_on()
        await lane.lane.rest()
        assert await lane.quiet() == []
        lane.lane.go_on()
        assert await lane.quiet() == [WHOLE]

    play(story)


def test_job_that_runs_is_asked_to_end() -> None:
    """When the program stops, and when a command wants the folder; what it did is told, and
    nothing is planned."""

    async def story(lane: Lane) -> None:
        lane.jobs.seconds = 2
        lane.jobs.ends = cancelled
        lane.lane.changed_here(hints("a"))
        await lane.quiet()
        lane.lane.stop()
        assert lane.jobs.cancelled()
        await lane.task
        assert isinstance(lane.told[-1].error, CancelledError)
        await lane.lane.rest()

    play(story)


def cancelled(outcome: FolderOutcome) -> None:
    outcome.error = CancelledError()


@pytest.mark.logs("a mistake in the program")
def test_mistake_in_a_job_does_not_end_the_lane() -> None:
    """It is logged, and the folder is looked at again later."""

    async def story(lane: Lane) -> None:
        with patch.object(lane.jobs, "run", side_effect=ZeroDivisionError):
            lane.lane.changed_here(hints("a"))
            await lane.quiet()
        await asyncio.sleep(NOW_AND_THEN)
        assert await lane.quiet() == [WHOLE]

    play(story)


def test_what_is_being_done() -> None:
    """A look at the folder, other work, or nothing; and how many changed paths are known."""

    async def story(lane: Lane) -> None:
        assert lane.lane.now() == FolderNow()
        lane.jobs.seconds = 1
        lane.lane.changed_here(hints("a", "b"))
        assert lane.lane.now() == FolderNow(Work.SYNCING, 2)
        await lane.quiet()
        assert lane.lane.now() == FolderNow(Work.SYNCING, 2)
        lane.jobs.scans = True
        lane.lane.changed_here(hints("b", "c", "d"))
        assert lane.lane.now() == FolderNow(Work.SCANNING, 5)
        lane.jobs.scans = False
        lane.lane.look_again()
        assert lane.lane.now() == FolderNow(Work.SYNCING, 2)
        await asyncio.sleep(3)
        assert lane.lane.now() == FolderNow()

    play(story)


def test_what_is_being_done_during_a_command() -> None:
    """Nobody says that all is well until everything was looked at again."""

    async def story(lane: Lane) -> None:
        await lane.lane.rest()
        assert lane.lane.now().work is Work.SYNCING
        lane.lane.go_on()
        assert lane.lane.now().work is Work.SYNCING
        await lane.quiet()
        assert lane.lane.now().work is Work.NOTHING

    play(story)


def test_why_a_folder_is_not_looked_after() -> None:
    """Known to who asks until a job succeeds; stopping is no trouble, and a folder that is away is
    seen by who asks."""

    async def story(lane: Lane) -> None:
        for ends, trouble in [
            (failing, "folder docs: it did not work."),
            (cancelled, ""),
            (failing, "folder docs: it did not work."),
            (away, ""),
            (failing, "folder docs: it did not work."),
            (unreadable, ""),
        ]:
            lane.jobs.ends = ends
            lane.lane.changed_here(hints("a"))
            await lane.quiet()
            assert lane.lane.now().trouble == trouble

    play(story)
