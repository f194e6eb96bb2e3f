"""The looks at the folder in one pass: at all of it, or only at what its scope names."""

import json
from collections.abc import Collection, Iterable

from firnline.core.event import Kind
from firnline.core.paths import normalize
from firnline.folder.focus import Focus, focus_on
from firnline.folder.ignore import Ignore
from firnline.folder.scan import Scan, scan
from firnline.sync.context import FolderContext
from firnline.sync.local_names import LocalNames
from firnline.sync.moves import match_inodes

_MANY = 10
"""New files: reading the table is little beside them."""
_JUST_NOW = 2
"""Seconds: as coarse as the times of any file system."""
_SECOND = 1_000_000_000


class Scanner:
    """Of one pass. `hints`: local paths; None for the whole folder."""

    def __init__(
        self,
        context: FolderContext,
        ignore: Ignore,
        names: LocalNames,
        hints: Collection[str] | None,
    ) -> None:
        self._context = context
        self._ignore = ignore
        self._names = names
        self._hints = hints
        self._seen: list[Focus] = []
        self.whole = hints is None
        """The last scan looked at the whole folder."""

    def scan(self, unsettled: Iterable[str]) -> Scan | None:
        """What differs now; None when there is nothing to look at.

        `unsettled`: paths of the log at which applying found something else than the table says.
        Where such a file is gone it may have been moved, and only the whole folder tells where to.
        Raises FolderError, and what `FolderContext.require_here` raises.
        """
        if self._hints is None:
            return self._checked(self._scan(None))
        hinted = focus_on(self._context.root, self._hints, self._names.name_of)
        also = self._on(unsettled)
        if not (hinted or also):
            return None
        found = self._scan(self._part(hinted, also))
        if left := self._left(found):
            hinted = Focus([*hinted.heads, *self._on(left).heads])
            found = self._scan(self._part(hinted, also))
        if not all(map(hinted.covers, (*found.missing, *found.gone_directories))):
            return self.scan_all()
        return self._checked(found)

    def scan_all(self) -> Scan:
        """What differs now in the whole folder, to which this pass turns. Raises as `scan`."""
        self._hints, self.whole = None, True
        return self._checked(self._scan(None))

    def looked_at(self, path: str) -> bool:
        """True for paths, local ones or of the log, of which a scan of this pass told."""
        return self.whole or any(focus.covers(normalize(path)) for focus in self._seen)

    @property
    def places(self) -> set[str] | None:
        """The paths at which this pass looked, with all that is below them; None: everywhere."""
        return None if self.whole else {head for focus in self._seen for head in focus.heads}

    def _on(self, paths: Iterable[str]) -> Focus:
        """Paths of the log."""
        return focus_on(self._context.root, map(self._context.root.locate, paths), str)

    def _part(self, *parts: Focus) -> Focus:
        focus = Focus([head for part in parts for head in part.heads])
        self._seen.append(focus)
        return focus

    def _left(self, found: Scan) -> list[str]:
        """Where new files of this part of the folder come from, by their inodes, if that is outside
        of it: whoever watches may tell of the two ends of a move one after the other.

        A few that were written just now are passed over, so that a save costs no look at the whole
        table.
        """
        assert found.focus is not None
        files = self._context.state.files
        known = files.get_many(seen.path for seen in found.changed)
        new = [seen for seen in found.changed if seen.path not in known]
        if len(new) < _MANY:
            just_now = (self._context.clock.now().timestamp() - _JUST_NOW) * _SECOND
            new = [seen for seen in new if seen.stat.mtime_ns < just_now]
        rows = files.with_inodes(seen.stat.inode for seen in new) if new else []
        elsewhere = {row.path: row for row in rows if not found.focus.covers(row.path)}
        return [move.row.path for move in match_inodes(elsewhere, new)[0]]

    def _scan(self, focus: Focus | None) -> Scan:
        context, files = self._context, self._context.state.files
        mounts: list[str] = json.loads(context.state.fact("mounts") or "[]")
        if focus is None:
            directories = files.directories()
        else:
            above = files.get_many(focus.above()).values()
            directories = files.directories_below(focus.heads)
            directories.update(row.path for row in above if row.kind is Kind.DIRECTORY)
        context.scans = True
        try:
            found = scan(
                context.root,
                files.known() if focus is None else files.known_below(focus.heads),
                self._ignore,
                clock=context.clock,
                dirs=directories,
                cancelled=context.cancelled,
                mounts=mounts,
                focus=focus,
            )
        finally:
            context.scans = False
        if found.mounts != mounts:
            with context.state.transaction("mounts"):
                context.state.set_fact("mounts", json.dumps(found.mounts))
        return found

    def _checked(self, found: Scan) -> Scan:
        """Nothing is gone where the folder itself went while it was looked at."""
        if found.missing or found.moved or found.gone_directories:
            self._context.require_here()
        return found
