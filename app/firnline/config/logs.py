"""The log of a profile: where what happened is told to whoever has to look into it.

One line a record, `2026-11-22T08:26:00.123456Z INFO firnline.sync.puller: …`, UTC. Nothing in a
record can pass for another line, and secrets are taken out of the finished text, so that those in
arguments, tracebacks and libraries' own messages are met too (a `logging.Filter` would see a
record before its traceback is text).

Setting up imports and opens nothing: both wait for the first record.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from firnline.config.redaction import redact
from firnline.config.settings import Settings

FILE_NAME = "firnline.log"

_BIDI = (0x61C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
_INVISIBLE = (*range(32), *range(127, 160), 0x2028, 0x2029, *_BIDI)
_CONTROLS = {code: chr(code).encode("unicode_escape").decode() for code in _INVISIBLE}
_CONTROLS_BUT_LINE_ENDS = {code: shown for code, shown in _CONTROLS.items() if code != ord("\n")}


class SafeFormatter(logging.Formatter):
    """Formats a record as one line without secrets, and a traceback as indented lines below."""

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        line = f"{time} {record.levelname} {record.name}: {record.getMessage()}"
        text = line.translate(_CONTROLS)
        if record.exc_info:
            text += _indented(self.formatException(record.exc_info))
        if record.stack_info:
            text += _indented(self.formatStack(record.stack_info))
        return redact(text)


class _FileOnFirstRecord(logging.Handler):
    """Stands for the log file until there is something to write to it."""

    def __init__(self, path: Path, size: int, count: int) -> None:
        super().__init__()
        self._arguments = (path, size, count)
        self._file: logging.Handler | None = None

    def emit(self, record: logging.LogRecord) -> None:
        if self._file is None:
            from firnline.config.log_file import LogFile

            self._file = LogFile(*self._arguments)
            self._file.setFormatter(SafeFormatter())
        self._file.handle(record)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
        super().close()


@contextmanager
def logging_to(directory: Path, settings: Settings) -> Iterator[None]:
    """Inside, what any logger says goes to `firnline.log` in `directory`, as the settings say.

    Neither the directory nor the file is made before the first record.
    """
    root = logging.getLogger()
    level = root.level
    handler = _FileOnFirstRecord(directory / FILE_NAME, settings.log_size, settings.log_count)
    root.addHandler(handler)
    root.setLevel(settings.log_level.upper())
    try:
        yield
    finally:
        root.setLevel(level)
        root.removeHandler(handler)
        handler.close()


def _indented(text: str) -> str:
    lines = text.translate(_CONTROLS_BUT_LINE_ENDS).split("\n")
    return "".join(f"\n    {line}" for line in lines)
