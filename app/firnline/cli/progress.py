"""Progress bars, drawn on a terminal only and only for work that takes a while.

The library is imported when the first bar is drawn: most passes are over before that.
"""

from typing import TYPE_CHECKING, Any

from firnline.cli import output
from firnline.core.clock import Clock
from firnline.sync.context import Progress

if TYPE_CHECKING:
    from tqdm import tqdm

PATIENCE = 0.4
"""Seconds after which work is long."""


class Bars(Progress):
    """One bar at a time on standard error, gone when its work is done."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._begun = 0.0
        self._done = 0
        self._what: dict[str, Any] = {}
        self._bar: tqdm[Any] | None = None

    def begin(self, activity: str, total: int, unit: str) -> None:
        self.end()
        self._begun = self._clock.monotonic()
        self._done = 0
        self._what = _description(activity, total, unit)

    def advance(self, amount: int) -> None:
        if self._bar is not None:
            self._bar.update(amount)
            return
        self._done += amount
        if self._what and self._clock.monotonic() - self._begun >= PATIENCE:
            self._bar = self._draw()

    def end(self) -> None:
        if self._bar is not None:
            self._bar.close()
        self._bar = None
        self._what = {}

    def _draw(self) -> "tqdm[Any]":
        from tqdm import tqdm

        return tqdm(initial=self._done, leave=False, dynamic_ncols=True, **self._what)


def _description(activity: str, total: int, unit: str) -> dict[str, Any]:
    what = {"desc": output.shown(activity), "total": total or None}
    if unit == "bytes":
        return {**what, "unit": "B", "unit_scale": True, "unit_divisor": 1024}
    return {**what, "unit": f" {unit}"}


def progress_for_terminal(clock: Clock) -> Progress:
    """Bars where somebody watches, else silence."""
    return Bars(clock) if output.to_terminal() else Progress()
