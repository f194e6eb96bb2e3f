"""Quick passes: only hinted paths and named events are looked at, and all rules hold (`Scope`)."""

import shutil
import unicodedata
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from tests.scenario.crashes import KillAt
from tests.scenario.deletions import FILES, make_filled, only
from tests.scenario.hints import right_scope
from tests.scenario.invariants import check_rest, sync_until_rest
from tests.scenario.laptops import Laptop, event_count, settle
from tests.scenario.store_contents import entries_in, operations

from firnline.folder.errors import Vanished
from firnline.folder.focus import Focus
from firnline.folder.ignore import IGNORE_FILE
from firnline.folder.scan import Scan, scan
from firnline.folder.walk import Walk
from firnline.sync import scanning
from firnline.sync.context import FolderContext, Problem
from firnline.sync.folder_pass import PassReport, last_problems, run_pass
from firnline.sync.scope import Scope

Pair = tuple[Laptop, Laptop]


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    """Two laptops that have twenty files in four directories, and one store."""
    return make_filled(tmp_path)


def quick(context: FolderContext, *hints: str, news: Iterable[str] = ()) -> PassReport:
    """A pass that looks at these local paths, and learns what is new in its stores if `news`."""
    names = frozenset(news)
    return run_pass(context, Scope(frozenset(hints), {s.store_id: names for s in context.stores}))


def told(context: FolderContext) -> PassReport:
    """A pass with all the right hints."""
    return run_pass(context, right_scope(context))


def news_for(context: FolderContext) -> frozenset[str]:
    """The names that are new in the store."""
    scope = right_scope(context)
    assert scope.news is not None
    (names,) = scope.news.values()
    assert names is not None
    return names


def normal(tree: dict[str, object]) -> dict[str, object]:
    """Names as the log has them."""
    return {unicodedata.normalize("NFC", path): content for path, content in tree.items()}


# --- edits, one by one --------------------------------------------------------------------------


def _rename_directory(a: Laptop) -> None:
    a.move("d0", "renamed")


def _move_into_new(a: Laptop) -> None:
    a.move("d0/00", "new/deep/00")


def _replace_directory(a: Laptop) -> None:
    shutil.rmtree(a.folder / "d1")
    a.write("d1", "a file")


def _replace_file(a: Laptop) -> None:
    a.delete("d0/00")
    a.write("d0/00/inner", "in a directory")


def _empty_directory(a: Laptop) -> None:
    for name in FILES[::4]:
        a.delete(name)


def _swap_directories(a: Laptop) -> None:
    a.move("d0", "aside")
    a.move("d1", "d0")
    a.move("aside", "d1")


def _new_tree(a: Laptop) -> None:
    a.write("new/a", "new a")
    a.write("new/deep/er/b", "new b")
    (a.folder / "new/empty").mkdir()


def _mode(a: Laptop) -> None:
    (a.folder / "d0/00").chmod(0o755)


def _link(a: Laptop) -> None:
    a.delete("d0/00")
    (a.folder / "d0/00").symlink_to("04")


EDITS: dict[str, Callable[[Laptop], object]] = {
    "save": lambda a: a.write("d0/00", "saved again"),
    "new": lambda a: a.write("d0/new", "new"),
    "new at the top": lambda a: a.write("new", "new"),
    "copy": lambda a: a.write("d0/copy", a.read("d1/01")),
    "delete": lambda a: a.delete("d0/00"),
    "move": lambda a: a.move("d0/00", "d1/moved"),
    "move into a new directory": _move_into_new,
    "move onto another": lambda a: a.move("d0/00", "d1/01"),
    "rename a directory": _rename_directory,
    "swap directories": _swap_directories,
    "empty a directory": _empty_directory,
    "delete a directory": lambda a: shutil.rmtree(a.folder / "d0"),
    "directory becomes a file": _replace_directory,
    "file becomes a directory": _replace_file,
    "new tree": _new_tree,
    "new directory": lambda a: (a.folder / "new").mkdir(),
    "mode": _mode,
    "link": _link,
    "not NFC": lambda a: a.write("e\u0301/e\u0301", "decomposed"),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS.keys())
