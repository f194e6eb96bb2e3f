"""What must hold after any crash, when everybody has settled (docs/design.md section 10).

Stores and folders are read as another program would read them; tables are asked only whether
anything unfinished is left in them.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from tests.scenario.laptops import Laptop
from tests.scenario.store_contents import event_files, everything_of, missing_contents

from firnline.core.hashing import DataHash
from firnline.state.folder_state import FolderState
from firnline.state.journal import EventState


def check_nothing_lost(laptops: Iterable[Laptop], written: set[DataHash]) -> None:
    """Every content that was ever written is found by its hash, and so is all that events name."""
    laptops = list(laptops)
    lost = written - everything_of(laptops)
    assert not lost, f"{len(lost)} contents are lost"
    for store in sorted({store for laptop in laptops for store in laptop.stores}):
        missing = missing_contents(store)
        assert not missing, f"{store.name} names {len(missing)} contents that it does not have"


def sync_until_rest(laptops: Iterable[Laptop], rounds: int = 8) -> None:
    """Everybody syncs until a whole round does nothing and writes nothing anywhere; nobody has a
    problem to tell then."""
    laptops = list(laptops)
    after = _files(laptops)
    for _ in range(rounds):
        before = after
        reports = [laptop.sync() for laptop in laptops]
        after = _files(laptops)
        if not any(report.written or report.applied or report.copied for report in reports):
            assert after == before, "something was written at rest"
            problems = [report.problems for report in reports]
            assert not any(problems), f"problems at rest: {problems}"
            assert all(report.complete for report in reports)
            return
    raise AssertionError("the laptops never came to rest")


def check_rest(laptops: Iterable[Laptop]) -> None:
    """Another pass of everybody writes nothing anywhere, and nothing unfinished is left."""
    laptops = list(laptops)
    sync_until_rest(laptops, rounds=1)
    check_done(laptops)


def _files(laptops: Iterable[Laptop]) -> dict[str, int]:
    """All files of all stores, and their inodes."""
    stores = {base for laptop in laptops for base in (*laptop.stores, laptop.place / "home")}
    return {path: inode for base in stores for path, inode in _files_below(base)}


def _files_below(directory: Path) -> Iterator[tuple[str, int]]:
    with suppress(FileNotFoundError), os.scandir(directory) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _files_below(Path(entry.path))
            else:
                yield entry.path, entry.inode()


def check_done(
    laptops: Iterable[Laptop], excused: Callable[[str], bool] = lambda item: False
) -> None:
    """Nothing unfinished is left in any table, folder or store; `excused` is asked about each
    dirty path, and each event that a store lacks."""
    for laptop in laptops:
        _check_tables(laptop, excused)
        _check_own_files(laptop)


def _check_tables(laptop: Laptop, excused: Callable[[str], bool]) -> None:
    state = FolderState(laptop.place / "state.db")
    try:
        unfinished = {
            "intents": state.intents.all(),
            "saves that slipped in": state.intents.rescued(),
            "dirty paths": [path for path in state.dirty.paths() if not excused(path)],
            "events": state.journal.in_state(*(s for s in EventState if s is not s.KNOWN)),
            "lacking": [
                event
                for store in state.stores.ids()
                for event in state.stores.lacking(store)
                if not excused(event[1])
            ],
        }
        held = {name for _, name, _ in state.stores.held()}
    finally:
        state.close()
    left = {what: found for what, found in unfinished.items() if found}
    assert not left, f"{laptop.device} has unfinished work: {left}"
    home = set(event_files(laptop.place / "home"))
    assert home == held, f"{laptop.device}: the home store is not what the table says"


def _check_own_files(laptop: Laptop) -> None:
    left = [path for path in (laptop.folder / ".firnline").glob("*/*") if path.is_file()]
    for base in (*laptop.stores, laptop.place / "home"):
        left += base.glob("connections/*/tmp/*")
    assert not left, f"left over: {[_shown(path) for path in left]}"


def _shown(path: Path) -> str:
    return "/".join(path.parts[-3:])
