"""What one file system can hold, and the name that a path part gets where it cannot.

Names in the log stay as they are; a device whose file system cannot hold one keeps the file under
an *alias* (docs/design.md section 3, docs/decisions/0007). An alias follows from the name alone, so
that another order, a restart or another device choose the same; and it can be held everywhere, so
that a folder may be carried to another disk. Pure.
"""

import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from firnline.core.hashing import PLAIN
from firnline.core.paths import MAX_PART_BYTES, normalize, split_extension

_TAG = 8
"""Characters of the hash in an alias: 40 bits."""
MAX_ALIAS_BYTES = 143
"""The shortest limit that is met: file systems that encrypt names."""

WINDOWS_KEEPS = '<>:"|?*\\'
CONTROLS = "".join(map(chr, range(1, 32)))
_REPLACED = str.maketrans(dict.fromkeys(WINDOWS_KEEPS + CONTROLS + "/\0", "_"))
_RESERVED_STEMS = frozenset(
    ["con", "prn", "aux", "nul", "conin$", "conout$"]
    + [stem + digit for stem in ("com", "lpt") for digit in "0123456789\u00b9\u00b2\u00b3"]
)


class Fold(StrEnum):
    """Which names that differ only by case are one name."""

    NONE = "none"
    SIMPLE = "simple"
    """Letter by letter (FAT, NTFS)."""
    FULL = "full"
    """As Unicode folds: `straße` and `STRASSE` are one (ext4 with casefold, APFS)."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What names a file system can hold."""

    fold: Fold = Fold.NONE
    normalizes: bool = False
    """Names of one NFC form are one name."""
    keeps_case: bool = True
    """False where names are written in small letters, whatever was asked for."""
    forbidden: str = ""
    """Characters that no name may have."""
    keeps_end: bool = True
    """False where a dot or a space at the end is refused or dropped."""
    reserves_stems: bool = False
    """`CON`, `aux.txt` and the like are devices."""
    longest: int = MAX_PART_BYTES
    """Bytes in UTF-8."""

    @property
    def holds_all(self) -> bool:
        """Every name of the log can be held as it is."""
        return self == Limits()

    def objection(self, name: str) -> str | None:
        """Why a file system with these limits cannot hold `name`, as half a sentence; or None."""
        refused = next((c for c in name if c in self.forbidden), None)
        if refused is not None:
            return f"it cannot hold the character {refused!r}"
        if not self.keeps_case and name != name.lower():
            return "it cannot hold capitals"
        if not self.keeps_end and name[-1:] in (".", " "):
            return "it cannot hold a dot or a space at the end"
        if self.reserves_stems and name.partition(".")[0].rstrip(" ").casefold() in _RESERVED_STEMS:
            return "it is kept for devices"
        if len(name.encode("utf-8", "surrogateescape")) > self.longest:
            return f"it is longer than {self.longest} bytes"
        return None

    def key(self, name: str) -> str:
        """Equal for names that cannot stand side by side in a directory."""
        if self.fold is Fold.FULL:
            name = unicodedata.normalize("NFD", name).casefold()
            return unicodedata.normalize("NFC", name)
        if self.normalizes:
            name = unicodedata.normalize("NFC", name)
        return name if self.fold is Fold.NONE else "".join(map(_upper, name))

    def spelling(self, name: str) -> str:
        """Equal for names of one spelling: what the file system writes in its own way is one."""
        if self.normalizes:
            name = unicodedata.normalize("NFC", name)
        return name if self.keeps_case else name.lower()


WINDOWS = Limits(
    fold=Fold.SIMPLE,
    forbidden=WINDOWS_KEEPS + CONTROLS,
    keeps_end=False,
    reserves_stems=True,
)


def _upper(character: str) -> str:
    upper = character.upper()
    return upper if len(upper) == 1 else character


def alias_of(name: str, attempt: int = 0) -> str:
    """The local name for a path part that cannot have its own: `stem~xxxxxxxx.ext`.

    Every file system that we know of holds it, and no two names share one in practice (40 bits of
    a hash); `attempt` gives another where it is in use all the same.
    """
    text = f"{name}\0{attempt}" if attempt else name
    tag = PLAIN.data(text.encode("utf-8", "surrogateescape"))[:_TAG]
    stem, extension = split_extension(name.translate(_REPLACED))
    extension = extension.rstrip(". ")
    end = f"~{tag}{extension}"
    room = MAX_ALIAS_BYTES - len(end.encode("utf-8", "surrogateescape"))
    while len(stem.encode("utf-8", "surrogateescape")) > room:
        stem = stem[:-1]
    return normalize(stem + end)


@dataclass(frozen=True, slots=True)
class Standing:
    """A name of the log in a directory, and the name that it has there."""

    name: str
    local: str


def arrange(
    rivals: Iterable[Standing], limits: Limits, rank: Callable[[str], str]
) -> tuple[Standing | None, list[Standing]]:
    """Who of several names that cannot stand side by side has its own: the one of lowest rank.

    Returns it if it stands under an alias now, and those that have to go under one before. The
    order of `rivals` does not matter, nor what they are called now.
    """
    able = [rival for rival in rivals if limits.objection(rival.name) is None]
    if not able:
        return None, []
    first = min(able, key=lambda rival: (rank(rival.name), rival.name))
    yielding = [rival for rival in able if rival is not first and rival.local == rival.name]
    yielding.sort(key=lambda rival: rival.name)
    return (None if first.local == first.name else first), yielding
