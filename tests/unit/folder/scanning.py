"""One folder that is scanned again and again."""

from collections.abc import Callable
from pathlib import Path

from tests.doubles.still_clock import StillClock
from tests.unit.folder.known_rows import rows_of

from firnline.folder.filesystem import Root
from firnline.folder.ignore import Ignore
from firnline.folder.scan import Known, Scan, SkipKind, scan


class Scanner:
    """Scans one folder again and again."""

    def __init__(self, root: Root, clock: StillClock) -> None:
        self.root = root
        self.clock = clock
        self.known: list[Known] = []
        self.ignore = Ignore()
        self.dirs: set[str] = set()
        self.mounts: list[str] = []
        self.cancelled: Callable[[], bool] = lambda: False

    def look(self) -> Scan:
        return scan(
            self.root,
            self.known,
            self.ignore,
            clock=self.clock,
            dirs=self.dirs,
            cancelled=self.cancelled,
            mounts=self.mounts,
        )

    def learn(self) -> Scan:
        """Everything is known as it is now."""
        self.known = []
        found = self.look()
        self.known = rows_of(found)
        self.mounts = found.mounts
        return found


def fill(folder: Path, *paths: str) -> None:
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(path.encode())


def changed(found: Scan) -> list[str]:
    return [seen.path for seen in found.changed]


def skipped(found: Scan) -> list[tuple[str, SkipKind]]:
    return [(item.path, item.kind) for item in found.skipped]