def test_as_a_whole_pass(tmp_path: Path, edit: Callable[[Laptop], object]) -> None:
    """With the right hints a quick pass writes what a whole one writes, and the other device's
    quick pass applies it; a whole pass finds nothing left."""
    logs = []
    for way in ("quick", "whole"):
        a, b = make_filled(tmp_path / way)
        with a.awake() as sender, b.awake() as receiver:
            edit(a)
            told(sender) if way == "quick" else run_pass(sender)
            told(receiver) if way == "quick" else run_pass(receiver)
        assert b.tree() == normal(a.tree())
        check_rest([a, b])
        logs.append(operations(a.stores[0]))
    assert logs[0] == logs[1]


def test_edit_after_edit(pair: Pair) -> None:
    """One context serves all passes; both devices always show the same, and rest at the end."""
    a, b = pair
    with a.awake() as first, b.awake() as second:
        for number, edit in enumerate(EDITS.values()):
            edit(a)
            a.write("steady", f"number {number}")
            told(first)
            told(second)
            assert b.tree() == normal(a.tree())
            for path in [*a.folder.glob("*")]:
                if path.name != ".firnline":
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
            for name in FILES:
                a.write(name, f"{name} 1")
            first.delete_unasked = second.delete_unasked = True
            told(first)
            told(second)
            assert b.tree() == a.tree()
    check_rest([a, b])


# --- hints that are missing, or too many ---------------------------------------------------------


def test_superfluous_hints(pair: Pair) -> None:
    """Nothing is written anywhere, and nothing is committed."""
    a, _ = pair
    steps = KillAt()
    with a.awake(steps) as context:
        steps.names.clear()
        before = event_count(a.stores[0])
        report = quick(context, "d0/00", "d1", "nowhere/x", "nowhere", ".firnline/id", "d9", "a\0")
        assert (report.written, report.applied, report.problems) == (0, 0, [])
        assert report.complete
    assert event_count(a.stores[0]) == before
    assert not [step for step in steps.names if step.startswith(("commit", "store."))]


