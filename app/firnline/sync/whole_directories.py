"""Whole directories that were moved, as one event without an entry made for each of their files.

The usual way asks the log about each file, makes an item, a draft and entries of it, and a line of
the manifest; it comes to the same end. This one is taken where the index and the log can tell by a
few questions that there is nothing to be asked about any of them, by the device that moved the
directory and by those that read of it.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import NamedTuple

from firnline.core.batch import MAX_MEMBERS, BadBatchError, read_manifest
from firnline.core.directory_move import has_short_paths, move_manifest
from firnline.core.event import Op
from firnline.core.paths import directory_pairs
from firnline.folder.scan import MovedDirectory, Scan
from firnline.state.folder_state import FolderState
from firnline.sync.context import FolderContext
from firnline.sync.drafts import draft_moved_directory
from firnline.sync.event_clock import EventClock
from firnline.sync.event_writer import EventWriter
from firnline.sync.publisher import secure

_CONFLICT_COPY = b" (conflict "
"""What such a name has is remembered path by path (`state.journal`)."""


class WholeMove(NamedTuple):
    """A directory that can be told as a whole, and the manifest that tells it."""

    directory: MovedDirectory
    manifest: bytes


# -- telling


def sort_out(context: FolderContext, scan: Scan) -> tuple[list[WholeMove], Scan]:
    """The directories that can be told as a whole, and the scan with the files of all others.

    To be asked while nothing that came is left to be applied. Changes nothing.
    """
    if not scan.moved:
        return [], scan
    lacking = context.state.stores.lacking_count
    behind = any(lacking(connected.store_id) for connected in context.stores)
    whole: list[WholeMove] = []
    if scan.complete and not behind:
        found = (_whole(context.state, directory) for directory in scan.moved)
        whole = [move for move in found if move is not None]
    taken = {move.directory.source for move in whole}
    rest = [directory for directory in scan.moved if directory.source not in taken]
    return whole, scan.unfold(rest, modes=context.root.has_modes)


def _whole(state: FolderState, directory: MovedDirectory) -> WholeMove | None:
    source, target = directory.source, directory.target
    rows = state.directory_moves.leaving(source, target)
    if rows is None or len(rows) > MAX_MEMBERS or [row[:6] for row in rows] != directory.rows:
        return None
    manifest = move_manifest(source, target, rows)
    return None if _CONFLICT_COPY in manifest else WholeMove(directory, manifest)


def publish_whole(
    context: FolderContext, clock: EventClock, writer: EventWriter, moves: Sequence[WholeMove]
) -> int:
    """Write each as one event, and book it; returns the number of events.

    Raises NowhereToWriteError, ClockBeforeBuildError.
    """
    book = context.state.directory_moves.book
    for directory, manifest in moves:
        context.check_cancelled()
        place = (directory.source, directory.target)
        ends = (directory.found[0][0], directory.found[-1][0])
        time, device, hasher = clock.next(), context.device, context.hasher
        draft = draft_moved_directory(place, ends, manifest, time, device, hasher)
        secure(context, _paths(directory))
        writer.open([draft], from_folder=True)
        writer.confirm([draft], writer.send([draft]), partial(book, *place, draft.ref))
        context.progress.advance(len(directory.rows))
    return len(moves)


def _paths(directory: MovedDirectory) -> Iterator[str]:
    for row, (path, *_) in zip(directory.rows, directory.found, strict=True):
        yield path
        yield row[0]


# -- reading


def read_whole(state: FolderState, manifest: bytes) -> tuple[str, str] | None:
    """Source and target of the directory that a batch moves, where its manifest is, byte for byte,
    that of moving all that stands below the source here, and no rule has anything to say about
    any of the files. None says only that the manifest has to be read."""
    members = manifest.count(b"\n")
    try:
        (sample,) = read_manifest(manifest[: manifest.find(b"\n") + 1])
    except (BadBatchError, ValueError):
        return None
    if sample.op is not Op.MOV or sample.source is None or not 2 <= members <= MAX_MEMBERS:
        return None
    for source, target in directory_pairs(sample.source, sample.path):
        if state.files.count_below(source) == members:
            return (source, target) if _is_whole(state, source, target, manifest) else None
    return None


def _is_whole(state: FolderState, source: str, target: str, manifest: bytes) -> bool:
    rows = state.directory_moves.leaving(source, target)
    return (
        rows is not None
        and move_manifest(source, target, rows) == manifest
        and _CONFLICT_COPY not in manifest
        and has_short_paths(manifest.split(b"\n"))
        and not state.journal.has_unsized()
        and state.directory_moves.has_clear_origins(source)
    )
