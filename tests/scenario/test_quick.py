"""Quick passes: only hinted paths and named events are looked at, and all rules hold (`Scope`)."""

import shutil
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.scenario.crashes import KillAt
from tests.scenario.deletions import FILES, make_filled
from tests.scenario.invariants import check_rest, sync_until_rest
from tests.scenario.laptops import Laptop, event_count
from tests.scenario.quick_passes import news_for, quick, told
from tests.scenario.store_contents import entries_in, operations

from firnline.folder.walk import Walk
from firnline.sync.folder_pass import run_pass
from firnline.sync.scope import Scope

Pair = tuple[Laptop, Laptop]


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    """Two laptops that have twenty files in four directories, and one store."""
    return make_filled(tmp_path)


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
