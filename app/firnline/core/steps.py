"""Names for the durable steps, so that a test can stop the program at each of them.

Whatever changes a disk (write, fsync, rename, unlink, mkdir, a commit) calls a `Steps` with the
step's name immediately *before* it. The program passes `no_steps`; a test passes a callable that
counts, or raises where the power is to go.
"""

from collections.abc import Callable

Steps = Callable[[str], None]


def no_steps(name: str) -> None:
    """The `Steps` of normal operation: does nothing."""
