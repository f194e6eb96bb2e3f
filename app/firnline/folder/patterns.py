"""gitignore rules, matched in time that grows no faster than pattern times path.

The file of patterns is synced like any other, so it may come from somebody hostile. The usual
translation of `*` into a regular expression tries all ways to share out a name among the stars:
`*a*a*a*a*b` takes a second for one name, each further star a hundred times that. Here each star
takes the first place where what follows it fits, and never thinks again (atomic groups): what
stands between two stars has a fixed length, so the first place is as good as any later one. The
same holds for `**` and the directories between two of them.

Rules as in gitignore(5): `#` comments, `!` takes back, a `/` at the end means directories, one at
the beginning or in the middle ties the pattern to the root, the last pattern that matches wins.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

_CLASSES = {
    "alnum": "a-zA-Z0-9",
    "alpha": "a-zA-Z",
    "blank": " \\t",
    "cntrl": "\\x00-\\x1f\\x7f",
    "digit": "0-9",
    "graph": "\\x21-\\x2e\\x30-\\x7e",
    "lower": "a-z",
    "print": "\\x20-\\x2e\\x30-\\x7e",
    "punct": "\\x21-\\x2e\\x3a-\\x40\\x5b-\\x60\\x7b-\\x7e",
    "space": "\\s",
    "upper": "A-Z",
    "xdigit": "a-fA-F0-9",
}
_NAMED_CLASS = re.compile(r"\[:([a-z]*):\]")
_MANY = "(?:[^/]+/)*?"
_MAX_LENGTH = 4096


class BadPatternError(ValueError):
    """A line that is no pattern; the message says why."""


class Pattern(NamedTuple):
    """One line."""

    expression: str
    """A regular expression for the whole path, or for the last part alone."""
    by_name: bool
    takes_back: bool
    directories_only: bool


def parse_line(line: str) -> Pattern | None:
    """None for a line without a pattern. Raises BadPatternError."""
    text = _trim(line)
    if not text or text.startswith("#"):
        return None
    if len(text) > _MAX_LENGTH:
        raise BadPatternError("longer than any path")
    takes_back = text.startswith("!")
    if takes_back:
        text = text[1:]
    directories_only = text.endswith("/")
    if directories_only:
        text = text[:-1]
    by_name = "/" not in text
    text = text.removeprefix("/")
    if not text:
        raise BadPatternError("matches nothing")
    expression = _part(text) if by_name else _path(text.split("/"))
    return Pattern(expression, by_name, takes_back, directories_only)


def _trim(line: str) -> str:
    """Without the line's end, and without trailing spaces that no backslash protects."""
    text = line.rstrip("\r\n")
    while text.endswith(" ") and not _protected(text):
        text = text[:-1]
    return text


def _protected(text: str) -> bool:
    before = text[:-1]
    return (len(before) - len(before.rstrip("\\"))) % 2 == 1


def _path(parts: list[str]) -> str:
    """Runs of parts between `**`; each run but the last takes the first place where it fits."""
    runs: list[list[str]] = [[]]
    for part in parts:
        if len(part) > 1 and not part.strip("*"):
            runs.append([])
        else:
            runs[-1].append(_part(part))
    *leading, last = runs
    expression = ""
    for index, run in enumerate(leading):
        below = "".join(f"{part}/" for part in run)
        if index == 0:
            expression = below
        elif run:
            expression += f"(?>{_MANY}{below})"
    if not leading:
        return "/".join(last)
    if not last:
        return f"{expression}.+"
    return f"{expression}{_MANY}{'/'.join(last)}"


def _part(text: str) -> str:
    """One part of a path: what stands between stars, each in an atomic group."""
    chunks = [""]
    position = 0
    while position < len(text):
        token, position = _token(text, position)
        if token == "*":
            chunks.append("")
        else:
            chunks[-1] += token
    first, *rest = chunks
    if not rest:
        return first
    middle = "".join(f"(?>[^/]*?{chunk})" for chunk in rest[:-1] if chunk)
    return f"(?>{first}{middle}[^/]*{rest[-1]}(?=/|\\Z))"


