"""What a call leaves behind that only the collector of cycles can take away.

A program that runs for weeks must not leave any at every pass: an exception that holds the calls
it went through holds all that they had at hand, whole file contents included, until somebody looks
for cycles, which happens the more seldom the fewer objects there are.
"""

import gc
from collections import Counter
from collections.abc import Callable


def left_in_cycles(call: Callable[[], object]) -> Counter[str]:
    """The types of what it left; the second call is the one that is looked at, since the first of
    its kind in a process makes what stays."""
    call()
    flags = gc.get_debug()
    gc.collect()
    gc.disable()
    try:
        call()
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        return Counter(type(each).__qualname__ for each in gc.garbage)
    finally:
        gc.set_debug(flags)
        gc.garbage.clear()
        gc.enable()
