"""A folder that stays open from one job to the next. The jobs run on the test's own thread."""

import os
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import Any
from unittest.mock import patch

import pytest
from tests.doubles.faulty_store import Fault, FaultyStore
from tests.doubles.profile import Profile
from tests.scenario.commands.running import until
from tests.unit.engine.live.played_watchers import Watchers

from firnline.core.hashing import PLAIN
from firnline.engine.folder_commands import create_folder, join_folder
from firnline.engine.folder_root import FolderAwayError
from firnline.engine.live.kept_folder import KeptFolder
from firnline.engine.live.watches import Watches
from firnline.engine.open_folder import Reached, state_file
from firnline.engine.runtime import Engine
from firnline.engine.status import FolderActivity, status
from firnline.engine.sync_command import FolderOutcome
from firnline.folder.claim import InUse, claimed
from firnline.folder.errors import Vanished
from firnline.folder.filesystem import Root
from firnline.folder.scan import Scan, scan
from firnline.state.database import DatabaseError, DatabaseFault
from firnline.stores import hurried
from firnline.stores.errors import SlowError, UnavailableError
from firnline.sync import scanning
from firnline.sync.context import CancelledError, FolderContext
from firnline.sync.fetches import Fetches
from firnline.sync.folder_pass import PassReport, run_pass
from firnline.sync.scope import WHOLE, Scope


class Kept:
    """A device whose folder is kept open."""

    def __init__(self, anna: Profile, engine: Engine) -> None:
        self.anna = anna
        self.engine = engine
        self.watchers = Watchers()
        self.cancelled = False
        self.answered: list[str] = []
        self.fetches = Fetches(lambda large: None)
        watches = Watches(self.watchers, engine.outside.clock, lambda hints: None)
        (settings,) = engine.settings.folders
        self.jobs = KeptFolder(
            engine,
            settings,
            watches,
            self.answered.append,
            self.fetches,
            lambda: self.cancelled,
        )

    @property
    def reached(self) -> Reached:
        return Reached(*self.engine.reach(["nas"]))

    def run(self, scope: Scope = WHOLE, reached: Reached | None = None) -> FolderOutcome:
        return self.jobs.run(scope, reached or self.reached).outcome

    @property
    def table(self) -> Path:
        """The folder's database."""
        return state_file(self.engine, self.engine.settings.folders[0].folder_id)

    @property
    def kept_tables(self) -> list[str]:
        """Databases that were set aside."""
        return [each.name for each in self.table.parent.glob("*.damaged-?")]


@pytest.fixture
def kept(anna: Profile, nas: Path) -> Iterator[Kept]:
    anna.add_store("nas", nas)
    with anna.engine() as engine:
        create_folder(engine, str(anna.folder), "docs", [])
        found = Kept(anna, engine)
        yield found
        found.jobs.end()
    assert found.watchers.open == []


def test_jobs_share_what_is_open(kept: Kept) -> None:
    """A whole pass, then quick ones; each writes what it was to look at, and no more."""
    kept.anna.write("a.txt", "a")
    assert kept.run().report.written == 1
    kept.anna.write("b.txt", "b")
    kept.anna.write("c.txt", "c")
    assert kept.run(Scope(frozenset({"b.txt"}), {})).report.written == 1
    assert kept.run(Scope(frozenset({"b.txt"}), {})).report.written == 0
    assert kept.run().report.written == 1


