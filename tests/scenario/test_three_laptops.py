"""Three laptops that know different halves of what happened, and resolve it at the same time."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.scenario.cases import (
    Act,
    chmod,
    delete,
    link,
    move,
    shown,
    together,
    trio,
    write,
)
from tests.scenario.invariants import check_rest
from tests.scenario.laptops import LAYOUT, Laptop, settle
from tests.scenario.store_contents import event_files

FILE = write("p", "text")
BOTH = ((0, 1), (0, 1), (0, 1))
"""All three know both stores."""


def mirror(source: Path, target: Path) -> None:
    """Somebody copies one store's events into another: two disks of a NAS, a backup."""
    for part in ("events", "eventsindex", "history"):
        place = source / LAYOUT.root / part
        if place.exists():
            shutil.copytree(place, target / LAYOUT.root / part, dirs_exist_ok=True)


def split(laptops: Sequence[Laptop]) -> None:
    """The first laptop reaches only the first store, the second only the second, the third none."""
    first, second = laptops[0].stores
    for laptop, away in zip(laptops, ({second}, {first}, {first, second}), strict=True):
        laptop.away = set(away)


RIVALS: dict[str, tuple[Act, Act, Act, dict[str, list[object]]]] = {
    "edits": (FILE, write("p", "by a"), write("p", "by b"), {"p": ["by a", "by b"]}),
    "new files": (together(), write("p", "by a"), write("p", "by b"), {"p": ["by a", "by b"]}),
    "equal edits": (FILE, write("p", "alike"), write("p", "alike"), {"p": ["alike"]}),
    "move and edit": (FILE, move("p", "q"), write("p", "by b"), {"q": ["by b"]}),
    "renamed on, and edit": (
        FILE,
        together(move("p", "q"), move("q", "r")),
        write("p", "by b"),
        {"r": ["by b"]},
    ),
    "link moved and edited": (
        link("p", "one"),
        move("p", "q"),
        link("p", "two"),
        {"q": [("link", "two")]},
    ),
    "chmod and edit": (FILE, chmod("p"), write("p", "by b"), {"p": [("by b", "x")]}),
    "file and directory": (
        together(),
        write("n", "file"),
        write("n/in", "inner"),
        {"n": ["file"], "n/in": ["inner"]},
    ),
    "file and link": (FILE, link("p", "q"), write("p", "q"), {"p": [("link", "q"), "q"]}),
}


@pytest.mark.parametrize("rivals", RIVALS)
def test_two_resolve_at_the_same_time(tmp_path: Path, rivals: str) -> None:
    """Two laptops that see the same rivals, and not each other, write the very same events."""
    start, by_a, by_b, expected = RIVALS[rivals]
    a, b, c = trio(tmp_path, BOTH)
    first, second = a.stores
    start(a)
    settle(a, b, c)
    split([a, b, c])
    by_a(a)
    b.clock.advance(seconds=10)
    by_b(b)
    a.sync()
    b.sync()
    mirror(first, second)
    mirror(second, first)
    a.sync()
    b.sync()
    assert event_files(first).keys() == event_files(second).keys()
    assert a.tree() == b.tree()
    assert shown(a) == {path: sorted(values, key=str) for path, values in expected.items()}
    for laptop in (a, b, c):
        laptop.away = set()
    settle(a, b, c)
    assert c.tree() == a.tree()
    check_rest([a, b, c])


