"""Two versions of one file, compared line by line."""

from collections.abc import Iterator
from dataclasses import dataclass

from firnline.core.entry import Entry
from firnline.history.moments import format_time_of
from firnline.sync.bodies import open_content
from firnline.sync.context import FolderContext

TEXT_LIMIT = 2**20
"""Bytes of the largest file that is compared: the time may grow with the square of the lines."""
NO_NEWLINE = "\\ No newline at end of file"


@dataclass(frozen=True, slots=True)
class TextDiff:
    """Two versions of one file; None where there was no file."""

    path: str
    before: Entry | None
    after: Entry | None
    lines: list[str] | None
    """A unified diff, its lines without newlines; empty where only flags or nothing changed.
    None: a side is no UTF-8 text, or is larger than `TEXT_LIMIT`."""

    def to_json(self) -> dict[str, object]:
        return {
            "path": self.path,
            "before": version_json(self.before),
            "after": version_json(self.after),
            "lines": self.lines,
        }


def version_json(entry: Entry | None) -> dict[str, object] | None:
    """One side of a comparison for programs."""
    if entry is None:
        return None
    return {"event": entry.event, "path": entry.path, "hash": entry.data_hash, "size": entry.size}


def text_diff(
    context: FolderContext, path: str, before: Entry | None, after: Entry | None
) -> TextDiff:
    """Compare two versions. Raises ContentMissingError where a text is in no place in reach."""
    if before is not None and after is not None and before.content[:2] == after.content[:2]:
        return TextDiff(path, before, after, [])
    old, new = _lines(context, before), _lines(context, after)
    if old is None or new is None:
        return TextDiff(path, before, after, None)
    return TextDiff(path, before, after, list(_unified(before, old, after, new)))


def _unified(
    before: Entry | None, old: list[str], after: Entry | None, new: list[str]
) -> Iterator[str]:
    for line in _compare(old, new, *_title(before), *_title(after)):
        yield line.removesuffix("\n")
        if not line.endswith("\n"):
            yield NO_NEWLINE


def _compare(
    old: list[str], new: list[str], old_name: str, old_time: str, new_name: str, new_time: str
) -> Iterator[str]:
    from difflib import unified_diff

    return unified_diff(old, new, old_name, new_name, old_time, new_time)


def _title(entry: Entry | None) -> tuple[str, str]:
    return ("/dev/null", "") if entry is None else (entry.path, format_time_of(entry.event))


def _lines(context: FolderContext, entry: Entry | None) -> list[str] | None:
    """The lines of a text with their newlines; only `\\n` ends one. None for what is no text."""
    if entry is None:
        return []
    if entry.size > TEXT_LIMIT:
        return None
    content = b"".join(open_content(context, entry.data_hash, entry.size))
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return None
    if "\0" in text:
        return None
    *whole, rest = text.split("\n")
    return [f"{line}\n" for line in whole] + ([rest] if rest else [])
