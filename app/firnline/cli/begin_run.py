"""`firnline run`, before the program is loaded: who ends it in the first moment is heard, too.

So what is imported here is little. Until the work begins every point is a safe one to end at.
"""

import signal
from argparse import Namespace
from types import FrameType

from firnline.cli import output

DONE = 0


class _Ending:
    """Ends the program at once, until somebody else takes the signals over."""

    def __init__(self) -> None:
        self.asked = False
        """An exception may get lost where it is raised, in a finalizer for example; this does
        not."""

    def hear(self, number: int, frame: FrameType | None) -> None:
        self.asked = True
        raise KeyboardInterrupt


def run(arguments: Namespace) -> int:
    """See `firnline.cli.run`."""
    ending = _Ending()
    before = {number: signal.signal(number, ending.hear) for number in _SIGNALS}
    try:
        from firnline.cli.run import run as keep

        return keep(arguments, lambda: ending.asked)
    except KeyboardInterrupt:
        output.message("Stopped.")
        return DONE
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


_SIGNALS = (signal.SIGINT, signal.SIGTERM)
