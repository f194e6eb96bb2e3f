"""How far a table is, and who hears of it when."""

from pathlib import Path

import pytest

from firnline.core.clock import DateTime
from firnline.core.event import Kind
from firnline.core.hashing import DataHash, Ref
from firnline.state.file_index import FileRow
from firnline.state.folder_state import BEGUN, FolderState
from firnline.state.intents import Intent, Rescued
from firnline.state.store_table import NEVER

LISTED = DateTime("2" * 20)
ROW = FileRow("a", Kind.FILE, 1, 2, 3, DataHash("h" * 32), "-", Ref("r" * 10))


def fail(state: FolderState) -> None:
    """A transaction that changes rows and breaks off."""
    with state.transaction("rows"):
        state.files.put_many([ROW])
        raise ValueError("no")


@pytest.fixture
def state(tmp_path: Path) -> FolderState:
    return FolderState(tmp_path / "state.db")


def test_once_in_a_pass(state: FolderState) -> None:
    """The first change of a pass makes the table older by one; it is told when that is durable."""
    told = list[int]()
    state.age.begin(0, told.append)
    for _ in range(2):
        with state.transaction("rows"):
            state.files.put_many([ROW])
            state.files.forget(["b"])
            assert told in ([], [1])
    assert told == [1]
    state.age.begin(0, told.append)
    with state.transaction("intents"):
        state.intents.add([Intent("place", "a", None, Kind.FILE, "h", "-", "r")])
        assert told == [1]
    assert told == [1, 2]
    assert state.age.value == 2


def test_above_the_folder_s(state: FolderState) -> None:
    """The folder may have been synced with another table: the next age is above both."""
    state.age.begin(7, lambda age: None)
    with state.transaction("rows"):
        state.files.put_many([ROW])
    assert state.age.value == 8


def test_a_transaction_that_fails(state: FolderState) -> None:
    """What was not committed is not told, and the next change counts."""
    told = list[int]()
    state.age.begin(0, told.append)
    with pytest.raises(ValueError, match="no"):
        fail(state)
    with state.transaction("something else"):
        state.set_fact("a", "b")
    assert (told, state.age.value) == ([], 0)
    with state.transaction("rows"):
        state.files.put_many([ROW])
    assert (told, state.age.value) == ([1], 1)


def test_a_folder_is_forgotten(state: FolderState) -> None:
    """Nothing is left of what was known of the folder; stores are listed in full."""
    with state.transaction("before"):
        state.files.put_many([ROW])
        state.intents.add([Intent("place", "a", None, Kind.FILE, "h", "-", "r")])
        state.intents.rescue(Rescued("k", "a", "r"))
        state.stores.attach("store", "generation")
        row = state.stores.get("store")
        assert row is not None
        state.stores.put(row._replace(listed=LISTED, listed_all=LISTED))
        state.set_fact(BEGUN, "")
        state.set_fact("root", "1:2")
    with state.transaction("forget"):
        state.forget_folder(5)
    assert state.files.is_empty()
    assert state.intents.all() == []
    assert state.intents.rescued() == []
    assert (state.fact(BEGUN), state.fact("root"), state.age.value) == (None, "1:2", 5)
    row = state.stores.get("store")
    assert row is not None
    assert (row.listed, row.listed_all) == (NEVER, NEVER)
