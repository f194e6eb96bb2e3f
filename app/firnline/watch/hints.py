"""What a watcher tells: where to look. Never what happened there."""

from typing import NamedTuple

MOST_PATHS = 10_000
"""With more paths than this a look at everything is the shorter way."""


class Hints(NamedTuple):
    """Paths are relative to the root, `/` between their parts, named as they are on disk.

    A directory's own path stands for it and for what is new or gone below it; the root is ''.
    """

    paths: frozenset[str]
    everything: bool = False
    """Something was missed: look at the whole tree."""


EVERYTHING = Hints(frozenset(), everything=True)
