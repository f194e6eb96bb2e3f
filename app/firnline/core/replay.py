"""The state of a folder as a function of its events (docs/design.md section 3).

The order in which events arrive, and how often, does not matter: only the set does.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from operator import attrgetter

from firnline.core.clock import DateTime
from firnline.core.entry import Entry
from firnline.core.event import EventText, Kind
from firnline.core.heads import state_of
from firnline.core.paths import ancestors

Tree = dict[str, Entry]
"""Path → the entry that the path shows. Directories stand here only where a `mkd` made them."""


def fold(entries: Iterable[Entry]) -> Tree:
    """The tree that a set of entries makes."""
    ordered = sorted({(entry.path, entry.event): entry for entry in entries}.items())
    tree = {entry.path: entry for entry in winners(entry for _, entry in ordered)}
    for path in list(tree):
        for directory in ancestors(path):
            if directory in tree and tree[directory].kind is not Kind.DIRECTORY:
                del tree[directory]
    return tree


def winners(ordered: Iterable[Entry]) -> Iterator[Entry]:
    """The winning entry of each path that exists, from entries ordered by path.

    Rule 6 is not applied here: a file that is a directory as well is still among them.
    """
    for _, group in groupby(ordered, key=attrgetter("path")):
        winner = state_of(list(group)).winner
        if winner is not None:
            yield winner


def until(moment: DateTime | EventText) -> Callable[[Entry], bool]:
    """True for entries named up to `moment`, a DATETIME or an event name (inclusive).

    The state at T is the fold of these (section 8). T is the writers' clock.
    """
    if len(moment) == 20:
        return lambda entry: entry.event[:20] <= moment
    return lambda entry: entry.event <= moment
