"""Where in a TOML text each key stands: tomllib tells values, not places.

Used to name the line of a mistake and to change a file at one place only. Assumes a text that
tomllib has accepted, so it looks for the ends of things and judges nothing; keys are decoded by
tomllib itself, so both read the same names.
"""

import re
import tomllib
from typing import NamedTuple

from firnline.config.key_paths import KeyPath

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_REST_OF_LINE = re.compile(r"[ \t\r]*(?:#[^\n]*)?(?:\n|\Z)")
_QUOTED = r'"(?:[^"\\\n]|\\.)*"' + r"|'[^'\n]*'"
_KEY_PART = rf"(?:{_QUOTED}|[A-Za-z0-9_-]+)"
_DOTTED_KEY = re.compile(rf"{_KEY_PART}(?:[ \t]*\.[ \t]*{_KEY_PART})*")
_STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}' + r"|'''.*?'{3,5}|" + _QUOTED,
    re.DOTALL,
)
_BARE_VALUE = re.compile(r"[^,\]}#\s]+(?: [0-9][^,\]}#\s]*)?")  # a date and its time, or one word


class Statement(NamedTuple):
    """One `[header]` or one `key = value`, with the lines that it takes up."""

    path: KeyPath
    is_header: bool
    start: int
    """Offset of the line it begins on."""
    end: int
    """Offset behind its last line, the comment on that line and the line's end included."""
    value_start: int
    value_end: int
    """The value as it is written; empty for a header."""


def line_of(text: str, path: KeyPath) -> int | None:
    """The line, from 1, of the key at `path`, or of the nearest table around it.

    None when the text has neither.
    """
    try:
        offsets = _Scan(text).offsets
    except RecursionError:
        return None
    for length in range(len(path), 0, -1):
        if (offset := offsets.get(path[:length])) is not None:
            return text.count("\n", 0, offset) + 1
    return None


def statements(text: str) -> list[Statement]:
    """The headers and key-value pairs of `text`, in their order."""
    return _Scan(text).statements


class _Scan:
    """One walk through a text; `offsets` holds the first place of each key and array element."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self.offsets: dict[KeyPath, int] = {}
        self.statements: list[Statement] = []
        self._document()

    def _document(self) -> None:
        table: KeyPath = ()
        self._skip(_BLANK)
        while self._at < len(self._text):
            self.statements.append(self._statement(table))
            if self.statements[-1].is_header:
                table = self.statements[-1].path
            self._skip(_BLANK)

    def _statement(self, table: KeyPath) -> Statement:
        line_start = self._text.rfind("\n", 0, self._at) + 1
        is_header = self._text[self._at] == "["
        if is_header:
            path = self._header()
            value_start = self._at
        else:
            path = self._key_and_equals(table)
            value_start = self._at
            self._value(path)
        value_end = self._at
        self._skip(_REST_OF_LINE)
        return Statement(path, is_header, line_start, self._at, value_start, value_end)

    def _header(self) -> KeyPath:
        while self._text[self._at] in "[ \t":
            self._at += 1
        path = self._key(())
        while self._text[self._at : self._at + 1] in ("]", " ", "\t"):
            self._at += 1
        return path

    def _key_and_equals(self, table: KeyPath) -> KeyPath:
        path = self._key(table)
        self._skip(_BLANK)
        self._at += len("=")
        self._skip(_BLANK)
        return path

    def _key(self, table: KeyPath) -> KeyPath:
        start = self._at
        self._skip(_DOTTED_KEY)
        path = table + _names_in(self._text[start : self._at])
        self._record(path, start)
        return path

    def _value(self, path: KeyPath) -> None:
        match self._text[self._at]:
            case "[":
                self._array(path)
            case "{":
                self._inline_table(path)
            case '"' | "'":
                self._skip(_STRING)
            case _:
                self._skip(_BARE_VALUE)

    def _array(self, path: KeyPath) -> None:
        index = 0
        while self._next_element("]"):
            self._record((*path, index), self._at)
            self._value((*path, index))
            index += 1

    def _inline_table(self, path: KeyPath) -> None:
        while self._next_element("}"):
            self._value(self._key_and_equals(path))

    def _next_element(self, closing: str) -> bool:
        """Step from an opening bracket or the end of an element to the next; behind the closing
        bracket when there is none."""
        if self._text[self._at] in "[{":
            self._at += 1
        self._skip(_BLANK)
        if self._text[self._at] == ",":
            self._at += 1
            self._skip(_BLANK)
        if self._text[self._at] != closing:
            return True
        self._at += 1
        return False

    def _record(self, path: KeyPath, offset: int) -> None:
        for length in range(1, len(path) + 1):
            self.offsets.setdefault(path[:length], offset)

    def _skip(self, pattern: re.Pattern[str]) -> None:
        found = pattern.match(self._text, self._at)
        assert found is not None, "tomllib has accepted this text"
        self._at = found.end()


def _names_in(key: str) -> KeyPath:
    """The parts of a dotted key, as tomllib reads them."""
    value = tomllib.loads(f"{key} = 0")
    names: list[str] = []
    while isinstance(value, dict):
        name, value = next(iter(value.items()))
        names.append(name)
    return tuple(names)
