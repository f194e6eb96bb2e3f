"""What differs between the folder and what this device knows of it.

One merge of two streams in the same order: the walk, and the rows of the table (docs/design.md
section 7). Size, modification time, inode and execute bit are compared; the content's hash, which
decides, is the business of whoever gets the differences.

What is reported missing was known, and was absent at two looks with a pause between them: some
programs save by taking the old file away before the new one has its name.
"""

from collections.abc import Callable, Collection, Iterable
from operator import attrgetter
from typing import NamedTuple

from firnline.core.clock import Clock
from firnline.folder.absence import Absence
from firnline.folder.focus import Focus
from firnline.folder.ignore import Ignore
from firnline.folder.merge import Known, KnownRow, Merge, Seen, seen
from firnline.folder.moved import MovedDirectory, take_moved
from firnline.folder.view import View
from firnline.folder.walk import SkipKind, Skipped, Walk

__all__ = ["Known", "MovedDirectory", "Scan", "Seen", "SkipKind", "Skipped", "scan"]


class Scan(NamedTuple):
    """The differences, each list in the order of path bytes."""

    moved: list[MovedDirectory]
    """Directories that stand elsewhere as a whole; their files are in no other list."""
    changed: list[Seen]
    missing: list[str]
    hidden: list[str]
    """Known, and ignored now: neither changed nor missing."""
    empty_directories: list[str]
    """Without a child that is synced, and not explicitly known."""
    gone_directories: list[str]
    """Explicitly known ones that are not there any more."""
    skipped: list[Skipped]
    files: int
    """Files and links that are synced."""
    bytes: int
    complete: bool
    """Everything was looked at: not cancelled, and every directory could be read."""
    incomplete_under: list[str]
    """Directories that could not be read; nothing below them is missing."""
    mounts: list[str]
    """Where other file systems are mounted: to be given to the next scan, which then knows an
    unmounted disk from a directory that somebody emptied."""
    local_directories: dict[str, str]
    """Local names of directories, where they differ from the path."""
    strays: list[str]
    """Local names of temporary files of our own that a crash left beside people's."""
    focus: Focus | None = None
    """What was looked at, where that was not the whole folder: all of this speaks of that alone,
    but for `mounts`."""

    def unfold(self, moved: Iterable[MovedDirectory], *, modes: bool) -> "Scan":
        """The same, with the files of these directories among what is changed and missing."""
        moved = list(moved)
        if not moved:
            return self
        new = [seen for directory in moved for seen in directory.seen(modes=modes)]
        missing = [path for directory in moved for path in directory.missing()]
        return self._replace(
            moved=[directory for directory in self.moved if directory not in moved],
            changed=sorted(self.changed + new, key=attrgetter("path")),
            missing=sorted(self.missing + missing),
        )


def scan(
    root: View,
    known: Iterable[KnownRow],
    ignore: Ignore,
    *,
    clock: Clock,
    dirs: Collection[str] = frozenset(),
    cancelled: Callable[[], bool] = lambda: False,
    mounts: Collection[str] = (),
    focus: Focus | None = None,
) -> Scan:
    """Compare the whole folder with `known`, which comes in the order of path bytes.

    `focus`: compare only that part of it, with what is `known` there. `dirs`: directories that are
    explicitly known (`mkd`), there and above. `cancelled` is asked at each directory;
    what was found until then is reported, but nothing as missing or gone. Raises FolderError when
    the folder itself cannot be read.
    """
    walk = Walk(root, ignore, explicit=dirs, mounts=mounts, cancelled=cancelled, focus=focus)
    modes = root.has_modes
    merge = Merge(walk, modes=modes)
    merge.run(known)
    moved: list[MovedDirectory] = []
    missing: list[Known] = []
    back: list[Seen] = []
    hidden: list[str] = []
    gone: list[str] = []
    if not walk.cancelled:
        absence = Absence(root, walk, ignore)
        if absence.is_plain:
            moved = take_moved(merge.absent, merge.new, modes=modes, is_gone=absence.is_gone)
        absent, hidden = absence.sort_out(map(Known._make, merge.absent))
        missing, back = absence.look_again(absent, clock)
        gone = absence.gone(dirs)
    new = [seen(*found, modes=modes) for found in merge.new]
    return Scan(
        moved=moved,
        changed=sorted([*merge.changed, *new, *back], key=attrgetter("path")),
        missing=[row.path for row in missing],
        hidden=hidden,
        empty_directories=[] if walk.cancelled else sorted(walk.empty),
        gone_directories=gone,
        skipped=sorted(walk.skipped),
        files=merge.files,
        bytes=merge.bytes,
        complete=not walk.cancelled and not walk.incomplete,
        incomplete_under=sorted(walk.incomplete),
        mounts=sorted(walk.mounts),
        local_directories=walk.local_directories,
        strays=sorted(walk.strays),
        focus=focus,
    ).unfold((each for each in moved if not _is_inside(each, focus)), modes=modes)


def _is_inside(moved: MovedDirectory, focus: Focus | None) -> bool:
    """False where more may stand at one of its two places than was looked at."""
    return focus is None or (focus.covers(moved.source) and focus.covers(moved.target))
