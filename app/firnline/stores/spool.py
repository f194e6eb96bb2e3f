"""Where a body waits on this device, until its name and length are known.

Small ones in memory; others in a file that has no name where the system allows it, so that nobody
else can read it and nothing stays when the program is killed.
"""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import IO, cast

SMALL = 1 << 20
"""Bytes that wait in memory."""
_ROOMY = "/var/tmp"
"""On a disk, while `/tmp` may be kept in memory."""


def place(environment: Mapping[str, str] = os.environ, roomy: str = _ROOMY) -> str | None:
    """The directory for large bodies; None for the one that `tempfile` chooses."""
    if environment.get("TMPDIR") or not os.access(roomy, os.W_OK | os.X_OK):
        return None
    return roomy


@contextmanager
def spool() -> Iterator[IO[bytes]]:
    """An empty file; it is gone afterwards."""
    with tempfile.SpooledTemporaryFile(SMALL, dir=place()) as file:
        yield cast("IO[bytes]", file)
