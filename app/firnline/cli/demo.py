"""`firnline demo`."""

from argparse import Namespace

from firnline.cli import output
from firnline.engine.demo import place, play
from firnline.engine.surroundings import Surroundings
from firnline.engine.system import SystemClock, system_random


def demo(arguments: Namespace) -> int:
    """Play two devices and a store; each step is one line."""
    clock = SystemClock()
    begun = clock.monotonic()
    with place(arguments.keep) as base:
        play(base, Surroundings(clock, system_random), _tell)
        took = clock.monotonic() - begun
        if arguments.keep is not None:
            output.line(f"All of it is in {output.shown(str(base))}.")
            output.line(
                f"Look around: firnline --profile {output.shown(str(base))}/laptop/profile log"
            )
    output.line(f"Done in {took:.1f} seconds.")
    return 0


def _tell(step: str) -> None:
    output.line(output.shown(step))
    output.flush()
