"""What must hold after any crash, when everybody has settled (docs/design.md section 10).

Stores and folders are read as another program would read them; tables are asked only whether
anything unfinished is left in them.
"""

from collections.abc import Iterable
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


def check_rest(laptops: Iterable[Laptop]) -> None:
    """Another pass of everybody writes nothing anywhere, and nothing unfinished is left."""
    laptops = list(laptops)
    before = _files(laptops)
    for laptop in laptops:
        report = laptop.sync()
        counts = (report.written, report.applied, report.copied)
        assert counts == (0, 0, 0), f"{laptop.device} is not at rest: {counts}"
        assert report.problems == [], f"{laptop.device}: {report.problems}"
        assert report.complete, f"{laptop.device} is not done"
        _check_tables(laptop)
        _check_own_files(laptop)
    assert _files(laptops) == before, "something was written at rest"


def _files(laptops: Iterable[Laptop]) -> dict[str, int]:
    """All files of all stores, and their inodes."""
    stores = {base for laptop in laptops for base in (*laptop.stores, laptop.place / "home")}
    return {
        str(path): path.stat().st_ino
        for base in stores
        for path in base.rglob("*")
        if path.is_file()
    }


def _check_tables(laptop: Laptop) -> None:
    state = FolderState(laptop.place / "state.db")
    try:
        unfinished = {
            "intents": state.intents.all(),
            "saves that slipped in": state.intents.rescued(),
            "dirty paths": state.journal.dirty(),
            "events": state.journal.in_state(*(s for s in EventState if s is not s.KNOWN)),
            "lacking": [e for store in state.stores.ids() for e in state.stores.lacking(store)],
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
