"""Giving up folders and their stores without losing what is nowhere else."""

from pathlib import Path

import pytest
from tests.doubles.profile import Profile

from firnline.engine.errors import NoSuchFolderError, RefusedError, UsageError
from firnline.engine.folder_commands import create_folder, join_folder
from firnline.engine.leaving import change_stores, remove_folder


@pytest.fixture
def docs(anna: Profile, nas: Path) -> Profile:
    """Anna, with a synced folder of one file in one store."""
    anna.add_store("nas", nas)
    anna.write("a.txt", "a")
    with anna.engine() as engine:
        create_folder(engine, str(anna.folder), "docs", [])
    anna.sync()
    return anna


def events(store: Path) -> int:
    return len(list(store.glob("*/events/*/*")))


def test_removed_folder_leaves_its_files_and_nothing_else(docs: Profile, nas: Path) -> None:
    """The files stay; marker, state and home store forget the folder; the store keeps all."""
    with docs.engine() as engine:
        remove_folder(engine, "docs")
        with pytest.raises(NoSuchFolderError):
            engine.folder("docs")
    assert sorted(path.name for path in docs.folder.iterdir()) == ["a.txt"]
    assert list(docs.places.state.glob("*.db*")) == []
    assert list(docs.places.home_store.glob("docs-*")) == []
    assert events(nas) == 1


def test_removed_folder_can_be_joined_again(docs: Profile) -> None:
    """What is there already is matched by content."""
    with docs.engine() as engine:
        remove_folder(engine, "docs")
        join_folder(engine, "docs", str(docs.folder), None, [])
    (outcome,) = docs.sync()
    assert outcome.complete
    assert outcome.report.written == 0


def test_folder_with_unsent_events_is_not_removed(docs: Profile, nas: Path) -> None:
    """What only this device has goes only by force; the files stay all the same."""
    away = nas.rename(nas.with_name("away"))
    docs.write("b.txt", "b")
    docs.sync()
    with docs.engine() as engine:
        with pytest.raises(RefusedError, match="1 event"):
            remove_folder(engine, "docs")
        assert engine.folder("docs").name == "docs"
        remove_folder(engine, "docs", force=True)
    assert docs.read("b.txt") == "b"
    assert events(away) == 1


def test_folder_without_stores_is_removed_by_force_only(anna: Profile) -> None:
    """Its history is on this computer alone."""
    anna.write("a.txt", "a")
    with anna.engine() as engine:
        create_folder(engine, str(anna.folder), "docs", [])
    anna.sync()
    with anna.engine() as engine:
        with pytest.raises(RefusedError):
            remove_folder(engine, "docs")
        remove_folder(engine, "docs", force=True)


def test_what_others_keep_in_the_marker_directory_stays(docs: Profile) -> None:
    """Only what is empty is removed."""
    (docs.folder / ".firnline" / "kept").mkdir(exist_ok=True)
    (docs.folder / ".firnline" / "kept" / "rescued").write_text("precious")
    with docs.engine() as engine:
        remove_folder(engine, "docs")
    assert (docs.folder / ".firnline" / "kept" / "rescued").read_text() == "precious"


def test_new_store_gets_the_whole_log(docs: Profile, tmp_path: Path) -> None:
    """A store that is added has everything after one sync."""
    usb = tmp_path / "usb"
    docs.add_store("usb", usb)
    with docs.engine() as engine:
        changed = change_stores(engine, "docs", ["usb"], [])
    assert changed.settings.stores == ("nas", "usb")
    docs.sync()
    assert events(usb) == 1


def test_store_that_alone_has_something_is_not_dropped(docs: Profile, tmp_path: Path) -> None:
    """It goes when another store has all, or by force."""
    docs.add_store("usb", tmp_path / "usb")
    with docs.engine() as engine:
        for add in ([], ["usb"]):
            with pytest.raises(RefusedError):
                change_stores(engine, "docs", add, ["nas"])
        change_stores(engine, "docs", ["usb"], [])
    docs.sync()
    with docs.engine() as engine:
        assert change_stores(engine, "docs", [], ["nas"]).settings.stores == ("usb",)
        assert change_stores(engine, "docs", [], ["usb"], force=True).settings.stores == ()


def test_dropped_store_is_detached(docs: Profile, nas: Path, tmp_path: Path) -> None:
    """Nothing is sent to it any more, and it can come back."""
    docs.add_store("usb", tmp_path / "usb")
    with docs.engine() as engine:
        change_stores(engine, "docs", ["usb"], [])
    docs.sync()
    with docs.engine() as engine:
        change_stores(engine, "docs", [], ["nas"])
    docs.write("b.txt", "b")
    docs.sync()
    assert events(nas) == 1
    with docs.engine() as engine:
        change_stores(engine, "docs", ["nas"], [])
    docs.sync()
    assert events(nas) == 2


def test_dropping_a_store_that_it_does_not_go_to_is_wrong(docs: Profile, tmp_path: Path) -> None:
    """The name may be mistyped."""
    docs.add_store("usb", tmp_path / "usb")
    with docs.engine() as engine, pytest.raises(UsageError):
        change_stores(engine, "docs", [], ["usb"])
