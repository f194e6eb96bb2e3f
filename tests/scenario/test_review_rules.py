"""Rules that cannot be carried out yet: what they need stands on a store that is away."""

from pathlib import Path

import pytest
from tests.doubles.faulty_store import Fault, FaultyStore
from tests.scenario.laptops import LAYOUT, Laptop, settle
from tests.scenario.store_faults import FOREVER, TIMEOUT

from firnline.stores.base import Store


def _sync_without(laptop: Laptop, *away: Path) -> None:
    laptop.away = set(away)
    laptop.sync()
    laptop.away = set()


def _hear_without(laptop: Laptop, *away: Path) -> None:
    """A pass that learns the names of events; the store goes before a body is read."""

    def going(name: str, store: Store) -> Store:
        bodies = Fault("open", LAYOUT.events, repeat=FOREVER, error=TIMEOUT)
        return FaultyStore(store, laptop.clock, faults=[bodies])

    before, laptop.wrap = laptop.wrap, going
    _sync_without(laptop, *away)
    laptop.wrap = before


@pytest.mark.parametrize("deleted", [False, True])
def test_flags_wait_for_the_edit_that_gets_them(tmp_path: Path, deleted: bool) -> None:
    """Rule 4a: who knows of an edit and cannot give it the flags does not close the rival either.
    So the flags are carried later, and where the edit was deleted meanwhile the rival stays."""
    near, far = stores = (tmp_path / "near", tmp_path / "far")
    a, b, c = (Laptop(tmp_path / name, name * 8, stores) for name in "abc")
    a.write("p", "text")
    settle(a, b, c)
    b.write("p", "edited")
    _sync_without(b, near)
    _hear_without(c, near)
    a.write("p", "text", executable=True)
    _sync_without(a, far)
    _sync_without(c, far)
    if deleted:
        b.delete("p")
        _sync_without(b, near)
    settle(a, b, c)
    expected = {"p": ("text" if deleted else "edited", "x")}
    assert a.tree() == b.tree() == c.tree() == expected


def test_equal_losers_wait_for_their_copy(tmp_path: Path) -> None:
    """Rule 4: of equal losers one becomes the conflict copy. Where that has to wait the others are
    not closed: each may be the last one that nobody deletes."""
    near, far, third = stores = [tmp_path / name for name in ("near", "far", "third")]
    a, b, c, d = (Laptop(tmp_path / name, name * 8, stores) for name in "abcd")
    a.write("p", "text")
    settle(a, b, c, d)
    a.write("p", "alike")
    _sync_without(a, near, third)
    b.clock.advance(seconds=10)
    b.write("p", "on the way")
    _sync_without(b, near, far)
    b.write("p", "alike")
    _sync_without(b, near, far)
    _hear_without(c, near)
    d.clock.advance(seconds=20)
    d.write("p", "winner")
    _sync_without(d, far, third)
    _sync_without(c, far, third)
    a.delete("p")
    _sync_without(a, near, third)
    settle(a, b, c, d, rounds=10)
    assert a.tree() == b.tree() == c.tree() == d.tree()
    assert sorted(map(str, d.tree().values())) == ["alike", "winner"]
