"""The share of a property's examples that the coverage is measured over."""

from typing import cast

from coverage import Coverage
from tests.measuring import Share


class Switch:
    """A coverage that is only switched on and off."""

    def __init__(self) -> None:
        self.on = True

    def stop(self) -> None:
        self.on = False

    def start(self) -> None:
        self.on = True


def test_only_the_first_calls_are_measured():
    """All calls happen; those past the share are not measured, and what comes after them is."""
    switch = Switch()
    share = Share(cast("Coverage", switch), 2)
    seen: list[tuple[int, bool]] = []
    body = share.of(lambda number: seen.append((number, switch.on)))
    for number in range(4):
        body(number)
    share.end()
    assert seen == [(0, True), (1, True), (2, False), (3, False)]
    assert switch.on


def test_few_calls_are_all_measured():
    """A property that ends early leaves the coverage as it was."""
    switch = Switch()
    share = Share(cast("Coverage", switch), 2)
    share.of(lambda: None)()
    share.end()
    assert switch.on