def test_no_hint_at_all(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pass without paths does not look at the folder; the next whole one finds what changed."""
    a, _ = pair
    with a.awake() as context:
        a.write("d0/00", "saved again")
        with monkeypatch.context() as patch:
            patch.setattr(Walk, "__iter__", None)
            assert quick(context).written == 0
        assert quick(context, "d1", "d0/04").written == 0
        assert run_pass(context).written == 1


def test_one_end_of_a_move(pair: Pair) -> None:
    """Where only the new path is hinted it is a new file, and the old path goes with the next whole
    pass. The content is nowhere sent twice."""
    a, b = pair
    with a.awake() as context:
        a.move("d0/00", "moved")
        assert quick(context, "moved").written == 1
        assert run_pass(context).written == 1
    sync_until_rest([a, b])
    assert b.tree() == a.tree()
    assert sum(e.offset is not None for e in entries_in(a.stores[0]) if e.path == "moved") == 0


def test_other_end_of_a_move(pair: Pair) -> None:
    """Where only the old path is hinted it is gone, and the new one comes with the next pass."""
    a, b = pair
    with a.awake() as context:
        a.move("d0/00", "moved")
        assert quick(context, "d0/00").written == 1
        assert run_pass(context).written == 1
    sync_until_rest([a, b])
    assert b.tree() == a.tree()


def test_directory_that_went_with_what_was_hinted(pair: Pair) -> None:
    """A hint of a file in a directory that is gone stands for the directory."""
    a, b = pair
    with a.awake() as context:
        a.move("d0", "renamed")
        report = quick(context, "d0/00", "renamed")
        assert report.written == 1
    assert {e.op for e in entries_in(a.stores[0]) if e.path.startswith("renamed/")} == {"mov"}
    sync_until_rest([a, b])
    assert b.tree() == a.tree()


def test_hints_of_everything(pair: Pair) -> None:
    """The root's own path stands for the whole folder."""
    a, _ = pair
    with a.awake() as context:
        a.write("d0/00", "saved again")
        a.write("new", "new")
        assert quick(context, "").written == 1
        assert run_pass(context).written == 0


def test_device_that_knows_nothing_yet(tmp_path: Path) -> None:
    """Its first pass looks at everything, whatever it is asked for."""
    a, b = (Laptop(tmp_path / name, name * 8, [tmp_path / "store"]) for name in "ab")
    a.write("x", "x")
    a.sync()
    b.write("y", "y")
    with b.awake() as context:
        assert b.read("x") == "x"
    (b.place / "state.db").unlink()
    b.write("z", "z")
    b.scope = staticmethod(lambda context: Scope(frozenset(["nothing"]), {}))
    report = b.sync()
    assert report.written == 1
    assert context.folder_id
    sync_until_rest([a])
    assert a.tree() == {"x": "x", "y": "y", "z": "z"}


# --- what comes in -------------------------------------------------------------------------------


def test_news_without_a_look_at_the_folder(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names of events are enough: no directory of store or folder is listed."""
    a, b = pair
    with b.awake() as context:
        a.write("d0/00", "saved again")
        a.sync()
        names = news_for(context)
        with monkeypatch.context() as patch:
            patch.setattr(Walk, "__iter__", None)
            patch.setattr(type(context.stores[0].store), "list", None)
            report = quick(context, news=names)
        assert report.applied == 1
        assert b.read("d0/00") == "saved again"
        assert quick(context, "d0/00", news=names).written == 0
    check_rest([a, b])


def test_news_that_are_none(pair: Pair) -> None:
    """Names that do not parse, that stand nowhere or are known already change nothing."""
    a, b = pair
    a.write("d0/00", "saved again")
    a.sync()
    with b.awake() as context:
        known = {path.name for path in a.stores[0].glob("*/events/*/*")}
        name = min(known)
        nowhere = f"{name[:19]}{(int(name[19]) + 1) % 10}{name[20:]}"
        report = quick(context, news={*known, nowhere, "junk", "x" * 120})
        assert (report.written, report.applied, report.problems) == (0, 0, [])
        assert context.state.journal.event(nowhere) is None


def test_store_that_is_to_be_listed(pair: Pair) -> None:
    """Where nobody knows the names that store is listed, and no other."""
    a, b = pair
    with b.awake() as context:
        a.write("d0/00", "saved again")
        a.sync()
        (store,) = context.stores
        assert run_pass(context, Scope(frozenset(), {})).applied == 0
        assert run_pass(context, Scope(frozenset(), {"another": None})).applied == 0
        assert run_pass(context, Scope(frozenset(), {store.store_id: None})).applied == 1
        a.write("d0/00", "saved once more")
        a.sync()
        assert run_pass(context, Scope(frozenset(), None)).applied == 1


def test_store_that_fails(pair: Pair) -> None:
    """It is out of reach for the rest of the pass; the news are learnt by a later one."""
    a, b = pair
    with b.awake() as context:
        a.write("d0/00", "saved again")
        a.sync()
        names, stores = news_for(context), list(context.stores)
        away = a.stores[0].rename(a.stores[0].with_name("away"))
        report = quick(context, news=names)
        assert [unreached.name for unreached in context.unreached] == ["store"]
        assert not report.complete
        away.rename(a.stores[0])
        context.stores, context.unreached = stores, []
        assert quick(context, news=names).applied == 1


def test_saved_here_and_elsewhere(pair: Pair) -> None:
    """News of a path that was saved here, and nobody gave a hint yet: both are kept."""
    a, b = pair
    with b.awake() as context:
        a.write("d0/00", "by a")
        a.sync()
        b.write("d0/00", "by b")
        report = quick(context, news=news_for(context))
        assert report.written == 2, "the save, and the copy of the loser"
    sync_until_rest([a, b])
    assert sorted(str(t) for p, t in a.tree().items() if p.startswith("d0/00")) == ["by a", "by b"]


def test_edited_elsewhere_and_moved_here(pair: Pair) -> None:
    """News of a path whose file was moved here, and nobody gave a hint yet: the whole folder is
    looked at, and the edit follows the move."""
    a, b = pair
    with b.awake() as context:
        a.write("d0/00", "edited by a")
        a.sync()
        b.move("d0/00", "d1/moved")
        quick(context, news=news_for(context))
    sync_until_rest([a, b])
    assert b.tree() == a.tree()
    assert b.read("d1/moved") == "edited by a"
    assert not (b.folder / "d0/00").exists()


# --- deletions -----------------------------------------------------------------------------------


def test_many_small_deletions(pair: Pair) -> None:
    """A large deletion that comes in small parts waits from where it is half of the folder."""
    a, b = pair
    with a.awake() as context:
        for number, name in enumerate(FILES, 1):
            a.delete(name)
            report = quick(context, name)
            assert report.written == (number < 10), number
            if number >= 10:
                only(report, number - 9, "here")
        assert len(b.tree()) == 20
        b.sync()
        assert len(b.tree()) == 11


def test_deletions_that_are_far_apart(pair: Pair) -> None:
    """What was deleted long before does not count."""
    a, _ = pair
    with a.awake() as context:
        for name in FILES[:16]:
            a.delete(name)
            a.clock.advance(seconds=601)
            a.clock.elapsed += 601
            assert quick(context, name).written
        assert not context.state.questions.open()


def test_waiting_deletion_is_not_forgotten(pair: Pair) -> None:
    """What waits is asked about as long as it is gone, whatever later passes look at."""
    a, _ = pair
    gone = FILES[:12]
    with a.awake() as context:
        for name in gone:
            a.delete(name)
        question = only(quick(context, *gone), 12, "here")
        assert only(quick(context), 12, "here") == question
        assert only(quick(context, "d3/19"), 12, "here") == question
        a.delete("d3/19")
        assert only(quick(context, "d3/19"), 13, "here").id != question.id
        a.write(gone[0], "back again")
        only(quick(context, gone[0]), 12, "here")
        for name in (*gone, "d3/19"):
            a.write(name, "back again")
        report = quick(context, *gone, "d3/19")
        assert (report.questions, report.complete) == ([], True)


@pytest.mark.parametrize("choice", ["keep", "delete"])
def test_answer_is_carried_out(pair: Pair, choice: str) -> None:
    """The pass that follows an answer looks at everything, whatever it is asked for."""
    a, b = pair
    with a.awake() as context:
        for name in FILES[:12]:
            a.delete(name)
        question = only(quick(context, *FILES[:12]), 12, "here")
        a.answer(question.id, choice)
        report = quick(context)
        assert report.questions == []
    b.delete_unasked = True
    sync_until_rest([a, b])
    assert len(b.tree()) == len(a.tree()) == (20 if choice == "keep" else 8)


def test_many_small_deletions_from_elsewhere(pair: Pair) -> None:
    """The receiving side adds them up as well."""
    a, b = pair
    with b.awake() as context:
        for number, name in enumerate(FILES, 1):
            a.delete(name)
            a.delete_unasked = True
            a.sync()
            report = quick(context, news=news_for(context))
            if number >= 10:
                only(report, number - 9, "elsewhere")
        assert len(b.tree()) == 11


def test_folder_that_went_while_it_was_looked_at(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is told as gone before the folder was found to be the right one once more."""
    a, _ = pair
    asked: list[str] = []

    def require_here() -> None:
        asked.append("is it here?")
        if len(asked) == 2:
            raise Vanished("", "the folder is away")

    with a.awake() as context:
        before = event_count(a.stores[0])
        a.delete("d0/00")
        context.require_here = require_here
        with pytest.raises(Vanished):
            quick(context, "d0/00")
        assert event_count(a.stores[0]) == before
        assert quick(context, "d0/00").written == 1
        assert len(asked) == 4
        quick(context, "d0/04")
        assert len(asked) == 5


# --- what one pass leaves to the next ------------------------------------------------------------


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


def test_directory_whose_files_wait(pair: Pair) -> None:
    """It is not told as emptied by the user, whatever else comes and goes in it."""
    a, _ = pair
    with a.awake() as context:
        for name in FILES[:16]:
            a.delete(name)
        question = only(quick(context, *FILES[:16]), 16, "here")
        a.write("d0/new", "new")
        assert quick(context, "d0/new").written == 1
        for number, name in enumerate(("d0/new", FILES[16]), 17):
            a.delete(name)
            report = quick(context, name)
            assert report.written == 0
            assert only(report, number, "here").since == question.since
        assert quick(context, "d0/nothing").written == 0
        assert not context.state.files.directories()


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
