"""The table of local names."""

from tests.unit.state.samples import add, put, row

from firnline.core.event import Kind
from firnline.state.folder_state import FolderState


def test_pairs_stay_until_they_are_cleared(state: FolderState) -> None:
    """A pair is what was added last under its local name."""
    table = state.aliases
    assert table.pairs() == []
    with state.transaction("alias"):
        table.add("a~1", "a:")
        table.add("b~1", "b:")
        table.add("a~1", "A")
    assert table.pairs() == [("a~1", "A"), ("b~1", "b:")]
    with state.transaction("aliases"):
        table.clear()
    assert table.pairs() == []


def test_real_names(state: FolderState) -> None:
    """A part of a present path is a real name, whatever characters it has; no piece of a part
    is one."""
    with state.transaction("files"):
        state.files.put_many([row("d/a~1_%/x"), row("gone~2", Kind.NOTHING), row("top~3")])
    for name in ("d", "a~1_%", "x", "top~3"):
        assert state.aliases.is_real(name)
    for name in ("a~1", "a~1xx%", "gone~2", "op~3"):
        assert not state.aliases.is_real(name)


def test_what_the_log_says(state: FolderState) -> None:
    """Every part of every path, and the first event at or below one."""
    drafts = [put(2, "docs/a.txt", "x"), put(1, "docs/b.txt", "x"), put(3, "Docs/c", "x")]
    for draft in drafts:
        add(state, draft)
    table = state.aliases
    assert table.real_names() == {"docs", "a.txt", "b.txt", "Docs", "c"}
    assert table.first_event("docs") == drafts[1].name
    assert table.first_event("docs/a.txt") == drafts[0].name
    assert table.first_event("Docs") == drafts[2].name
    assert table.first_event("doc") == ""
