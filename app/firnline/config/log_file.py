"""The rotated log file itself; imported with its `logging.handlers` when there is a first record.

Files are made 0600 and their directory 0700. A log that cannot be written never stops the program
and is told once.
"""

import logging
import sys
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path

from firnline.config.private_files import make_private_directory, private_opener


class LogFile(RotatingFileHandler):
    """Appends to `path`; at `size` bytes it becomes `path`.1, and so on, `count` of them."""

    def __init__(self, path: Path, size: int, count: int) -> None:
        super().__init__(path, maxBytes=size, backupCount=count, encoding="utf-8", delay=True)
        self._complained = False

    def _open(self) -> TextIOWrapper:
        path = Path(self.baseFilename)
        make_private_directory(path.parent)
        return open(path, "a", encoding="utf-8", errors="backslashreplace", opener=private_opener)

    def handleError(self, record: logging.LogRecord) -> None:
        self._complain(sys.exc_info()[1])

    def close(self) -> None:
        """What was held back for lack of space is written now, or not at all."""
        try:
            super().close()
        except OSError as error:
            self._complain(error)

    def _complain(self, error: BaseException | None) -> None:
        if self._complained or sys.stderr is None:
            return
        self._complained = True
        sys.stderr.write(f"the log {self.baseFilename} cannot be written: {error}\n")
