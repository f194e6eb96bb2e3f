"""Applying: making the folder what the log says, path by path, without ever losing a save.

Intents are committed before effects, with one durability barrier for many files; each local file
is compared with what this device's table knows at the very moment it is replaced, and the replaced
inode is kept until that was verified (docs/design.md section 7, *Applying*). What turns out to
be changed meanwhile is left alone: its own event comes first, in the next round of the pass.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from firnline.core.event import EXECUTABLE, NO_FLAGS, Kind, clamp_mtime
from firnline.core.paths import MAX_PATH_BYTES, parent_of
from firnline.folder.errors import Changed, FolderError, NameImpossible, NoSpace, Occupied, Vanished
from firnline.folder.ignore import Ignore
from firnline.folder.metadata import Placed, Stat
from firnline.state.file_index import FileRow
from firnline.state.intents import Intent, Rescued
from firnline.sync.apply_intents import arranging_intents, emptied, left_paths, place_intent
from firnline.sync.apply_plan import (
    DirectoryMove,
    MoveStep,
    Plan,
    Wish,
    absent_row,
    directory_row,
    groups,
    plan,
)
from firnline.sync.apply_rows import expected_stat, gone_row, placed_row, stamped
from firnline.sync.bodies import Bodies, ContentMissingError, ContentTooLargeError, hash_of_local
from firnline.sync.context import FolderContext, Problem
from firnline.sync.resolver import JournalLog
from firnline.sync.staging import Staged, Stager
from firnline.sync.wishes import Origins, wish_for

_T = TypeVar("_T")


class Applier:
    """Applies dirty paths. After `apply`: `applied` paths are done; `unsettled` tells that local
    files were found changed, so that another scan is worth its while."""

    def __init__(self, context: FolderContext, ignore: Ignore, log: JournalLog) -> None:
        self._context = context
        self._log = log
        self._ignore = ignore
        self._ignored: dict[str, bool] = {}
        self.applied = 0
        self.unsettled: dict[str, str] = {}
        self.problems: list[Problem] = []
        self._rows: list[FileRow] = []
        self._done: list[str] = []
        self._settled: list[str] = []
        self._kept: list[tuple[Wish, str, Stat]] = []
        self._rescued: list[Rescued] = []
        self._failed: list[str] = []
        """Paths that something went wrong at: directories may have been made for them."""
        self._waiting = set(log.undecided)
        """Paths that stay dirty, whatever is done there now."""

    def apply(self, paths: Sequence[str]) -> None:
        """Bring these paths in line with the log, as far as it can be done now."""
        wishes = self._wishes(paths)
        made = plan(wishes, self._context.state.files.count_below)
        self._context.progress.begin("applying", len(made.places), "files")
        self._arrange(made)
        for group in groups(made.places):
            self._bring(group)
        self._context.progress.end()

    def _wishes(self, paths: Sequence[str]) -> list[Wish]:
        state = self._context.state
        self._log.load(paths)
        rows = state.files.get_many(paths)
        wishes: list[Wish] = []
        ignored = [p for p in paths if p not in rows and self._is_ignored(p)]
        hidden = set(ignored)

        def here(path: str) -> bool:
            return path in rows and rows[path].kind is not Kind.NOTHING

        origins = Origins(self._log.all_entries, here)
        for path in paths:
            if path in hidden:
                continue
            wish = wish_for(
                path, self._log.all_entries(path), rows.get(path), self._log.pending.lacks
            )
            if wish is None or wish.pending:
                self._pending(path)
            if wish is None:
                continue
            if wish.here is None and wish.entry is not None and wish.entry.other is not None:
                wishes.append(wish._replace(origin=origins.of(wish.entry)))
            else:
                wishes.append(wish)
        if ignored:
            with state.transaction("ignored paths"):
                state.dirty.clear(ignored)
        return wishes

    def _is_ignored(self, path: str) -> bool:
        """As `Ignore.matches`, asking only once for each directory."""
        directory = parent_of(path)
        if directory not in self._ignored:
            self._ignored[directory] = bool(directory) and self._ignore.matches(directory, True)
        return self._ignored[directory] or self._ignore.entry_matches(path, False)

    def _pending(self, path: str) -> None:
        self._waiting.add(path)
        message = "its newest version cannot be had from any store in reach"
        self.problems.append(Problem(path, "pending", message))

    # --- what needs no content ----------------------------------------------------------------

    def _arrange(self, made: Plan) -> None:
        """Removals, moves and directories: one group, with its intents before."""
        for row in made.bookings:
            self._book(row)
        self._settled += made.settled
        intents = list(arranging_intents(made))
        if intents:
            self._commit_intents(intents)
        for wish in made.retouch:
            self._each(wish.path, self._retouch, wish)
        for wish in made.removals:
            self._each(wish.path, self._remove, wish)
        if made.directory_moves:
            # Carried along, they would look like directories that the user made.
            self._remove_emptied({wish.path for wish in made.removals})
        for move in made.directory_moves:
            self._move_directory(move)
        for step in made.moves:
            self._each(step.wish.path, self._move, step)
        for wish in sorted(made.remove_directories, reverse=True):
            self._each(wish.path, self._remove_directory, wish)
        self._remove_emptied(left_paths(made))
        for wish in made.make_directories:
            self._each(wish.path, self._make_directory, wish)
        self._finish(bool(intents))

    def _each(self, path: str, action: Callable[[_T], object], work: _T) -> None:
        """One path's work; what goes wrong there is its own problem and no other's."""
        self._context.check_cancelled()
        try:
            action(work)
        except FolderError as error:
            self._failed.append(path)
            self._tell(path, error)

    def _tell(self, path: str, error: FolderError) -> None:
        if isinstance(error, NoSpace):
            self.problems.append(Problem(path, "no space", error.detail))
        elif isinstance(error, Changed | Occupied | Vanished):
            self.unsettled[path] = error.detail
            row = self._context.state.files.get(path)
            if isinstance(error, Changed) and error.kept is not None and row is not None:
                self._rescued.append(Rescued(error.kept, path, row.base))
        else:
            self.problems.append(Problem(path, "not applied", str(error)))

    def _retouch(self, wish: Wish) -> None:
        """The content is right: flags and time may not be."""
        entry, row = wish.entry, wish.here
        assert entry is not None
        assert row is not None
        root, local = self._context.root, row.local or row.path
        stat, is_file = expected_stat(row), row.kind is Kind.FILE
        if is_file and entry.flags != row.flags:
            stat = root.set_executable(local, entry.flags == EXECUTABLE, stat)
        if is_file and row.base != wish.base and clamp_mtime(row.mtime_ns) != entry.mtime:
            stat = root.touch(local, entry.mtime, stat)
            # A save just before that does not show in the time any more.
            if hash_of_local(self._context, local, row.kind) != row.data_hash:
                raise Changed(local, "was saved by somebody else")
        flags = entry.flags if is_file else NO_FLAGS
        self._book_stamped(placed_row(wish, stat, row.data_hash, flags, row.local))

    def _remove(self, wish: Wish) -> None:
        row = wish.here
        assert row is not None
        kept = self._kept_name(wish.path)
        found = self._context.root.take_away(row.local or row.path, expected_stat(row), kept)
        self._kept.append((wish, kept, found))
        if wish.entry is None:
            self._book(absent_row(wish))
        else:
            self._rows.append(absent_row(wish)._replace(base=row.base))

    def _move(self, step: MoveStep) -> None:
        row = step.row
        local = self._context.root.locate(step.wish.path)
        stat = self._context.root.move(row.local or row.path, local, expected_stat(row))
        self._moved(step, local, stat)

    def _moved(self, step: MoveStep, local: str, stat: Stat) -> None:
        """Booked as it stands there now; flags or a time that differ are one more thing to do."""
        row, wish = step.row, step.wish
        entry = wish.entry
        assert entry is not None
        self._rows.append(gone_row(row.path, step.leaves))
        if step.finished:
            self._done.append(row.path)
        moved = placed_row(wish, stat, row.data_hash, row.flags, local)
        self._rows.append(moved)
        same = (entry.flags, entry.mtime) == (row.flags, clamp_mtime(row.mtime_ns))
        if row.kind is Kind.FILE and not same:
            arrived = moved._replace(base=row.base)
            self._each(wish.path, self._retouch, wish._replace(row=arrived))
        else:
            self._done.append(wish.path)

    def _move_directory(self, move: DirectoryMove) -> None:
        """One rename. Where it cannot be, the files are moved one by one."""
        root = self._context.root
        source, target = root.locate(move.source), root.locate(move.target)
        try:
            root.move_directory(source, target)
        except FolderError:
            for step in move.steps:
                self._each(step.wish.path, self._move, step)
            return
        for step in move.steps:
            local = target + (step.row.local or step.row.path)[len(source) :]
            self._moved(step, local, expected_stat(step.row))

    def _remove_directory(self, wish: Wish) -> None:
        """A directory that is not empty stays: what is in it was never synced, or comes next."""
        self._context.root.remove_directory(self._context.root.locate(wish.path))
        if wish.entry is None:
            self._book(absent_row(wish))
        else:
            row = wish.row
            assert row is not None
            self._rows.append(absent_row(wish)._replace(base=row.base))

    def _make_directory(self, wish: Wish) -> None:
        self._context.root.make_directory(self._context.root.locate(wish.path))
        self._book(directory_row(wish))

    def _remove_emptied(self, left: Iterable[str]) -> None:
        """Directories that lost their last file here and stand by no event of their own."""
        directories = sorted(emptied(left), key=len, reverse=True)
        known = self._context.state.files.get_many(directories).values()
        kinds = {row.path: row.kind for row in (*known, *self._rows)}
        for directory in directories:
            if kinds.get(directory) is not Kind.DIRECTORY:
                self._each(directory, self._remove_if_empty, directory)

    def _remove_if_empty(self, directory: str) -> None:
        try:
            self._context.root.remove_directory(self._context.root.locate(directory))
        except Vanished:
            return

    # --- what needs content -------------------------------------------------------------------

    def _bring(self, wishes: Sequence[Wish]) -> None:
        """Stage, make durable, commit intents, replace, make durable, book."""
        stager = Stager(self._context)
        staged: list[Staged] = []
        try:
            links = [wish for wish in wishes if _kind(wish) is Kind.LINK]
            for item in stager.stage(w for w in wishes if _kind(w) is not Kind.LINK):
                staged.append(item)
                self._context.progress.advance(1)
            self._context.root.barrier()
            self._commit_intents([place_intent(wish) for wish in wishes])
            for item in staged:
                self._each(item.wish.path, self._place, item)
            for wish in links:
                self._each(wish.path, self._link, wish)
            self._finish(True)
        finally:
            self._context.root.sweep_temporaries()
        self._missing(stager.missing)
        self.problems += stager.problems

    def _place(self, staged: Staged) -> None:
        wish = staged.wish
        entry, here = wish.entry, wish.here
        assert entry is not None
        expected = None if here is None else expected_stat(here)
        kept = None if here is None else self._kept_name(wish.path)
        local = self._context.root.locate(wish.path) if here is None else here.local or here.path
        placed = self._context.root.place(staged.temporary, local, expected, kept)
        self._verify_kept(wish, kept, placed)
        self._book_stamped(placed_row(wish, placed.stat, entry.data_hash, entry.flags, local))

    def _link(self, wish: Wish) -> None:
        here = wish.here
        kept = None if here is None else self._kept_name(wish.path)
        entry = wish.entry
        assert entry is not None
        expected = None if here is None else expected_stat(here)
        local = self._context.root.locate(wish.path)
        try:
            text = Bodies(self._context).read(entry.data_hash, MAX_PATH_BYTES).decode()
            placed = self._context.root.make_link(text, local, expected, kept)
        except (ContentTooLargeError, UnicodeDecodeError):
            message = "a link with a text that no link can have is not made"
            self.problems.append(Problem(wish.path, "link", message))
            return
        except ContentMissingError:
            self._missing([wish])
            return
        except NameImpossible:
            message = "a link that leads out of the folder is not made here"
            self.problems.append(Problem(wish.path, "link outside", message))
            return
        self._verify_kept(wish, kept, placed)
        self._book_stamped(placed_row(wish, placed.stat, entry.data_hash, NO_FLAGS, local))

    def _verify_kept(self, wish: Wish, kept: str | None, placed: Placed) -> None:
        if kept is None or placed.kept is None:
            return
        if placed.slipped:
            self._rescue(wish, kept)
        else:
            self._kept.append((wish, kept, placed.kept))

    def _rescue(self, wish: Wish, kept: str) -> None:
        if wish.row is not None:
            self._rescued.append(Rescued(kept, wish.path, wish.row.base))
            self.unsettled[wish.path] = "was saved meanwhile"

    def _drop_kept(self, kept: Sequence[tuple[Wish, str, Stat]]) -> None:
        """What was replaced goes, unless a program that had it open wrote to it meanwhile."""
        root, state = self._context.root, self._context.state
        written = [(wish, name) for wish, name, stat in kept if not root.drop_kept(name, stat)]
        if not written:
            return
        for wish, name in written:
            self._rescue(wish, name)
        rescued, self._rescued = self._rescued, []
        with state.transaction("rescue"):
            for item in rescued:
                state.intents.rescue(item)

    def _missing(self, wishes: Iterable[Wish]) -> None:
        """Content that nobody has now: the event is pending until somebody does."""
        for wish in wishes:
            assert wish.entry is not None
            self._log.pending.note(wish.entry)
            self.unsettled[wish.path] = "its content is missing"

    # --- bookkeeping --------------------------------------------------------------------------

    def _commit_intents(self, intents: Sequence[Intent]) -> None:
        with self._context.state.transaction("intents"):
            self._context.state.intents.add(intents)

    def _book(self, row: FileRow) -> None:
        self._rows.append(row)
        self._done.append(row.path)

    def _book_stamped(self, row: FileRow) -> None:
        self._book(row._replace(mtime_ns=stamped(self._context, row.mtime_ns)))

    def _finish(self, changed: bool) -> None:
        """The table after the folder, and what was kept goes last."""
        if self._failed:
            # What was made for them would look like the user's own to the next scan.
            self._remove_emptied(self._failed)
            self._failed.clear()
        state, root = self._context.state, self._context.root
        rows, self._rows = self._rows, []
        done, self._done = self._done, []
        settled, self._settled = self._settled, []
        kept, self._kept = self._kept, []
        rescued, self._rescued = self._rescued, []
        if not (rows or settled or changed):
            return
        waiting = self._waiting
        if changed:
            root.barrier()
        with state.transaction("applied"):
            state.files.put_many(rows)
            state.dirty.clear(path for path in (*done, *settled) if path not in waiting)
            for item in rescued:
                state.intents.rescue(item)
            state.intents.clear()
        self.applied += len(done)
        self._drop_kept(kept)

    def _kept_name(self, path: str) -> str:
        """Tells the path after a crash, and never meets a name that was rescued before."""
        return f"{self._context.hasher.path(path)}-{self._context.random(6).hex()}"


def _kind(wish: Wish) -> Kind:
    assert wish.entry is not None
    return wish.entry.kind
