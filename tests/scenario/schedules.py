"""Random lives of a few laptops: what people do, in any order, and what must hold at the end.

A `Step` is plain data, so a schedule is printed, shrunk and replayed as it stands. A step that
cannot be done (deleting what is not there) does nothing.
"""

import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from hypothesis import strategies as st
from tests.scenario.laptops import Laptop, LaptopClock
from tests.scenario.store_contents import (
    event_files,
    everything_of,
    folder_contents,
    missing_contents,
)

from firnline.core.hashing import DataHash, Ref
from firnline.core.heads import by_ref, heads_of, state_of
from firnline.state.file_index import FileRow
from firnline.state.folder_state import FolderState

PATHS = ("a", "b", "d", "d/a", "d/b", "d/e", "d/e/a", "f/a", "f/e/a")
DIRECTORIES = ("d", "d/e", "f", "f/e", "g")


class Do(StrEnum):
    """What happens in one step."""

    WRITE = "write"
    SAME = "write what others may write too"
    DELETE = "delete"
    MOVE = "move"
    MOVE_DIRECTORY = "move directory"
    DELETE_TREE = "delete tree"
    MODE = "chmod"
    MAKE_DIRECTORY = "mkdir"
    LINK = "link"
    SWAP = "swap"
    SYNC = "sync"
    AWAY = "away"
    LOSE_DATABASE = "lose database"
    DAYS = "three days pass"
    KEEP = "keep what waits"
    GIVE_UP = "delete what waits"


DECISIONS = frozenset({Do.KEEP, Do.GIVE_UP})
ORDINARY = frozenset(Do) - DECISIONS
"""Where nothing is ever asked, there is nothing to decide."""


class Step(NamedTuple):
    """One thing that somebody does on one laptop. Only some need `other` and `store`."""

    do: Do
    laptop: int
    path: str = "a"
    other: str = "b"
    store: int = 0


def steps(laptops: int, stores: int, kinds: Iterable[Do] = ORDINARY) -> st.SearchStrategy[Step]:
    """Any step; a sync is half of all."""
    path, directory = st.sampled_from(PATHS), st.sampled_from(DIRECTORIES)
    who = st.integers(0, laptops - 1)
    syncs = who.map(lambda laptop: Step(Do.SYNC, laptop))
    of_directories = {Do.MOVE_DIRECTORY, Do.DELETE_TREE, Do.MAKE_DIRECTORY}
    others = [
        st.builds(
            Step,
            st.just(kind),
            who,
            directory if kind in of_directories else path,
            directory if kind in of_directories else path,
            st.integers(0, stores - 1),
        )
        for kind in sorted(kinds)
        if kind is not Do.SYNC
    ]
    return syncs | st.one_of(others)


class Known(NamedTuple):
    """A path that a laptop's table has, and all events that it knew to say the same of it."""

    path: str
    data_hash: DataHash
    events: frozenset[Ref]


class Life:
    """Laptops that live through a schedule, and a ledger of what they were seen to have."""

    def __init__(
        self,
        place: Path,
        store_sets: Sequence[Sequence[int]],
        skews: Sequence[float],
        *,
        watch: Callable[[str], object] = lambda text: None,
    ) -> None:
        """`store_sets`: for each laptop, the numbers of its stores. `skews`: seconds."""
        self.laptops = []
        self._watch = watch
        self._start = LaptopClock().moment
        for number, (numbers, skew) in enumerate(zip(store_sets, skews, strict=True)):
            clock = LaptopClock(self._start + timedelta(seconds=skew))
            stores = [place / f"s{store}" for store in numbers]
            letter = "abc"[number]
            self.laptops.append(Laptop(place / letter, letter * 8, stores, clock=clock))
        self._texts = 0
        self.taken: set[DataHash] = set()
        """Every content that stood in a folder when it was scanned."""
        self.replaced: set[DataHash] = set()
        """Contents that somebody deleted or wrote over after having them."""
        self.deleted: set[Known] = set()

    def begin(self) -> None:
        """Everybody has the same few files, one of them executable."""
        for path in ("a", "d/a", "d/e/a", "f/a"):
            self.laptops[0].write(path, f"first {path}", executable=path == "f/a")
        self.settle()

    def play(self, schedule: Iterable[Step]) -> None:
        for step in schedule:
            for laptop in self.laptops:
                laptop.clock.advance(seconds=3)
            self._watch(repr(step))
            self._do(self.laptops[step.laptop], step)

    def _do(self, laptop: Laptop, step: Step) -> None:
        do, path, other, store = step.do, step.path, step.other, step.store
        self._texts += 1
        actions: dict[Do, Callable[[], object]] = {
            Do.WRITE: lambda: _write(laptop, path, f"text {self._texts}"),
            Do.SAME: lambda: _write(laptop, path, "the same"),
            Do.DELETE: lambda: _delete(laptop, path),
            Do.MOVE: lambda: _move(laptop, path, other),
            Do.MOVE_DIRECTORY: lambda: _move(laptop, path, other),
            Do.DELETE_TREE: lambda: shutil.rmtree(laptop.folder / path, ignore_errors=True),
            Do.MODE: lambda: _chmod(laptop, path),
            Do.MAKE_DIRECTORY: lambda: _make(laptop, path, lambda target: target.mkdir()),
            Do.LINK: lambda: _make(laptop, path, lambda target: target.symlink_to("somewhere")),
            Do.SWAP: lambda: _swap(laptop, path, other),
            Do.SYNC: lambda: self.sync(laptop),
            Do.AWAY: lambda: _toggle(laptop, store),
            Do.LOSE_DATABASE: lambda: lose_database(laptop),
            Do.DAYS: self._days_pass,
            Do.KEEP: lambda: answer(laptop, "keep"),
            Do.GIVE_UP: lambda: answer(laptop, "delete"),
        }
        actions[do]()

    def _days_pass(self) -> None:
        for laptop in self.laptops:
            laptop.clock.advance(days=3)

    def sync(self, laptop: Laptop) -> bool:
        """One pass; True when it did anything."""
        self.taken |= folder_contents(laptop).keys()
        rows = rows_of(laptop)
        self.deleted |= {row for row in rows if not os.path.lexists(laptop.folder / row.path)}
        had, has = Counter(row.data_hash for row in rows), folder_contents(laptop)
        self.replaced |= {found for found, count in had.items() if has[found] < count}
        report = laptop.sync()
        return bool(report.written or report.applied or report.copied)

    def settle(self) -> None:
        """Everything is in reach, and everybody syncs until nobody does anything."""
        for laptop in self.laptops:
            laptop.away.clear()
        for _ in range(12):
            busy = [self.sync(laptop) for laptop in self.laptops]
            if not any(busy):
                return
        raise AssertionError("the laptops never came to rest")

    def check(self) -> None:
        """What must hold once all are settled (docs/design.md section 10, 1 to 5 and 9)."""
        first, *others = self.laptops
        for laptop in others:
            assert laptop.tree() == first.tree()
        self._check_rest()
        assert self.taken <= everything_of(self.laptops), "a content is lost"
        shown = folder_contents(first).keys()
        assert self.taken - self.replaced <= shown, "overwritten by somebody who had not seen it"
        self._check_deleted(first)
        stores = sorted({store for laptop in self.laptops for store in laptop.stores})
        for store in stores:
            assert event_files(store).keys() == event_files(stores[0]).keys()
            assert not missing_contents(store)
        for laptop in self.laptops:
            assert not event_files(laptop.place / "home"), "the outbox is not empty"

    def _check_rest(self) -> None:
        for laptop in self.laptops:
            report = laptop.sync()
            assert (report.written, report.applied, report.copied) == (0, 0, 0)
            assert (report.problems, report.complete) == ([], True)

    def _check_deleted(self, laptop: Laptop) -> None:
        state = FolderState(laptop.place / "state.db")
        try:
            for path, _, events in self.deleted:
                entries = state.journal.entries(path)
                winner = state_of(entries).winner
                twins = {entry.twin_key for entry in entries if entry.ref in events}
                assert winner is None or winner.twin_key not in twins, f"{path} is back"
        finally:
            state.close()


