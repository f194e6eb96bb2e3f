"""Progress bars, drawn on a terminal only and only for work that takes a while.

Work may be part of other work: the bar of the innermost is shown, and the one around it comes back
when it is done. The library is imported when the first bar is drawn: most passes are over before.
"""

from typing import TYPE_CHECKING, Any

from firnline.cli import output
from firnline.core.clock import Clock
from firnline.sync.context import Progress

if TYPE_CHECKING:
    from tqdm import tqdm

PATIENCE = 0.4
"""Seconds after which work is long, counted from the begin of the outermost."""

_USUAL_SIZE = {"ncols": 79, "nrows": 24}


class _Work:
    """What was begun and not ended yet."""

    def __init__(self, what: dict[str, Any], begun: float) -> None:
        self.what = what
        """What the bar says."""
        self.begun = begun
        self.done = 0
        self.bar: tqdm[Any] | None = None

    def hide(self) -> None:
        if self.bar is not None:
            self.bar.close()
            self.bar = None


class Bars(Progress):
    """One bar at a time on standard error, gone when its work is done."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._works: list[_Work] = []

    def begin(self, activity: str, total: int, unit: str) -> None:
        if self._works:
            self._works[-1].hide()
        self._works.append(_Work(_description(activity, total, unit), self._clock.monotonic()))

    def advance(self, amount: int) -> None:
        if not self._works:
            return
        work = self._works[-1]
        work.done += amount
        if work.bar is not None:
            work.bar.update(amount)
        elif self._clock.monotonic() - self._works[0].begun >= PATIENCE:
            work.bar = _draw(work)

    def end(self) -> None:
        if self._works:
            self._works.pop().hide()

    def clear(self) -> None:
        """End whatever was begun: the work broke off, or messages are to be written."""
        while self._works:
            self.end()


def _draw(work: _Work) -> "tqdm[Any]":
    from tqdm import tqdm

    # A terminal that does not know its own size would get a bar of none.
    size = {"dynamic_ncols": True} if output.terminal_width() else _USUAL_SIZE
    return tqdm(initial=work.done, leave=False, **size, **work.what)


def _description(activity: str, total: int, unit: str) -> dict[str, Any]:
    what = {"desc": output.shown(activity), "total": total or None}
    if unit == "bytes":
        return {**what, "unit": "B", "unit_scale": True, "unit_divisor": 1024}
    return {**what, "unit": f" {unit}"}


def bars_for_terminal(clock: Clock) -> Bars | None:
    """Bars where somebody watches, else none."""
    return Bars(clock) if output.to_terminal() else None
