"""Changes of a TOML text that leave all else as a person wrote it: order, comments, spacing.

tomlkit reads and writes single values here. Where lines come and go, the text itself is changed:
tomlkit counts a comment above a `[header]` to the table before it, so a new key would come
between the two, and a removed table would take the next one's comment along.

Assumes a text that tomllib has accepted. Whether the result means what it should is for the
caller to check; `config.edits` reads it back before it writes.
"""

import tomllib
from typing import Any

from firnline.config.key_paths import KeyPath
from firnline.config.key_positions import Statement, statements
from firnline.config.schema import Value

NamePath = tuple[str, ...]


def with_value(text: str, path: NamePath, value: Value) -> str:
    """`text` with `value` at `path`, which is there already or is new; a dict is a table."""
    found = statements(text)
    for pair in found:
        if not pair.is_header and path[: len(pair.path)] == pair.path:
            written = text[pair.value_start : pair.value_end]
            changed = _with_value_inside(written, path[len(pair.path) :], value)
            return text[: pair.value_start] + changed + text[pair.value_end :]
    if isinstance(value, dict):
        return _with_section(text, path, value)
    return _with_key(text, found, path, value)


def without(text: str, path: NamePath) -> str:
    """`text` without the key or table at `path`, which is there; the comments around it stay."""
    found = statements(text)
    for pair in found:
        if not pair.is_header and path[: len(pair.path)] == pair.path != path:
            written = text[pair.value_start : pair.value_end]
            changed = _without_inside(written, path[len(pair.path) :])
            return text[: pair.value_start] + changed + text[pair.value_end :]
    for start, end in reversed(_spans(found, path)):
        rest = text[end:]
        if not start or text[:start].endswith(("\n\n", "\n\r\n")):
            rest = rest.lstrip("\r\n")
        text = text[:start] + rest
    return text


def _with_value_inside(written: str, path: NamePath, value: Value) -> str:
    """One value as it is written, with `value` at `path` in it; in its place for an empty path."""
    import tomlkit
    from tomlkit.items import Array

    present = tomlkit.value(written)
    if path:
        _inside(present, path[:-1])[path[-1]] = value
        return present.as_string()
    if isinstance(value, list) and isinstance(present, Array):
        # What stays in an array keeps its line and its comment.
        for gone in [each for each in present if each not in value]:
            present.remove(gone)
        present.extend(each for each in value if each not in present)
        if _meaning(present.as_string()) == value:
            return present.as_string()
    return tomlkit.item(value).as_string()


def _meaning(written: str) -> object:
    """What tomllib reads in a value. tomlkit loses commas of arrays with comments in odd places."""
    try:
        return tomllib.loads(f"value = {written}")["value"]
    except tomllib.TOMLDecodeError:
        return None


def _without_inside(written: str, path: NamePath) -> str:
    import tomlkit

    whole = tomlkit.value(written)
    del _inside(whole, path[:-1])[path[-1]]
    return whole.as_string()


def _inside(table: Any, path: NamePath) -> Any:
    for name in path:
        table = table.setdefault(name, {})
    return table


def _with_section(text: str, path: NamePath, values: dict[str, Any]) -> str:
    """A new `[table]` goes to the end, where no comment can be taken for that of another."""
    import tomlkit

    for name in reversed(path):
        values = {name: values}
    gap = "\n" if text.strip() else ""
    return _insert(text, len(text), gap + tomlkit.dumps(values))


def _with_key(text: str, found: list[Statement], path: NamePath, value: Value) -> str:
    """A new key goes behind the last one of its table; a table that is not there is made."""
    import tomlkit

    parent = path[:-1]
    header: KeyPath = ()
    place: tuple[int, int] | None = None
    for statement in found:
        if statement.is_header:
            header = statement.path
        dotted = not statement.is_header and statement.path[: len(parent)] == parent
        if header == parent or dotted:
            place = statement.end, len(header)
    if place is None:
        return _with_section(text, parent, {path[-1]: value})
    offset, depth = place
    key = tomlkit.key(list(path[depth:])).as_string()
    return _insert(text, offset, f"{key} = {tomlkit.item(value).as_string()}\n")


def _insert(text: str, offset: int, lines: str) -> str:
    before = text[:offset]
    if before and not before.endswith("\n"):
        lines = f"\n{lines}"
    if "\r\n" in text:
        lines = lines.replace("\n", "\r\n")
    return before + lines + text[offset:]


def _spans(found: list[Statement], path: NamePath) -> list[tuple[int, int]]:
    """Where `path` is in the text: whole sections, and lines in the sections of others."""
    spans: list[tuple[int, int]] = []
    inside = False
    for statement in found:
        belongs = statement.path[: len(path)] == path
        if statement.is_header:
            inside = belongs
        if inside and not statement.is_header:
            spans[-1] = spans[-1][0], statement.end
        elif belongs:
            spans.append((statement.start, statement.end))
    return spans
