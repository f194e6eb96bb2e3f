"""Devices with real profiles that share one folder through several stores, and what may happen to
these: removed, emptied, swapped, set back, not mounted.

`Laptop`s take a store for what it is; who a store is, is for the engine to find out.
"""

import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.doubles.profile import Profile
from tests.scenario.store_contents import contents_in, event_files, missing_contents

from firnline.core.hashing import PLAIN
from firnline.engine.folder_commands import create_folder, join_folder
from firnline.engine.sync_command import FolderOutcome


def owners(base: Path, stores: Sequence[Path], names: str = "ab") -> list[Profile]:
    """Devices that share the folder `docs` through all of the stores."""
    found: list[Profile] = []
    for name in names:
        device = Profile(base / name)
        for store in stores:
            device.add_store(store.name, store)
        with device.engine() as engine:
            if found:
                join_folder(engine, "docs", str(device.folder), None, [])
            else:
                create_folder(engine, str(device.folder), "docs", [])
        found.append(device)
    return found


def sync(*devices: Profile) -> list[FolderOutcome]:
    """A pass of each."""
    return [outcome for device in devices for outcome in device.sync()]


def settle(*devices: Profile, rounds: int = 6) -> None:
    """Everybody syncs until nothing happens any more, and nobody has anything to tell then."""
    for _ in range(rounds):
        outcomes = sync(*devices)
        reports = [outcome.report for outcome in outcomes]
        if not any(report.written or report.applied or report.copied for report in reports):
            assert [outcome.error for outcome in outcomes] == [None] * len(outcomes)
            assert [report.problems for report in reports] == [[]] * len(reports)
            assert all(outcome.complete for outcome in outcomes)
            return
    raise AssertionError("the devices never came to rest")


def tree(device: Profile) -> dict[str, str]:
    """Path → text."""
    return {
        path.relative_to(device.folder).as_posix(): path.read_text()
        for path in sorted(device.folder.rglob("*"))
        if path.is_file() and ".firnline" not in path.parts
    }


def check_invariants(devices: Sequence[Profile], stores: Iterable[Path], texts: set[str]) -> None:
    """Equal trees; every text that was ever written is in each store, as is all that events name;
    and at rest nothing is written (docs/design.md section 10)."""
    settle(*devices)
    assert [tree(device) for device in devices] == [tree(devices[0])] * len(devices)
    wanted = {PLAIN.data(text.encode()) for text in texts}
    names = {frozenset(event_files(store)) for store in stores}
    assert len(names) == 1, "the stores have different logs"
    for store in stores:
        assert wanted <= contents_in(store).keys(), f"{store.name} lacks contents"
        assert missing_contents(store) == set()
    before = files(stores)
    sync(*devices)
    assert files(stores) == before, "something was written at rest"


def files(stores: Iterable[Path]) -> dict[Path, bytes]:
    """All files of the stores."""
    found = [path for store in stores for path in store.rglob("*") if path.is_file()]
    return {path: path.read_bytes() for path in found}


def live(first: Profile, second: Profile) -> set[str]:
    """Some versions, moves, copies, deletions and an empty file; returns all texts written."""
    first.write("d/1.txt", "one")
    first.write("d/2.txt", "two")
    first.write("empty.txt", "")
    settle(first, second)
    second.write("d/1.txt", "one, edited")
    sync(second)
    (first.folder / "d/2.txt").rename(first.folder / "moved.txt")
    first.write("copy.txt", "two")
    settle(first, second)
    (second.folder / "copy.txt").unlink()
    second.write("big.txt", "b" * 300_000)
    settle(first, second)
    (first.folder / "moved.txt").rename(first.folder / "moved twice.txt")
    settle(first, second)
    return {"one", "two", "one, edited", "b" * 300_000}


# --- what may happen to a store -------------------------------------------------------------------


def remove(store: Path) -> None:
    """The directory is gone."""
    shutil.rmtree(store)


def empty(store: Path) -> None:
    """A new disk in its place, or a mount point without its mount."""
    shutil.rmtree(store)
    store.mkdir()


def unmount(store: Path) -> Path:
    """Its mount point stands empty; returns where the store waits."""
    aside = store.with_name(store.name + " aside")
    store.rename(aside)
    store.mkdir()
    return aside


def mount(store: Path, aside: Path) -> None:
    """And back."""
    shutil.rmtree(store)
    aside.rename(store)


def back_up(store: Path) -> Path:
    """A copy of it as it is now."""
    copy = store.with_name(store.name + " backup")
    return Path(shutil.copytree(store, copy))


def set_back(store: Path, copy: Path) -> None:
    """The copy in its place."""
    shutil.rmtree(store)
    shutil.copytree(copy, store)
