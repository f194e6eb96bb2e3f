"""What one quick pass leaves to the next, over one open folder."""

import itertools
from pathlib import Path
from typing import Any

import pytest
from tests.doubles.cycles import left_in_cycles
from tests.scenario.crashes import KillAt
from tests.scenario.deletions import FILES, make_filled
from tests.scenario.invariants import check_rest
from tests.scenario.laptops import Laptop, event_count, settle
from tests.scenario.quick_passes import quick

from firnline.folder.focus import Focus
from firnline.folder.ignore import IGNORE_FILE
from firnline.folder.scan import Scan, scan
from firnline.sync import scanning
from firnline.sync.context import FolderContext, Problem
from firnline.sync.folder_pass import last_problems, run_pass
from firnline.sync.scope import Scope

Pair = tuple[Laptop, Laptop]


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    """Two laptops that have twenty files in four directories, and one store."""
    return make_filled(tmp_path)


def test_problems_of_earlier_passes(pair: Pair) -> None:
    """They are told as long as nobody looked again; a look at the right place takes them away."""
    a, _ = pair
    with a.awake() as context:
        (a.folder / "d1/.FIRNLINE").write_text("a name of ours")
        a.write("d0/e\u0301", "one")
        a.write("d0/\u00e9", "other")
        first = run_pass(context)
        kinds = {(p.path, p.kind) for p in first.problems}
        assert len(kinds) == 2
        assert {(p.path, p.kind) for p in quick(context, "d2/02").problems} == kinds
        assert {(p.path, p.kind) for p in last_problems(context.state)} == kinds
        a.delete("d0/e\u0301")
        report = quick(context, "d0/e\u0301")
        assert [p.path for p in report.problems] == ["d1/.FIRNLINE"]
        assert last_problems(context.state) == report.problems


def test_what_was_wrong_at_the_beginning(pair: Pair) -> None:
    """It is told by the first whole pass, and shown until the next."""
    a, _ = pair
    with a.awake() as context:
        context.found = [Problem("", "state damaged", "it is kept")]
        assert [p.kind for p in run_pass(context).problems] == ["state damaged"]
        assert [p.kind for p in quick(context, "d0").problems] == ["state damaged"]
        assert run_pass(context).problems == []


def test_other_patterns(pair: Pair) -> None:
    """A change of the ignored patterns is looked at as a whole, hinted or not."""
    a, _ = pair
    with a.awake() as context:
        a.write(IGNORE_FILE, "d0/\n")
        quick(context, "d3/03")
        known = {path for path, *_ in context.state.files.known()}
        assert known == {*FILES[1:], IGNORE_FILE} - {n for n in FILES if n.startswith("d0")}
        a.write(IGNORE_FILE, "")
        assert quick(context, IGNORE_FILE).written == 1
        assert len(list(context.state.files.known())) == 21


def test_no_directory_is_held_open(pair: Pair) -> None:
    """Between two passes a disk can be unmounted."""
    a, _ = pair
    with a.awake() as context:
        for report in (quick(context, "d0/00"), run_pass(context)):
            assert report.complete
            held = [
                link.readlink()
                for link in Path("/proc/self/fd").iterdir()
                if link.is_symlink() and str(a.folder) in str(_target(link))
            ]
            assert held == []


def test_no_pass_leaves_what_only_the_collector_takes_away(pair: Pair, tmp_path: Path) -> None:
    """A device that runs for weeks holds after a thousand passes what it held after one: passes
    that save and that learn of it, copy, have nothing to do, and look at everything."""
    a, b = pair
    a.stores.append(tmp_path / "second")
    saves = itertools.count()
    with a.awake() as sender, b.awake() as receiver:
        run_pass(sender)

        def pass_around() -> None:
            a.write("d0/00", f"saved {next(saves)}")
            assert quick(sender, "d0/00").written == 1
            names = {path.name for path in a.stores[0].glob("*/events/*/*")}
            assert quick(receiver, news=names).applied == 1
            quick(receiver, "d0/01")
            run_pass(sender)

        assert left_in_cycles(pass_around) == {}


