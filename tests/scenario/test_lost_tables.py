"""What a device without its table may tell before it has read a store."""

from pathlib import Path

from tests.scenario.invariants import check_rest
from tests.scenario.laptops import Laptop, LaptopClock, settle
from tests.scenario.schedules import lose_database


def test_a_lost_table_while_no_store_is_in_reach(tmp_path: Path) -> None:
    """Whoever lost the table tells nothing before a store was read: what others deleted and
    changed meanwhile would look as if it were new here."""
    store, clock = tmp_path / "store", LaptopClock()
    a = Laptop(tmp_path / "a", "aaaaaaaa", [store], clock=clock)
    b = Laptop(tmp_path / "b", "bbbbbbbb", [store], clock=clock)
    a.write("deleted", "text")
    a.write("changed", "older")
    settle(a, b)
    b.delete("deleted")
    b.write("changed", "newer")
    b.sync()
    lose_database(a)
    a.away = {store}
    a.write("new", "here")
    for _ in range(2):
        report = a.sync()
        assert not report.complete
        assert report.written == report.applied == 0
        assert {(p.kind, p.store) for p in report.problems} == {("first reading", "store")}
    a.away = set()
    settle(a, b)
    assert a.tree() == b.tree() == {"changed": "newer", "new": "here"}
    check_rest([a, b])


def test_a_new_folder_while_no_store_is_in_reach(tmp_path: Path) -> None:
    """A folder that was never synced has its history on this computer from the first pass on."""
    store = tmp_path / "store"
    a = Laptop(tmp_path / "a", "aaaaaaaa", [store])
    a.away = {store}
    assert a.sync().written == 0
    a.write("file", "text")
    assert a.sync().written == 1
    a.away = set()
    settle(a)
    check_rest([a])
