"""Links that are written as concrete changes, as choices of the user are."""

from contextlib import ExitStack
from pathlib import Path

from tests.scenario.laptops import Laptop, settle
from tests.scenario.store_contents import event_files

from firnline.core.entry import Change
from firnline.core.event import NO_FLAGS, EventText, Op
from firnline.core.hashing import NO_PARENT, PLAIN
from firnline.sync.publisher import publish_changes


def test_published_link_brings_its_text(tmp_path: Path) -> None:
    """Its text comes along, with its true size: a store that has only this event can show it."""
    a, b = (Laptop(tmp_path / name, name * 8, [tmp_path / "store"]) for name in "ab")
    (a.folder / "l").symlink_to("target.txt")
    settle(a, b)
    wanted = Change(Op.LNK, "again", None, NO_PARENT, PLAIN.data(b"target.txt"), 0, 0, NO_FLAGS)
    with ExitStack() as stack:
        (name,) = publish_changes(a.context(stack), [wanted])
    body = event_files(tmp_path / "store")[EventText(name)].read_bytes()
    assert body.endswith(b'"size":10}\ntarget.txt')
    settle(a, b)
    assert a.tree()["again"] == b.tree()["again"] == ("link", "target.txt")
