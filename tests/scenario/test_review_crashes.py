"""What a pass leaves when it dies, and what the next one makes of it."""

import unicodedata
from pathlib import Path

import pytest
from tests.doubles.faulty_store import Fault, FaultyStore
from tests.scenario.forging import At, PowerCut, events
from tests.scenario.laptops import LAYOUT, Laptop, event_count, settle

from firnline.folder.errors import Blocked
from firnline.folder.filesystem import Root
from firnline.folder.metadata import Stat
from firnline.stores.base import Store
from firnline.stores.errors import UnavailableError


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store"


def _die(laptop: Laptop, step: str, *, skip: int = 0) -> None:
    with pytest.raises(PowerCut):
        laptop.sync(steps=At(step, skip=skip))


def test_edit_after_a_death_stands_on_what_was_written_before_it(
    tmp_path: Path, store: Path
) -> None:
    """An event that stands though nobody booked it is what the next change names: one device
    alone never has a conflict with itself (docs/design.md section 2, *Writing*)."""
    a = Laptop(tmp_path / "a", "aaaaaaaa", [store])
    a.write("f.txt", "one")
    a.sync()
    a.write("f.txt", "two")
    _die(a, "commit confirm event")
    a.write("f.txt", "three")
    settle(a)
    assert a.tree() == {"f.txt": "three"}


def test_move_and_deletion_after_a_death_stand_on_what_was_written_before(
    tmp_path: Path, store: Path
) -> None:
    """So does every other kind of change: nothing comes back, and nothing is there twice."""
    a = Laptop(tmp_path / "a", "aaaaaaaa", [store])
    for name in ("moved", "deleted", "made again", "moved back"):
        a.write(f"{name}.txt", name)
    a.sync()
    a.move("moved.txt", "target.txt")
    a.move("moved back.txt", "there.txt")
    a.delete("made again.txt")
    a.write("deleted.txt", "edited")
    (a.folder / "empty").mkdir()
    _die(a, "commit confirm event")
    a.write("target.txt", "moved and edited")
    a.move("there.txt", "moved back.txt")
    a.write("made again.txt", "made again otherwise")
    a.delete("deleted.txt")
    (a.folder / "empty").rmdir()
    b = Laptop(tmp_path / "b", "bbbbbbbb", [store])
    settle(a, b)
    assert (
        b.tree()
        == a.tree()
        == {
            "target.txt": "moved and edited",
            "moved back.txt": "moved back",
            "made again.txt": "made again otherwise",
        }
    )


def test_open_event_in_a_store_that_cannot_be_asked_is_an_event(
    tmp_path: Path, store: Path
) -> None:
    """A store that fails when it is asked is no store that does not have the event."""
    a = Laptop(tmp_path / "a", "aaaaaaaa", [store])
    a.write("f.txt", "one")
    a.sync()
    a.write("f.txt", "two")
    _die(a, "commit confirm event")

    def wrap(name: str, inner: Store) -> Store:
        faulty = FaultyStore(inner, a.clock)
        if name == "store":
            for method in ("size", "open", "list", "put_many", "upload", "server_time"):
                faulty.add(Fault(method, error=UnavailableError("", "off line"), repeat=1000))
        return faulty

    a.wrap = wrap
    a.write("f.txt", "three")
    a.sync()
    a.wrap = lambda name, inner: inner
    settle(a)
    assert a.tree() == {"f.txt": "three"}


def test_open_event_with_a_wrong_body_is_none(tmp_path: Path, store: Path) -> None:
    """After a failed write a name counts only with the right content."""
    a = Laptop(tmp_path / "a", "aaaaaaaa", [store])
    b = Laptop(tmp_path / "b", "bbbbbbbb", [store])
    a.write("f.txt", "one")
    _die(a, "commit confirm event")
    (event,) = events(store)
    event.write_bytes(b"0ne")
    settle(a, b)
    assert b.tree() == {"f.txt": "one"}


def test_open_event_gets_its_index_again(tmp_path: Path, store: Path) -> None:
    """An event that stands without the entry for its path is of no use to anybody."""
    a = Laptop(tmp_path / "a", "aaaaaaaa", [store])
    b = Laptop(tmp_path / "b", "bbbbbbbb", [store])
    a.write("f.txt", "one")
    _die(a, "commit confirm event")
    for entry in (store / LAYOUT.root / "eventsindex").rglob("*"):
        if entry.is_file():
            entry.unlink()
    settle(a, b)
    assert b.tree() == {"f.txt": "one"}


@pytest.mark.parametrize("directory", ["", "d\u00e9/"], ids=["file", "directory"])
def test_file_with_another_local_name_is_not_taken_for_removed(
    tmp_path: Path, store: Path, directory: str
) -> None:
    """A deletion that died before its effect is not believed done because the name on disk is
    written otherwise: the file would come back as a new one."""
    path = f"{directory}caf\u00e9.txt"
    local = unicodedata.normalize("NFD", path)
    a = Laptop(tmp_path / "a", "aaaaaaaa", [store])
    b = Laptop(tmp_path / "b", "bbbbbbbb", [store])
    b.write(local, "text")
    settle(b, a)
    a.delete(path)
    if directory:
        (a.folder / directory).rmdir()
    a.sync()
    _die(b, "take away")
    before = event_count(store)
    settle(b, a)
    assert b.tree() == {}
    assert event_count(store) == before


def test_replaced_file_is_durable_before_it_gets_its_name(tmp_path: Path, store: Path) -> None:
    """A power cut leaves the old content or the new one, never a name with nothing behind it."""
    a = Laptop(tmp_path / "a", "aaaaaaaa", [store])
    b = Laptop(tmp_path / "b", "bbbbbbbb", [store])
    a.write("f.txt", "one")
    settle(a, b)
    a.write("f.txt", "two")
    a.sync()
    taken: list[str] = []
    b.sync(steps=taken.append)
    finished, replaced = taken.index("finish temporary"), taken.index("replace")
    assert "barrier" in taken[finished:replaced]


def test_intent_that_cannot_be_looked_at_stops_nothing(
    tmp_path: Path, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A directory that cannot be read after a crash leaves its files to later passes."""
    a = Laptop(tmp_path / "a", "aaaaaaaa", [store])
    b = Laptop(tmp_path / "b", "bbbbbbbb", [store])
    a.write("d/f.txt", "text")
    a.write("g.txt", "text of g")
    settle(a, b)
    a.delete("d/f.txt")
    (a.folder / "d").rmdir()
    a.sync()
    _die(b, "take away")
    stat = Root.stat

    def unreadable(root: Root, path: str) -> Stat | None:
        if path == "d/f.txt":
            raise Blocked(path, "Permission denied")
        return stat(root, path)

    with monkeypatch.context() as patch:
        patch.setattr(Root, "stat", unreadable)
        b.sync()
    settle(b, a)
    assert a.tree() == b.tree() == {"g.txt": "text of g"}
