"""All that a device keeps of one folder, in one file."""

from pathlib import Path

import pytest
from tests.unit.state.samples import add, put, row

from firnline.state.database import DatabaseError
from firnline.state.folder_state import FolderState


def test_facts(state: FolderState) -> None:
    """A remembered value stays until it is replaced; None for what was never told."""
    assert state.fact("root") is None
    with state.transaction("test"):
        state.set_fact("root", "1")
        state.set_fact("root", "2")
    assert state.fact("root") == "2"


def test_everything_is_there_after_a_restart(tmp_path: Path) -> None:
    """One transaction spans all tables, and the file has them when it is opened again."""
    first = FolderState(tmp_path / "folder.db")
    draft = put(1, "f", "text")
    add(first, draft)
    with first.transaction("test"):
        first.files.put_many([row("f")])
        first.set_fact("root", "1")
        first.stores.attach("s1", "generation")
    first.close()
    second = FolderState(tmp_path / "folder.db")
    assert second.journal.entries("f") == draft.entries
    assert second.files.get("f") == row("f")
    assert second.fact("root") == "1"
    assert second.stores.ids() == ["s1"]
    second.close()


def test_error_in_the_middle_undoes_all_tables(state: FolderState) -> None:
    """Neither an event without its files nor the other way round."""

    def fail() -> None:
        with state.transaction("test"):
            add(state, put(1, "f", "text"))
            state.files.put_many([row("f")])
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert state.journal.count() == 0
    assert state.files.is_empty()


def test_file_that_is_none_is_refused(tmp_path: Path) -> None:
    """The caller is told which file it is."""
    (tmp_path / "folder.db").write_text("no database" * 100)
    with pytest.raises(DatabaseError, match=r"folder\.db"):
        FolderState(tmp_path / "folder.db")
