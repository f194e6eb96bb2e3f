"""The grammar of paths, and conversions between a path and its local form.

A path is relative to the folder, NFC, `/` between its parts and none at the ends; the folder's
root is the empty string. The same grammar guards everything that comes from a store
(docs/design.md section 11; the rules are those of a hostile store, not of a friendly one).
"""

import re
import unicodedata

MAX_PATH_BYTES = 4096
MAX_PART_BYTES = 255
MAX_DEPTH = 256
_MAX_EXTENSION_BYTES = 64

OWN_DIRECTORY = ".firnline"
"""The marker directory in a folder's root. Never synced, in any case and with any trailing dots."""

TEMPORARY_PREFIX = ".firnline-tmp-"
"""Files of our own that may stand beside people's files for a moment."""


# Paths that no rule below refuses, and nearly all that there are: checked by the ten thousand.
_PART = "[A-Za-z0-9_][A-Za-z0-9_.+ ()-]*"
_ORDINARY = re.compile(f"{_PART}(?:/{_PART})*")

_MOST_QUOTED = 80


class BadPathError(ValueError):
    """A path that the grammar refuses; the message says which rule it breaks."""


def normalize(path: str) -> str:
    """The NFC form. ASCII is NFC already, and most paths are ASCII."""
    return path if path.isascii() else unicodedata.normalize("NFC", path)


def check_path(path: str) -> str:
    """`path`, if the grammar allows it as the path of something inside a folder.

    Raises BadPathError. The root itself (the empty string) is refused: nobody may delete, move or
    write it.
    """
    if len(path) <= MAX_PART_BYTES and _ORDINARY.fullmatch(path):
        return path
    if not path:
        raise BadPathError("an empty path")
    encoded_length = len(path) if path.isascii() else _encoded_length(path)
    if encoded_length > MAX_PATH_BYTES:
        raise BadPathError(f"longer than {MAX_PATH_BYTES} bytes")
    if "\0" in path:
        raise BadPathError("holds a NUL character")
    if normalize(path) != path:
        raise BadPathError("not in Unicode's NFC form")
    parts = path.split("/")
    if len(parts) > MAX_DEPTH:
        raise BadPathError(f"more than {MAX_DEPTH} levels deep")
    for part in parts:
        _check_part(part, long=encoded_length > MAX_PART_BYTES)
    if is_own(parts):
        raise BadPathError("a name that Firnline keeps for itself")
    return path


def quoted(path: str) -> str:
    """A path of any origin for a message: what could harm is escaped, and it is cut after 80
    characters."""
    shown = ascii(path[:_MOST_QUOTED])
    return shown if len(path) <= _MOST_QUOTED else f"{shown[:-1]}...{shown[-1]}"


def _encoded_length(path: str) -> int:
    try:
        return len(path.encode())
    except UnicodeEncodeError as error:
        raise BadPathError("not valid Unicode") from error


def _check_part(part: str, *, long: bool) -> None:
    if part in ("", ".", ".."):
        raise BadPathError("an empty, '.' or '..' part")
    if long and len(part.encode()) > MAX_PART_BYTES:
        raise BadPathError(f"a part of more than {MAX_PART_BYTES} bytes")


def is_own(parts: list[str]) -> bool:
    """True when one of the parts is a name that is never synced (docs/design.md section 7)."""
    return any(is_own_name(part) for part in parts)


def is_own_name(name: str) -> bool:
    """True for `.firnline` in any case or with trailing dots, and for our temporary names.

    Characters that HFS+ ignores in a name are ignored here as well: `.firn\\u200cline` is the
    marker to such a file system.
    """
    if "." not in name[:1] and name.isascii():
        return False
    folded = name.translate(_IGNORED_BY_HFS).casefold().rstrip(". ")
    return folded == OWN_DIRECTORY or folded.startswith(TEMPORARY_PREFIX)


_IGNORED_BY_HFS = dict.fromkeys(
    [*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x206A, 0x2070), 0xFEFF]
)


def split_extension(leaf: str) -> tuple[str, str]:
    """Stem and extension: from the last dot on, none when that is the first character or the
    extension is over 64 bytes (docs/design.md section 11, *Conflict copy*)."""
    dot = leaf.rfind(".")
    if dot <= 0 or len(leaf[dot:].encode("utf-8", "surrogateescape")) > _MAX_EXTENSION_BYTES:
        return leaf, ""
    return leaf[:dot], leaf[dot:]


def parent_of(path: str) -> str:
    """The directory that holds `path`; the root for a path of one part."""
    return path.rpartition("/")[0]


def leaf_of(path: str) -> str:
    """The last part of `path`."""
    return path.rpartition("/")[2]


def ancestors(path: str) -> list[str]:
    """All directories above `path` but the root, the outermost first."""
    parts = path.split("/")[:-1]
    return ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]


def common_directory(paths: list[str]) -> str:
    """The deepest directory that holds every path."""
    low, high = min(paths).split("/")[:-1], max(paths).split("/")[:-1]
    shared = 0
    for left, right in zip(low, high, strict=False):
        if left != right:
            break
        shared += 1
    return "/".join(low[:shared])


def directory_pairs(source: str, target: str) -> list[tuple[str, str]]:
    """Directory pairs that could carry this move, the outermost first."""
    found = []
    while True:
        source, _, source_leaf = source.rpartition("/")
        target, _, target_leaf = target.rpartition("/")
        if not source or not target or source_leaf != target_leaf or source == target:
            break
        found.append((source, target))
    usable = [(s, t) for s, t in found if not t.startswith(s + "/") and not s.startswith(t + "/")]
    return usable[::-1]