def test_no_pass_that_lacks_something_leaves_anything_either(pair: Pair) -> None:
    """A batch that cannot be read, and a file whose content nobody has, wait for weeks."""
    a, b = pair
    a.write("single", "x" * 10)
    a.sync()
    a.write("d0/00", "one")
    a.write("d0/04", "other")
    a.sync()
    for event in a.stores[0].glob("*/events/*/*"):
        if "_put_" in event.name or event == max(a.stores[0].glob("*/events/*/*_bat_*")):
            event.write_bytes(b"y" * event.stat().st_size)
    with b.awake() as context:
        assert left_in_cycles(lambda: run_pass(context)) == {}
        assert not run_pass(context).complete


def _target(link: Path) -> Path:
    try:
        return link.readlink()
    except FileNotFoundError:
        return Path()


def test_nothing_is_copied(tmp_path: Path) -> None:
    """With `copy` off other stores get nothing, and a pass with it brings what they lack."""
    stores = [tmp_path / "s1", tmp_path / "s2"]
    a = Laptop(tmp_path / "a", "a" * 8, stores)
    a.write("x", "x")
    settle(a)
    with a.awake() as context:
        a.write("x", "x 2")
        run_pass(context, Scope(frozenset(["x"]), {}, copy=False))
        counts = sorted(map(event_count, stores))
        assert counts == [1, 2]
        assert run_pass(context, Scope(frozenset(), {})).copied == 1
        assert list(map(event_count, stores)) == [2, 2]
    check_rest([a])


def test_hints_are_looked_at_once(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pass over hints that finds nothing to do looks once."""
    a, _ = pair
    looks: list[object] = []

    def count(*arguments: Any, focus: Focus | None, **options: Any) -> Scan:
        looks.append(focus)
        return scan(*arguments, focus=focus, **options)

    with a.awake() as context:
        monkeypatch.setattr(scanning, "scan", count)
        quick(context, "d0/00", "d1")
        assert len(looks) == 1
        assert looks[0] is not None


def test_no_table_is_read_as_a_whole(pair: Pair, tmp_path: Path) -> None:
    """Passes that save, move and delete a file, and those that learn of it, ask the database only
    for what they are about: the longest log makes them no slower."""
    a, b = pair
    a.stores.append(tmp_path / "second")
    with a.awake() as sender, b.awake() as receiver:
        asked: set[str] = set()
        for context in (sender, receiver):
            context.state.database.connection.set_trace_callback(asked.add)
        a.write("d0/00", "saved again")
        a.move("d0/04", "d1/moved")
        a.delete("d0/08")
        a.write("new/file", "new")
        hints = ("d0/00", "d0/04", "d1/moved", "d0/08", "new")
        assert quick(sender, *hints).written == 1
        names = {path.name for path in a.stores[0].glob("*/events/*/*")}
        assert quick(receiver, *hints, news=names).applied == 5
        for context in (sender, receiver):
            context.state.database.connection.set_trace_callback(None)
        assert len(asked) > 50
        assert [sql for sql in asked if _reads_all(sender, sql)] == []
    assert b.tree() == a.tree()


def _reads_all(context: FolderContext, sql: str) -> bool:
    """True for a question that goes through all files, entries or events."""
    if not sql.startswith(("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")) or "LIMIT 1" in sql:
        return False
    plan = context.state.database.connection.execute(f"EXPLAIN QUERY PLAN {sql}")
    scanned = [step.split()[1] for *_, step in plan if step.startswith("SCAN ")]
    return not {"files", "f", "entries", "n", "events", "e", "c"}.isdisjoint(scanned)


def test_contents_that_nobody_has(pair: Pair) -> None:
    """A pass that learns nothing of the stores does not look for them again, commits nothing for
    them and says that they wait; one that learns something asks everybody."""
    a, b = pair
    steps = KillAt()
    a.write("single", "x" * 10)
    a.sync()
    (event,) = (p for p in a.stores[0].glob("*/events/*/*") if "_put_" in p.name)
    body = event.read_bytes()
    event.write_bytes(b"y" * 10)
    with b.awake(steps) as context:
        report = run_pass(context)
        assert [p.kind for p in report.problems if p.path] == ["pending"]
        b.write("d0/00", "saved again")
        steps.names.clear()
        report = quick(context, "d0/00")
        assert (report.written, report.complete) == (1, False)
        assert [p.kind for p in report.problems if p.path] == ["pending"]
        commits = [step for step in steps.names if step.startswith("commit ")]
        assert commits == ["commit open event", "commit confirm event"]
        event.write_bytes(body)
        assert quick(context, "d0/00").applied == 0
        assert run_pass(context, Scope(frozenset(), {"any store": None})).applied == 1
    assert b.read("single") == "x" * 10
