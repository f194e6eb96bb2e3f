"""Limits of bandwidth, over whole passes: what they slow down, and what they do not change."""

import os
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.scenario.laptops import Laptop, event_count, settle

from firnline.stores.base import Store
from firnline.stores.line import PORTION, Lines
from firnline.stores.throttled import ThrottledStore
from firnline.sync.context import HOME, CancelledError
from firnline.sync.folder_pass import run_pass

RATE = 100_000
SIZE = 3_000_000


class Slow(Laptop):
    """A laptop whose stores share one line; waiting takes none of our time."""

    def __init__(
        self, place: Path, device: str, stores: list[Path], *, up: int = 0, down: int = 0
    ) -> None:
        super().__init__(place, device, stores, wrap=self._throttle)
        self.lines = Lines.new(self.clock, lambda condition, seconds: self.clock.sleep(seconds))
        self.lines.limit(up, down)
        self.go_on: Callable[[], None] = lambda: None

    def _throttle(self, name: str, store: Store) -> Store:
        if name == HOME:
            return store
        return ThrottledStore(store, self.lines, lambda: self.go_on())

    def timed_sync(self) -> float:
        """Seconds of the laptop's time that a pass takes."""
        begun = self.clock.monotonic()
        self.sync()
        return self.clock.monotonic() - begun


@pytest.mark.parametrize("count", [1, 10, 300])
def test_a_pass_takes_what_its_bytes_take(tmp_path: Path, count: int) -> None:
    """Large files and many small ones go into a store at the rate of the one limit, and come out
    at that of the other, and arrive as they were; a pass without anything to do does not wait."""
    nas = tmp_path / "nas"
    anna = Slow(tmp_path / "anna", "anna0000", [nas], up=RATE)
    bert = Slow(tmp_path / "bert", "bert0000", [nas], down=2 * RATE)
    for number in range(count):
        anna.write(f"{number}.bin", os.urandom(SIZE // count))
    assert SIZE / RATE - PORTION <= anna.timed_sync() <= SIZE / RATE * 1.05
    assert SIZE / RATE / 2 - PORTION <= bert.timed_sync() <= SIZE / RATE / 2 * 1.1
    assert bert.tree() == anna.tree()
    assert anna.timed_sync() < 1
    assert bert.timed_sync() < 1


def test_stores_share_the_limit(tmp_path: Path) -> None:
    """What goes to two stores takes twice as long."""
    anna = Slow(tmp_path / "anna", "anna0000", [tmp_path / "nas", tmp_path / "usb"], up=RATE)
    anna.write("film.bin", os.urandom(SIZE))
    assert 2 * SIZE / RATE - PORTION <= anna.timed_sync() <= 2 * SIZE / RATE * 1.05


def test_a_pass_that_waits_can_be_stopped(tmp_path: Path) -> None:
    """Asked to stop, a pass that waits for its line ends within a quarter of a second, at a safe
    place: the next one sends the file, once, and nothing is left over."""
    nas = tmp_path / "nas"
    anna, bert = (
        Slow(tmp_path / "anna", "anna0000", [nas], up=RATE),
        Laptop(tmp_path / "bert", "bert0000", [nas]),
    )
    anna.write("film.bin", os.urandom(SIZE))
    with ExitStack() as stack:
        context = anna.context(stack)
        context.cancelled = lambda: anna.clock.monotonic() > 10
        anna.go_on = context.check_cancelled
        with pytest.raises(CancelledError):
            run_pass(context)
    assert 10 < anna.clock.monotonic() <= 10 + 2 * PORTION
    assert event_count(nas) == 0
    anna.go_on = lambda: None
    settle(anna, bert)
    assert event_count(nas) == 1
    assert bert.tree() == anna.tree()
    assert list(nas.glob("connections/*/tmp/*")) == []
