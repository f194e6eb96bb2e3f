"""Small cases for three laptops: who does what unseen by the others, and what all must have then.

Each case is played with several orders of syncing, through one store and through two stores that
only one of the laptops connects. Which of two rivals wins depends on the order, so the mark of a
conflict copy is left out of the comparison: `expected` has all contents under the path that they
were made for.
"""

import itertools
import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.scenario.invariants import check_nothing_lost, check_rest
from tests.scenario.laptops import Laptop, settle
from tests.scenario.store_contents import folder_contents

from firnline.core.hashing import DataHash

Act = Callable[[Laptop], object]
Expected = dict[str, object]
"""Path → what stands there; several contents where there are conflict copies beside it."""

_MARK = re.compile(r" \(conflict \d{4}-\d\d-\d\d \d\d\.\d\d\.\d\d [0-9a-v]{8}\)")


class Case(NamedTuple):
    """What three people do to the same folder; each list of acts is one pass's worth."""

    name: str
    start: Act
    a: Sequence[Act]
    b: Sequence[Act]
    c: Sequence[Act]
    expected: Expected
    otherwise: Sequence[Expected] = ()
    """What may come out as well, where the rules leave it to who sees what first."""


class Way(NamedTuple):
    """How a case is played."""

    name: str
    stores: tuple[tuple[int, ...], ...]
    """For each laptop, the numbers of its stores."""
    order: str
    """Who syncs first."""


ONE, TWO = ((0,), (0,), (0,)), ((0,), (0, 1), (1,))
ORDERS = ["".join(letters) for letters in itertools.permutations("abc")]
WAYS = [
    Way(name, stores, order) for name, stores in (("one", ONE), ("two", TWO)) for order in ORDERS
]


def each(cases: Sequence[Case]) -> pytest.MarkDecorator:
    """Every case through one store and through two, as parameters `case` and `way`.

    The orders take turns: each case has been right in all of them, two are enough to notice.
    """
    chosen = [
        (case, way)
        for number, case in enumerate(cases)
        for way in (WAYS[number % 6], WAYS[6 + (number + 2) % 6])
    ]
    every = [pytest.param(*pair, id=f"{pair[0].name}, {' '.join(pair[1][::2])}") for pair in chosen]
    return pytest.mark.parametrize(("case", "way"), every)


def play(place: Path, case: Case, way: Way) -> tuple[Laptop, ...]:
    """Live through a case, check what must hold after any, and compare; returns the laptops."""
    laptops = trio(place, way.stores)
    case.start(laptops[0])
    settle(*laptops)
    written: set[DataHash] = set()
    acts = dict(zip("abc", (case.a, case.b, case.c), strict=True))
    by_name = dict(zip("abc", laptops, strict=True))
    _take_out_of_reach(laptops, True)
    for number, letter in enumerate("abc"):
        laptop = by_name[letter]
        laptop.clock.advance(seconds=10 * number)
        for act in acts[letter]:
            act(laptop)
            laptop.sync()
            written |= folder_contents(laptop).keys()
    _take_out_of_reach(laptops, False)
    for letter in way.order:
        by_name[letter].sync()
    settle(*laptops, rounds=10)
    for laptop in laptops[1:]:
        assert laptop.tree() == laptops[0].tree()
    if not case.otherwise:
        assert shown(laptops[0]) == _sets(case.expected)
    assert shown(laptops[0]) in [_sets(end) for end in (case.expected, *case.otherwise)]
    check_nothing_lost(laptops, written)
    check_rest(laptops)
    return laptops


def trio(place: Path, stores: Sequence[Sequence[int]]) -> tuple[Laptop, ...]:
    """Laptops a, b, c, with the stores of these numbers."""
    return tuple(
        Laptop(place / letter, letter * 8, [place / f"s{number}" for number in numbers])
        for letter, numbers in zip("abc", stores, strict=False)
    )


def _take_out_of_reach(laptops: Sequence[Laptop], away: bool) -> None:
    for laptop in laptops:
        laptop.away = set(laptop.stores) if away else set()


def shown(laptop: Laptop) -> dict[str, list[object]]:
    """The tree with conflict copies under the path that they were made for."""
    found: dict[str, list[object]] = {}
    for path, content in laptop.tree().items():
        found.setdefault(_MARK.sub("", path), []).append(content)
    return {path: sorted(contents, key=str) for path, contents in found.items()}


def _sets(expected: Expected) -> dict[str, list[object]]:
    return {
        path: sorted(content, key=str) if isinstance(content, set | list) else [content]
        for path, content in expected.items()
    }


# --- what people do -------------------------------------------------------------------------------


def write(path: str, text: str) -> Act:
    return lambda laptop: laptop.write(path, text)


def write_all(**texts: str) -> Act:
    """Files by name, `__` for `/`."""

    def act(laptop: Laptop) -> None:
        for name, text in texts.items():
            laptop.write(name.replace("__", "/"), text)

    return act


def move(source: str, target: str) -> Act:
    return lambda laptop: laptop.move(source, target)


def delete(*paths: str) -> Act:
    def act(laptop: Laptop) -> None:
        for path in paths:
            laptop.delete(path)

    return act


def delete_tree(path: str) -> Act:
    return lambda laptop: shutil.rmtree(laptop.folder / path)


def chmod(path: str, mode: int = 0o755) -> Act:
    return lambda laptop: (laptop.folder / path).chmod(mode)


def mkdir(path: str) -> Act:
    return lambda laptop: (laptop.folder / path).mkdir(parents=True)


def rmdir(path: str) -> Act:
    return lambda laptop: (laptop.folder / path).rmdir()


def link(path: str, target: str) -> Act:
    """Make a link, or let one lead elsewhere."""

    def act(laptop: Laptop) -> None:
        place = laptop.folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.unlink(missing_ok=True)
        place.symlink_to(target)

    return act


def swap(one: str, other: str) -> Act:
    return together(move(one, "aside"), move(other, one), move("aside", other))


def together(*acts: Act) -> Act:
    """Several acts with no pass between them."""

    def act(laptop: Laptop) -> None:
        for each_act in acts:
            each_act(laptop)

    return act
