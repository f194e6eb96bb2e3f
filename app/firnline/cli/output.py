"""The only place that prints: results on standard output, messages on standard error.

People's output goes through `shown`, so that a name from a store cannot move the cursor, forge a
line or turn the reading direction. JSON is plain ASCII and says the same names as they are.
"""

import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

# Marks that turn the reading direction, and what takes no place on a screen.
_INVISIBLE = (
    *(0xAD, 0x61C, 0x180E, 0x200B, 0x200E, 0x200F, 0xFEFF, 0xFFF9, 0xFFFA, 0xFFFB),
    *(*range(0x2028, 0x202F), *range(0x2060, 0x2070), *range(0xE0000, 0xE0080)),
)
# Joiners, which some scripts need between two of their letters; beside ASCII they only hide.
_JOINER = "(?<![^\0-\x7f])[\u200c\u200d]|[\u200c\u200d](?![^\0-\x7f])"


def _escape(character: str) -> str:
    return ascii(character)[1:-1]


_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_ESCAPES = {
    ord(character): _NAMED.get(character) or f"\\x{ord(character):02x}"
    for character in map(chr, (*range(0x20), *range(0x7F, 0xA0)))
} | {code: _escape(chr(code)) for code in _INVISIBLE}


class Listeners(NamedTuple):
    """Who gets what is said, in place of the standard streams."""

    output: Callable[[str], None]
    message: Callable[[str], None]


_listeners: ContextVar[Listeners | None] = ContextVar("listeners", default=None)


@contextmanager
def said_to(listeners: Listeners) -> Iterator[None]:
    """Inside, what this thread says goes there: the command is somebody else's."""
    token = _listeners.set(listeners)
    try:
        yield
    finally:
        _listeners.reset(token)


def prepare() -> None:
    """To be called once, first: what a terminal cannot write is written as an escape."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def shown(text: str) -> str:
    """`text` on one line and harmless: control characters, line ends, bidirectional overrides,
    what nobody can see and bytes that are no Unicode are written as escapes."""
    escaped = text.translate(_ESCAPES)
    if escaped.isascii():
        return escaped
    escaped = re.sub(_JOINER, lambda match: _escape(match[0]), escaped)
    return escaped.encode("utf-8", "backslashreplace").decode()


def line(text: str = "") -> None:
    """A line of a result. What comes from files or stores in it has to be `shown` already."""
    _print(text)


def content(text: str) -> None:
    """A line of somebody's text: harmless on a terminal, and as it is for another program."""
    safe = _listeners.get() is None and sys.stdout.isatty()
    _print(shown(text).replace("\\t", "\t") if safe else text)


def message(text: str) -> None:
    """A line for the person at the screen, on standard error."""
    listeners = _listeners.get()
    if listeners is not None:
        listeners.message(f"{text}\n")
    else:
        print(text, file=sys.stderr, flush=True)


def document(value: Any) -> None:
    """The one JSON document of a command."""
    import json

    _print(json.dumps(value, indent=2))


def record(value: Any) -> None:
    """One JSON object of a command that writes one per line."""
    import json

    _print(json.dumps(value))


def table(rows: Sequence[tuple[str, ...]], heads: tuple[str, ...] = ()) -> None:
    """Aligned columns; `heads` above them when there is a row at all."""
    if not rows:
        return
    cells = [heads, *rows] if heads else rows
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    for row in cells:
        _print("  ".join(map(str.ljust, row, widths)).rstrip())


def relay(text: str) -> None:
    """Part of a result of which somebody else made the lines."""
    sys.stdout.write(text)
    sys.stdout.flush()


def relay_message(text: str) -> None:
    """Part of the messages of somebody else's command."""
    sys.stderr.write(text)
    sys.stderr.flush()


def _print(text: str) -> None:
    listeners = _listeners.get()
    if listeners is not None:
        listeners.output(f"{text}\n")
    else:
        print(text)


def write_bytes(chunk: bytes) -> None:
    """Bytes of a file, as they are."""
    sys.stdout.buffer.write(chunk)


def flush() -> None:
    """Raises BrokenPipeError when the reader went away, and OSError when the disk is full."""
    if _listeners.get() is None:
        sys.stdout.flush()


def drop_output() -> None:
    """The reader of standard output is gone: nothing more is written to it, not even at exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def to_terminal() -> bool:
    """True when somebody watches standard error."""
    return _listeners.get() is None and sys.stderr.isatty()


def can_ask() -> bool:
    """True when somebody can be asked, and sees what."""
    return to_terminal() and sys.stdin is not None and sys.stdin.isatty()


def ask(question: str) -> str:
    """What the person at the screen types; '' when they end the input."""
    print(question, end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip()


def ask_hidden(question: str) -> str | None:
    """What the person at the screen types, who does not see it; None when they end the input, or
    where the terminal cannot be kept from showing it."""
    import getpass
    import warnings

    with warnings.catch_warnings():
        # Of getpass: it would go on and show what is typed.
        warnings.simplefilter("error", getpass.GetPassWarning)
        try:
            return getpass.getpass(question)
        except (EOFError, getpass.GetPassWarning):
            print(file=sys.stderr, flush=True)
            return None


def terminal_width() -> int:
    """Columns of the terminal that shows standard error; 0 where none is known."""
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns
    except (OSError, ValueError):
        return 0


def size_text(count: int) -> str:
    """Bytes for people: `512 B`, `1.4 KiB`, `2.0 GiB`."""
    if count < 1024:
        return f"{count} B"
    value = float(count)
    for unit in ("KiB", "MiB", "GiB", "TiB"):
        value /= 1024
        if value < 1024:
            return f"{value:.1f} {unit}"
    return f"{value / 1024:.1f} PiB"


def count_text(count: int, one: str, many: str = "") -> str:
    """`1 file`, `2 files`, `12,345 files`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
