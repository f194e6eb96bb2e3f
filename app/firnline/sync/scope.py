"""What a pass is about: everything, or what somebody who watches has seen change.

A *quick pass* looks only at hinted paths and learns only the events whose names are known. It is
the same pass, and nothing that holds for a whole one is given up: a hint too many costs a look, and
what nobody gave a hint of is found by the next whole pass. Late hints, suspicion of stores and
what earlier passes could not do are left to whole passes.
"""

from collections.abc import Mapping
from typing import NamedTuple


class Scope(NamedTuple):
    """`WHOLE` is what `firnline sync` does."""

    paths: frozenset[str] | None = None
    """Local paths that may have changed, `/` between their parts, each with all that is below it;
    None: the whole folder. Both ends of what was moved belong into one pass: seen one after the
    other, they are a deletion and a new file."""
    news: Mapping[str, frozenset[str] | None] | None = None
    """Event names that were seen in a store, by STOREHASH; a store with None is listed, and one
    that is not named has no news. None: all stores are listed."""
    copy: bool = True
    """Bring to every store in reach what it lacks, and let go from the home store what is safe.
    False: somebody else does (`sync.copy_round`)."""

    @property
    def is_whole(self) -> bool:
        """Folder and stores are looked at as a whole."""
        return self.paths is None and self.news is None

    @property
    def learns(self) -> bool:
        """Something may be new in a store."""
        return self.news is None or any(names is None or names for names in self.news.values())


WHOLE = Scope()
MOST_HINTS = 5_000
"""With more hints than this a look at the whole folder costs no more."""
