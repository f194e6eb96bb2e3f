"""The move of a whole directory, written as the manifest of the batch that it is.

A batch of ten thousand `mov` members says ten thousand times the same thing. Here its lines are
made from rows of the file index, byte for byte as `core.batch` writes them: by the device that
moved the directory, and by every other one to see whether this is what it reads.
"""

from collections.abc import Iterable, Sequence
from json.encoder import encode_basestring as _quote

from firnline.core.event import LINK, MAX_MTIME, Kind
from firnline.core.hashing import ALPHABET
from firnline.core.paths import MAX_DEPTH, MAX_PATH_BYTES

StandingRow = tuple[str, str, int, int, int, str, str, str]
"""A file or link that stands somewhere, as its row in the index has it: path, kind, size, time of
modification in nanoseconds, inode, flags, hash, base."""

_LINK_KIND = Kind.LINK.value
_PAIRS = [high + low for high in ALPHABET for low in ALPHABET]
"""Two digits of base32hex at once."""


def move_manifest(source: str, target: str, rows: Iterable[StandingRow]) -> bytes:
    """The manifest, without its header line, of the batch that moves exactly these files.

    The rows are in the order of path bytes, and below `source`.
    """
    start, goal = len(_quote(source)) - 1, _quote(target)[:-1]
    digit, pairs, quote = ALPHABET, _PAIRS, _quote
    lines = []
    for path, kind, size, mtime_ns, _, flags, data_hash, base in rows:
        ms = mtime_ns // 1_000_000
        if kind == _LINK_KIND:
            ms, flags = 0, LINK
        elif not 0 <= ms <= MAX_MTIME:
            ms = min(max(ms, 0), MAX_MTIME)
        origin = quote(path)
        lines.append(
            f'{{"flags":"{flags}","from":{origin},"hash":"{data_hash}",'
            f'"mtime":"{digit[ms >> 40]}{pairs[ms >> 30 & 1023]}{pairs[ms >> 20 & 1023]}'
            f'{pairs[ms >> 10 & 1023]}{pairs[ms & 1023]}","offset":null,"op":"mov",'
            f'"parent":"{base}","path":{goal}{origin[start:]},"size":{size}}}\n'
        )
    return "".join(lines).encode()


def has_short_paths(lines: Sequence[bytes]) -> bool:
    """True when no path in these lines of a manifest can be too long or too deep: its parts are
    known, and only their sum is new."""
    if max(map(len, lines)) <= 2 * MAX_DEPTH:
        # A part takes two bytes with the slash before it.
        return True
    return all(len(line) <= MAX_PATH_BYTES and line.count(b"/") <= MAX_DEPTH for line in lines)
