"""A directory store that comes and goes, as a disk that somebody unplugs, and now and then comes
back as an older backup of itself."""

import os
import shutil
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from tests.soak.diary import Diary


@dataclass(slots=True)
class _Absence:
    start: float
    mount_point: bool
    end: float = float("inf")


class Shelf:
    """The store `name` at `path`. While it is away, nothing stands there, or an empty directory:
    a place where something is mounted at other times."""

    def __init__(self, path: Path, diary: Diary) -> None:
        self.name = path.name
        self.path = path
        self.set_back = False
        """It came back older than it went, since it was last kept."""
        self._aside = path.with_name(f"{path.name} away")
        self._kept = path.with_name(f"{path.name} kept")
        self._diary = diary
        self._lock = threading.Lock()
        self._away: list[_Absence] = []

    def leave(self, *, mount_point: bool) -> None:
        self._diary.note(self.name, "store leaves", mount_point=mount_point)
        with self._lock:
            self._away.append(_Absence(time.monotonic(), mount_point))
        self.path.rename(self._aside)
        if mount_point:
            self.path.mkdir()

    def keep(self) -> None:
        """Make a backup; nobody may be at work, but that connections beat."""
        self.drop_backup()
        self._diary.note(self.name, "backup")
        # What stands in a store is never written to, only replaced, so a link is a copy.
        beats = shutil.ignore_patterns("idle_*", "tmp")
        shutil.copytree(self.path, self._kept, copy_function=os.link, ignore=beats)

    def drop_backup(self) -> None:
        """Come back as it went from now on."""
        self.set_back = False
        shutil.rmtree(self._kept, ignore_errors=True)

    def come_back(self, *, older: bool = False) -> None:
        """It must find its place as it left it. `older`: as the backup, if there is one."""
        if not self.away:
            return
        self._clear_place()
        if older and self._kept.exists():
            self._diary.note(self.name, "store set back")
            self.set_back = True
            shutil.rmtree(self._aside)
            self._kept.rename(self._aside)
        self._aside.rename(self.path)
        with self._lock:
            self._away[-1].end = time.monotonic()
        self._diary.note(self.name, "store returns")

    def _clear_place(self) -> None:
        if not self.path.exists():
            return
        stray = sorted(str(path.relative_to(self.path)) for path in self.path.rglob("*"))
        if not stray:
            self.path.rmdir()
            return
        self._diary.find(self.name, f"written where the store is not: {stray[:5]}")
        self.path.rename(self.path.with_name(f"{self.name} stray {time.monotonic_ns()}"))

    @property
    def away(self) -> bool:
        return self.away_between(time.monotonic(), time.monotonic())

    def away_between(self, start: float, end: float, *, mount_point: bool = False) -> bool:
        """True when it was out of reach for a moment of that span (`time.monotonic`); with
        `mount_point` only when an empty directory stood there."""
        with self._lock:
            found = [each for each in self._away if each.start <= end and each.end >= start]
        return any(each.mount_point or not mount_point for each in found)