def _token(text: str, position: int) -> tuple[str, int]:
    """The expression for one character of the pattern, `*` for a star; where the next begins."""
    character = text[position]
    if character == "*":
        return "*", position + 1
    if character == "?":
        return "[^/]", position + 1
    if character == "[":
        return _bracket(text, position + 1)
    if character == "\\":
        if position + 1 == len(text):
            raise BadPatternError("ends in a backslash")
        return re.escape(text[position + 1]), position + 2
    return re.escape(character), position + 1


def _bracket(text: str, position: int) -> tuple[str, int]:
    negated = text[position : position + 1] in ("!", "^")
    if negated:
        position += 1
    members = ""
    first = True
    while first or text[position : position + 1] != "]":
        member, position = _member(text, position)
        members += member
        first = False
    # A bracket never matches the slash between two parts, whatever it says.
    return f"(?!/)[{'^' if negated else ''}{members}]", position + 1


def _member(text: str, position: int) -> tuple[str, int]:
    """One character, range or named class inside a bracket."""
    named = _NAMED_CLASS.match(text, position)
    if named:
        if named[1] not in _CLASSES:
            raise BadPatternError(f"no such class: {named[0]}")
        return _CLASSES[named[1]], named.end()
    low, position = _character(text, position)
    if text[position : position + 1] == "-" and text[position + 1 : position + 2] not in ("]", ""):
        high, position = _character(text, position + 1)
        if high < low:
            raise BadPatternError("a range from high to low")
        return f"{_literal(low)}-{_literal(high)}", position
    return _literal(low), position


def _character(text: str, position: int) -> tuple[str, int]:
    if text[position : position + 1] == "\\":
        position += 1
    if position >= len(text):
        raise BadPatternError("a bracket without an end")
    return text[position], position + 1


def _literal(character: str) -> str:
    return f"\\U{ord(character):08x}"


class Rules:
    """All patterns of a file, joined so that few expressions are tried for each path."""

    def __init__(self, patterns: Iterable[Pattern]) -> None:
        groups: list[tuple[bool, list[Pattern]]] = []
        for pattern in patterns:
            if not groups or groups[-1][0] is not pattern.takes_back:
                groups.append((pattern.takes_back, []))
            groups[-1][1].append(pattern)
        # The last pattern that matches wins, so the last group is asked first.
        self._groups = [(takes_back, _Group(found)) for takes_back, found in reversed(groups)]

    def __bool__(self) -> bool:
        return bool(self._groups)

    def match(self, path: str, is_directory: bool) -> bool:
        """Of `path` itself; whether a directory above it is ignored is not asked here."""
        name = path.rpartition("/")[2]
        for takes_back, group in self._groups:
            if group.match(path, name, is_directory):
                return not takes_back
        return False


class _Group:
    """Patterns of which it does not matter which one matches."""

    def __init__(self, patterns: list[Pattern]) -> None:
        self._names = _join(p for p in patterns if p.by_name and not p.directories_only)
        self._paths = _join(p for p in patterns if not p.by_name and not p.directories_only)
        self._directory_names = _join(p for p in patterns if p.by_name and p.directories_only)
        self._directory_paths = _join(p for p in patterns if not p.by_name and p.directories_only)

    def match(self, path: str, name: str, is_directory: bool) -> bool:
        if self._names.fullmatch(name) or self._paths.fullmatch(path):
            return True
        return is_directory and bool(
            self._directory_names.fullmatch(name) or self._directory_paths.fullmatch(path)
        )


def _join(patterns: Iterable[Pattern]) -> re.Pattern[str]:
    """Matches nothing where there are none."""
    expressions = [f"(?:{pattern.expression})" for pattern in patterns]
    return re.compile("|".join(expressions) or "(?!)", re.DOTALL)
