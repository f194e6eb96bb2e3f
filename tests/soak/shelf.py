"""A directory store that comes and goes, as a disk that somebody unplugs."""

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
        self._aside = path.with_name(f"{path.name} away")
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

    def come_back(self) -> None:
        """It must find its place as it left it."""
        if not self.away:
            return
        self._clear_place()
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