@pytest.mark.parametrize("rivals", RIVALS)
def test_one_knows_more_than_the_other(tmp_path: Path, rivals: str) -> None:
    """Two laptops that resolve the same at the same time, one with a third rival in sight, make one
    copy of each loser all the same."""
    start, by_a, by_b, expected = RIVALS[rivals]
    a, b, c = trio(tmp_path, BOTH)
    first, second = a.stores
    start(a)
    a.write("other", "text")
    settle(a, b, c)
    split([a, b, c])
    by_a(a)
    a.write("other", "by a")
    b.clock.advance(seconds=10)
    by_b(b)
    b.write("other", "by b")
    a.sync()
    b.sync()
    mirror(first, second)
    mirror(second, first)
    c.clock.advance(seconds=20)
    c.write("other", "by c")
    c.away = {second}
    # The third rival is the winner for the first laptop, and nothing to the second one.
    c.sync()
    a.sync()
    b.sync()
    for laptop in (a, b, c):
        laptop.away = set()
    settle(a, b, c)
    assert a.tree() == b.tree() == c.tree()
    expected = {path: sorted(values, key=str) for path, values in expected.items()}
    assert shown(a) == expected | {"other": ["by a", "by b", "by c"]}
    check_rest([a, b, c])


def test_two_halves_through_the_one_between(tmp_path: Path) -> None:
    """Rivals of one file in two stores meet at the laptop that knows both, and all agree."""
    a, b, c = trio(tmp_path, ((0,), (0, 1), (1,)))
    FILE(a)
    settle(a, b, c)
    for laptop, text in ((a, "by a"), (c, "by c")):
        laptop.write("p", text)
        laptop.sync()
    assert (a.tree(), c.tree()) == ({"p": "by a"}, {"p": "by c"})
    b.sync()
    assert shown(b) == {"p": ["by a", "by c"]}
    a.sync()
    c.sync()
    assert a.tree() == b.tree() == c.tree()
    check_rest([a, b, c])


def test_the_next_save_follows_too(tmp_path: Path) -> None:
    """Somebody who has the edit and not the move saves once more: that save ends up where the file
    was moved to, on top of the edit that went there before."""
    a, b, c = trio(tmp_path, ((0,), (0,), (0,)))
    FILE(a)
    settle(a, b, c)
    a.move("p", "q")
    b.write("p", "edited by b")
    b.sync()
    c.sync()
    assert c.read("p") == "edited by b"
    c.write("p", "edited by b, then by c")
    a.sync()
    assert a.tree() == {"q": "edited by b"}
    settle(c, b, a)
    assert a.tree() == b.tree() == c.tree() == {"q": "edited by b, then by c"}


@pytest.mark.parametrize("then", ["delete", "edit", "move"])
def test_equal_contents_of_different_descent(tmp_path: Path, then: str) -> None:
    """A file that two people brought to the same content in different ways is one file: who
    deletes, edits or moves it does so to all of it."""
    a, b, c = trio(tmp_path, ((0,), (0,), (0,)))
    FILE(a)
    settle(a, b, c)
    b.away = set(b.stores)
    b.write("p", "on the way")
    b.sync()
    b.away = set()
    a.write("p", "alike")
    b.write("p", "alike")
    settle(a, b, c)
    assert c.tree() == {"p": "alike"}
    acts: dict[str, tuple[Act, dict[str, object]]] = {
        "delete": (delete("p"), {}),
        "edit": (write("p", "edited"), {"p": "edited"}),
        "move": (move("p", "q"), {"q": "alike"}),
    }
    act, expected = acts[then]
    act(c)
    settle(c, b, a)
    assert a.tree() == b.tree() == c.tree() == expected
    check_rest([a, b, c])


def test_conflict_copy_is_a_file_like_others(tmp_path: Path) -> None:
    """A conflict copy can be edited, moved and deleted, and does not come back."""
    a, b, c = trio(tmp_path, ((0,), (0,), (0,)))
    FILE(a)
    settle(a, b, c)
    for laptop in (a, b, c):
        laptop.write("p", f"by {laptop.device}")
    settle(a, b, c)
    first, second = (path for path in a.tree() if "conflict" in path)
    a.delete(first)
    b.write(second, "kept")
    b.sync()
    b.move(second, "mine")
    settle(c, b, a)
    assert a.tree() == b.tree() == c.tree()
    assert set(a.tree()) == {"p", "mine"}
    assert a.read("mine") == "kept"