def rows_of(laptop: Laptop) -> list[Known]:
    """What the laptop's table says that its folder has."""
    file = laptop.place / "state.db"
    if not file.exists():
        return []
    state = FolderState(file)
    try:
        here = [path for path, *_ in state.files.known()] + sorted(state.files.directories())
        return [_known(state, row) for row in state.files.get_many(here).values()]
    finally:
        state.close()


def _known(state: FolderState, row: FileRow) -> Known:
    entries = state.journal.entries(row.path)
    base = by_ref(entries).get(row.base)
    equal = [head.ref for head in heads_of(entries) if base and head.content == base.content]
    return Known(row.path, row.data_hash, frozenset({row.base, *equal}))


def lose_database(laptop: Laptop) -> None:
    """As after a restore of the disk without the program's own data."""
    for file in laptop.place.glob("state.db*"):
        file.unlink()


def answer(laptop: Laptop, choice: str) -> bool:
    """The user decides all that waits on a laptop; True when something did."""
    file = laptop.place / "state.db"
    if not file.exists():
        return False
    state = FolderState(file)
    questions = state.questions.open()
    state.close()
    for question in questions:
        laptop.answer(question.id, choice)
    return bool(questions)


def _write(laptop: Laptop, path: str, text: str) -> None:
    if _is_file(laptop.folder / path) or _free(laptop, path):
        laptop.write(path, text)


def _delete(laptop: Laptop, path: str) -> None:
    target = laptop.folder / path
    if target.is_symlink() or target.is_file():
        target.unlink()


def _move(laptop: Laptop, source: str, target: str) -> None:
    old, new = laptop.folder / source, laptop.folder / target
    if not os.path.lexists(old) or f"{target}/".startswith(f"{source}/"):
        return
    if _free(laptop, target) or (_is_file(old) and _is_file(new)):
        laptop.move(source, target)


def _chmod(laptop: Laptop, path: str) -> None:
    target = laptop.folder / path
    if _is_file(target):
        target.chmod(target.stat().st_mode ^ 0o111)


def _make(laptop: Laptop, path: str, make: Callable[[Path], object]) -> None:
    target = laptop.folder / path
    if _free(laptop, path):
        target.parent.mkdir(parents=True, exist_ok=True)
        make(target)


def _swap(laptop: Laptop, first: str, second: str) -> None:
    one, other, aside = laptop.folder / first, laptop.folder / second, laptop.folder / "aside"
    if first != second and _is_file(one) and _is_file(other):
        one.rename(aside)
        other.rename(one)
        aside.rename(other)


def _toggle(laptop: Laptop, store: int) -> None:
    """A store goes out of reach, or is back."""
    laptop.away ^= {laptop.stores[store % len(laptop.stores)]}


def _is_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _free(laptop: Laptop, path: str) -> bool:
    """Nothing stands at `path`, and no file above it."""
    target = laptop.folder / path
    above = [p for p in target.parents if laptop.folder in p.parents]
    files = [p for p in above if os.path.lexists(p) and (p.is_symlink() or not p.is_dir())]
    return not os.path.lexists(target) and not files