def test_a_look_at_the_folder_is_known(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    """While it lasts, from any thread; not before, not after, and not when it broke off."""
    seen: list[bool] = []

    def look(*arguments: Any, **options: Any) -> Scan:
        seen.append(kept.jobs.scans)
        if len(seen) == 2:
            raise Vanished("", "the folder is away")
        return scan(*arguments, **options)

    monkeypatch.setattr(scanning, "scan", look)
    assert not kept.jobs.scans
    kept.run()
    assert not kept.jobs.scans
    assert isinstance(kept.run(Scope(frozenset({"a"}), {})).error, Vanished)
    assert not kept.jobs.scans
    assert seen == [True, True]


def test_store_that_was_filled_again_is_left_alone_by_quick_jobs(kept: Kept, nas: Path) -> None:
    """Its user is asked first: no job writes there before the answer, also where the store itself
    is connected."""
    kept.anna.write("a.txt", "a")
    kept.run()
    (current,) = nas.glob("stores/*/is_current")
    current.write_text("0" * 16)
    kept.engine.ask_again("nas")
    reached = kept.reached
    assert kept.run(reached=reached).waits
    before = sorted(nas.glob("docs-*/**/*"))
    kept.anna.write("b.txt", "b")
    quick = kept.run(Scope(frozenset({"b.txt"}), {}), reached)
    assert (quick.waits, quick.report.written) == (True, 1)
    assert sorted(nas.glob("docs-*/**/*")) == before


def test_folder_is_watched_before_it_is_looked_at(kept: Kept) -> None:
    """So that nothing changes unseen between the two."""
    assert kept.jobs.run(WHOLE, kept.reached).watched
    (watcher,) = kept.watchers.made
    assert watcher.root == kept.anna.folder


@pytest.mark.skipif(sys.platform != "linux", reason="only there it can be seen")
def test_nothing_is_open_in_the_folder_between_jobs(kept: Kept) -> None:
    """Its disk can be unmounted."""
    kept.anna.write("dir/a.txt", "a")
    kept.run()
    kept.run(Scope(frozenset({"dir/a.txt"}), {}))
    open_files = []
    for number in os.listdir("/proc/self/fd"):
        try:
            open_files.append(os.readlink(f"/proc/self/fd/{number}"))
        except FileNotFoundError:
            continue
    assert [file for file in open_files if file.startswith(str(kept.anna.folder))] == []


def test_another_profile_may_work_there_between_jobs(kept: Kept) -> None:
    """And a job that finds it at work fails without harm; the next one does it all."""
    kept.anna.write("a.txt", "a")
    with Root(str(kept.anna.folder)) as root, claimed(root):
        assert isinstance(kept.run().error, InUse)
    assert kept.run().report.written == 1


def test_folder_that_is_away_is_waited_for(kept: Kept) -> None:
    """Nothing is taken for deleted, and it is taken up again."""
    kept.anna.write("a.txt", "a")
    kept.run()
    elsewhere = kept.anna.folder.rename(kept.anna.base / "elsewhere")
    assert isinstance(kept.run().error, FolderAwayError)
    kept.anna.folder.mkdir()
    assert isinstance(kept.run(Scope(frozenset({"a.txt"}), {})).error, FolderAwayError)
    assert kept.anna.base in [watcher.root for watcher in kept.watchers.open]
    kept.anna.folder.rmdir()
    elsewhere.rename(kept.anna.folder)
    outcome = kept.run()
    assert (outcome.error, outcome.report.written) == (None, 0)
    assert [watcher.root for watcher in kept.watchers.open] == [kept.anna.folder]


def test_store_that_fails_in_a_job_is_told(kept: Kept, nas: Path) -> None:
    """The folder goes on without it, and with it as soon as it is there again."""
    kept.anna.write("before.txt", "before")
    kept.run()
    reached = kept.reached
    nas.rename(nas.with_name("away"))
    kept.anna.write("a.txt", "a")
    outcome = kept.run(Scope(frozenset({"a.txt"}), {}), reached)
    (lost,) = outcome.unreached
    assert isinstance(lost.why, UnavailableError)
    assert outcome.report.written == 1
    nas.with_name("away").rename(nas)
    kept.engine.ask_again("nas")
    outcome = kept.run(Scope(frozenset(), {reached.stores[0].store_id: None}))
    assert outcome.unreached == []
    assert len(list(nas.glob("docs-*/events/*/*"))) == 2


def test_job_that_is_cancelled_says_so(kept: Kept) -> None:
    """The next one does what it left."""
    kept.anna.write("a.txt", "a")
    kept.cancelled = True
    assert isinstance(kept.run().error, CancelledError)
    kept.cancelled = False
    assert kept.run().report.written == 1


def test_folder_that_cannot_be_watched_says_so(kept: Kept) -> None:
    """In `status`, with what helps; it is no trouble, and goes when it is watched again."""
    kept.watchers.fails = "the system watches no more directories"
    done = kept.jobs.run(WHOLE, kept.reached)
    assert not done.watched
    assert done.outcome.complete
    (folder,) = status(kept.engine).folders
    assert folder.state is FolderActivity.IDLE
    assert [problem.kind for problem in folder.problems] == ["not watched"]
    kept.run(Scope(frozenset({"a.txt"}), {}))
    (folder,) = status(kept.engine).folders
    assert [problem.kind for problem in folder.problems] == ["not watched"]


def test_events_of_a_store_are_taken_in_by_name(kept: Kept, bert: Profile, nas: Path) -> None:
    """Only those that were told of."""
    kept.anna.write("a.txt", "a")
    kept.run()
    known = set(nas.glob("docs-*/events/*/*"))
    bert.add_store("nas", nas)
    with bert.engine() as engine:
        join_folder(engine, "docs", str(bert.folder), None, [])
    bert.write("b.txt", "b")
    bert.sync()
    (event,) = set(nas.glob("docs-*/events/*/*")) - known
    (store,) = kept.reached.stores
    assert kept.run(Scope(frozenset(), {})).report.applied == 0
    news = {store.store_id: frozenset({event.name})}
    assert kept.run(Scope(frozenset(), news)).report.applied == 1
    assert PLAIN.data(kept.anna.read("b.txt").encode()) in event.name


def fails_once(code: int) -> Any:
    """A pass in which the database says so, the first time."""
    left = [code]

    def job(context: FolderContext, scope: Scope) -> PassReport:
        if left:
            error = sqlite3.DatabaseError("as told by the test")
            error.sqlite_errorcode = left.pop()
            raise error
        return run_pass(context, scope)

    return patch("firnline.engine.live.kept_folder.run_pass", job)


def removed(kept: Kept, backup: Path) -> None:
    kept.table.unlink()


def removed_with_its_log(kept: Kept, backup: Path) -> None:
    for each in kept.table.parent.glob(f"{kept.table.name}*"):
        each.unlink()


def replaced(kept: Kept, backup: Path) -> None:
    backup.replace(kept.table)


@pytest.mark.parametrize("harm", [removed, removed_with_its_log, replaced])
def test_database_that_is_taken_away_beneath(
    kept: Kept, harm: Callable[[Kept, Path], None], nas: Path
) -> None:
    """Noticed by the next job, which looks at everything with new tables; told once, and shown by
    `status`. Nothing is written or deleted for what was there, and a save is not lost."""
    kept.anna.write("a.txt", "a")
    kept.run()
    backup = shutil.copy(kept.table, kept.anna.base / "backup")
    kept.anna.write("b.txt", "b")
    kept.run()
    harm(kept, Path(backup))
    kept.anna.write("c.txt", "c")
    outcome = kept.run(Scope(frozenset({"c.txt"}), {}))
    assert (outcome.error, outcome.report.written) == (None, 1)
    assert [problem.kind for problem in outcome.problems] == ["state damaged"]
    (folder,) = status(kept.engine).folders
    assert [problem.kind for problem in folder.problems] == ["state damaged"]
    assert len(kept.kept_tables) == (harm is replaced)
    assert kept.run().complete
    assert len(list(nas.glob("docs-*/events/*/*"))) == 3
    kept.jobs.close()
    assert kept.run().complete


def test_database_that_turns_out_to_be_damaged(kept: Kept) -> None:
    """It is kept aside, and the same job goes on with new tables."""
    kept.anna.write("a.txt", "a")
    kept.run()
    kept.anna.write("b.txt", "b")
    with fails_once(sqlite3.SQLITE_CORRUPT):
        outcome = kept.run(Scope(frozenset({"b.txt"}), {}))
    assert (outcome.error, outcome.report.written) == (None, 1)
    assert [problem.kind for problem in outcome.problems] == ["state damaged"]
    (name,) = kept.kept_tables
    assert name in outcome.problems[0].message
    assert kept.run().complete


def test_damage_is_told_though_the_next_try_breaks_off(kept: Kept) -> None:
    """By the first look at everything that comes to its end."""
    kept.run()
    kept.table.unlink()
    kept.cancelled = True
    assert isinstance(kept.run().error, CancelledError)
    kept.cancelled = False
    assert [problem.kind for problem in kept.run().problems] == ["state damaged"]
    assert kept.run().complete


@pytest.mark.parametrize(
    ("code", "fault"),
    [(sqlite3.SQLITE_FULL, DatabaseFault.FULL), (sqlite3.SQLITE_IOERR, DatabaseFault.OTHER)],
)
def test_database_that_cannot_be_used_for_now(kept: Kept, code: int, fault: DatabaseFault) -> None:
    """Full disk, or one that fails: the next job opens it anew and goes on where it was."""
    kept.anna.write("a.txt", "a")
    kept.run()
    kept.anna.write("b.txt", "b")
    with fails_once(code):
        error = kept.run(Scope(frozenset({"b.txt"}), {})).error
        assert isinstance(error, DatabaseError)
        assert error.fault is fault
        outcome = kept.run()
    assert (outcome.complete, outcome.report.written) == (True, 1)
    assert kept.kept_tables == []


def test_state_whose_directory_is_away_is_waited_for(kept: Kept) -> None:
    """Its disk may be mounted again: nothing is made anew then."""
    kept.anna.write("a.txt", "a")
    kept.run()
    state = kept.table.parent
    away = state.rename(state.with_name("away"))
    error = kept.run().error
    assert isinstance(error, DatabaseError)
    assert error.fault is DatabaseFault.OTHER
    away.rename(state)
    outcome = kept.run()
    assert (outcome.complete, outcome.report.written) == (True, 0)


def test_store_that_hangs_holds_up_no_job(
    kept: Kept, nas: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A look at everything ends without it, what is new waits on this device, and so do later jobs;
    when it answers, that is told, and it is asked again."""
    kept.anna.write("a.txt", "a")
    kept.run()
    (real,) = kept.reached.stores
    store = FaultyStore(real.store, kept.engine.outside.clock)
    reached = Reached([real._replace(store=store)], [])
    kept.run(reached=reached)
    over = Event()
    monkeypatch.setattr(hurried, "MOMENT", 0.5)
    store.add(Fault("list", callback=over.wait))
    kept.anna.write("b.txt", "b")
    whole = kept.run(reached=reached)
    assert whole.report.written == 1
    assert [type(each.why) for each in whole.unreached] == [SlowError]
    kept.anna.write("c.txt", "c")
    assert kept.run(Scope(frozenset({"c.txt"}), {}), reached).report.written == 1
    places = nas, kept.anna.places.home_store
    assert [len(list(each.glob("docs-*/events/*/*"))) for each in places] == [1, 2]
    assert kept.answered == []
    over.set()
    until(lambda: kept.answered == [real.store_id])
    assert kept.run(Scope(frozenset(), {real.store_id: None}), reached).unreached == []


def test_first_look_waits_for_every_store(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    """A device without its table tells nothing before it has read them, however long that takes."""
    (real,) = kept.reached.stores
    begun = Event()
    store = FaultyStore(real.store, kept.engine.outside.clock)
    store.add(Fault("list", repeat=3, callback=lambda: begun.wait(0.1)))
    monkeypatch.setattr(hurried, "MOMENT", 0.01)
    outcome = kept.run(reached=Reached([real._replace(store=store)], []))
    assert outcome.unreached == []
    assert kept.answered == []
