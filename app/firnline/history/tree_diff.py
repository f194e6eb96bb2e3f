"""Which paths of a directory differ between two moments.

Memory goes by the number of differences, not by the size of the tree.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from heapq import merge
from itertools import groupby
from operator import itemgetter

from firnline.core.entry import Entry
from firnline.core.event import Kind
from firnline.history.ancestry import Ancestry
from firnline.history.browse import tree_at
from firnline.history.moments import Moment
from firnline.history.text_diff import version_json
from firnline.sync.context import FolderContext


class What(StrEnum):
    """What happened to a path between two moments."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    MOVED = "moved"
    """Its content may have changed as well: then `before` and `after` have other hashes."""
    FLAGS = "flags"
    """Only whether it is executable."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One path that differs."""

    path: str
    what: What
    source: str | None
    """Where it was moved from."""
    before: Entry | None
    after: Entry | None

    def to_json(self) -> dict[str, object]:
        return {
            "path": self.path,
            "change": str(self.what),
            "source": self.source,
            "before": version_json(self.before),
            "after": version_json(self.after),
        }


@dataclass(frozen=True, slots=True)
class TreeDiff:
    """The paths at and below `path` that differ, in their order."""

    path: str
    differences: list[Difference]

    def to_json(self) -> dict[str, object]:
        changes = [difference.to_json() for difference in self.differences]
        return {"path": self.path, "changes": changes}


def tree_diff(context: FolderContext, path: str, start: Moment, end: Moment) -> TreeDiff:
    """What differs. Directories count where an event of their own made or removed them."""
    found = {d.path: d for d in _differences(context, path, start, end)}
    removed = {p: d for p, d in found.items() if d.what is What.REMOVED}
    ancestry = Ancestry(context.state.journal)
    for added in [d for d in found.values() if d.what is What.ADDED]:
        assert added.after is not None
        source = ancestry.origin(added.after, removed)
        if source is None:
            continue
        before = removed.pop(source).before
        del found[source]
        found[added.path] = Difference(added.path, What.MOVED, source, before, added.after)
    return TreeDiff(path, [found[p] for p in sorted(found)])


def _differences(
    context: FolderContext, path: str, start: Moment, end: Moment
) -> Iterator[Difference]:
    """Path by path, moves still taken apart."""
    sides = merge(
        ((entry.path, 0, entry) for entry in tree_at(context, start, path)),
        ((entry.path, 1, entry) for entry in tree_at(context, end, path)),
        key=itemgetter(0, 1),
    )
    for changed, group in groupby(sides, key=itemgetter(0)):
        both = {side: entry for _, side, entry in group}
        before, after = both.get(0), both.get(1)
        what = _compare(before, after)
        if what is not None:
            yield Difference(changed, what, None, before, after)


def _compare(before: Entry | None, after: Entry | None) -> What | None:
    if before is None:
        return What.ADDED
    if after is None:
        return What.REMOVED
    if before.content == after.content:
        return None
    same = before.kind is Kind.FILE and before.content[:2] == after.content[:2]
    return What.FLAGS if same else What.CHANGED
