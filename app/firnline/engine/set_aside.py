"""Files of stores that were not what they have to be, kept on this device before being replaced.

They lie below `set-aside` beside the state, one directory for each store, under the time and their
name in the store. Nothing removes them but their owner.
"""

import os
from collections.abc import Iterable
from pathlib import Path

from firnline.config.private_files import make_private_directory, private_opener
from firnline.core.clock import Clock, format_time
from firnline.core.steps import Steps

DIRECTORY = "set-aside"


def write_aside(
    state: Path, clock: Clock, steps: Steps, store: str, path: str, chunks: Iterable[bytes]
) -> str:
    """Keep a file, durably, 0600; returns where. Raises OSError, and what `chunks` raises."""
    directory = state / DIRECTORY / store.replace(os.sep, "_")
    make_private_directory(directory, steps)
    target = directory / f"{format_time(clock.now())}_{path.rpartition('/')[2]}"
    temporary = target.with_name(f"{target.name}.new")
    temporary.unlink(missing_ok=True)
    steps("set aside")
    with open(temporary, "xb", opener=private_opener) as file:
        for chunk in chunks:
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    steps("name what was set aside")
    temporary.replace(target)
    return str(target)
