"""What happened, one JSON line each, and what was found wrong.

The lines are written at once, so that they are there when the run is stopped. Several threads
write.
"""

import json
import threading
import time
from collections import Counter
from pathlib import Path

SHOWN = 40
"""Findings that are kept in memory; one fault may show itself at every file."""


class Diary:
    """The record of a run, in `path`; lines of earlier runs stay."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", encoding="utf-8")
        self._lock = threading.Lock()
        self._start = time.monotonic()
        self.counts: Counter[str] = Counter()
        self.findings: list[str] = []

    def note(self, who: str, what: str, **details: object) -> None:
        """One act of one person, device or store. `details` are values that JSON knows."""
        seconds = round(time.monotonic() - self._start, 3)
        line = json.dumps({"at": seconds, "who": who, "what": what, **details}, default=str)
        with self._lock:
            self.counts[what] += 1
            self._file.write(line + "\n")
            self._file.flush()

    def find(self, who: str, text: str) -> None:
        """Something is wrong."""
        self.note(who, "finding", text=text)
        with self._lock:
            if len(self.findings) < SHOWN:
                self.findings.append(f"{who}: {text}")

    def close(self) -> None:
        self._file.close()
