"""A process that lives for weeks gives back what it needed for a moment.

What a command may leave to its end would pile up here: cycles of objects, which are seldom looked
for since a pass makes hardly any, and what the C library keeps for each thread that ever needed a
large buffer.
"""

import ctypes
import gc
from contextlib import suppress

_ARENA_MAX, _MMAP_THRESHOLD = -8, -3
"""As in glibc's malloc.h."""
ARENAS = 2
"""Heaps of the C library. Threads come and go here, and each heap keeps its largest moment; few
threads ask for memory at once."""
LARGE = 256 * 1024
"""Bytes from which on a buffer is the system's again as soon as it is free. Where that is not set,
glibc raises it to the size of the largest that was freed."""
CYCLES = (10_000, 10, 10)
"""New objects until cycles are looked for, and how often older ones are looked at as well."""


def stay_small() -> None:
    """To be called before threads are started; holds for the whole process."""
    # What was imported stays: nobody has to look at it again.
    gc.freeze()
    gc.set_threshold(*CYCLES)
    # Other C libraries have no such thing, or do better by themselves.
    with suppress(AttributeError, OSError, TypeError):
        tune = ctypes.CDLL(None).mallopt
        tune(_ARENA_MAX, ARENAS)
        tune(_MMAP_THRESHOLD, LARGE)
