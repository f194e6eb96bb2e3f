"""Where a frozen file stands: under people's own names, as plain as every store can hold them.

docs/design.md section 11, *snapshot/data*. The way back is not needed: a snapshot's manifest is
what says which file is whose.
"""

import re
import unicodedata

from firnline.core.hashing import Hasher
from firnline.stores.layout import SHORT_ID, FolderLayout, SnapshotId

MAX_BYTES = 200
"""From `snapshot/` on; a longer one stands in `snapshot/data/long` under its hash."""

_FORBIDDEN = frozenset('%<>:"\\|?*')
# Names that Windows keeps for devices, whatever extension follows; the digits in superscript too.
_RESERVED = re.compile(
    r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9\u00b9\u00b2\u00b3])(?= *(?:\.|\Z))",
    re.IGNORECASE,
)


def data_path(layout: FolderLayout, snapshot: SnapshotId, path: str, hasher: Hasher) -> str:
    """The path in the store of the content that `path` (NFC) got in `snapshot`."""
    *directories, leaf = path.split("/")
    whole = hasher.path(path)
    parts = [
        f"{hasher.path('/'.join(directories[:depth]))[:SHORT_ID]}_{escape(directory)}"
        for depth, directory in enumerate(directories, 1)
    ]
    found = "/".join(["snapshot/data", *parts, f"{snapshot}_{whole[:SHORT_ID]}_{escape(leaf)}"])
    if len(found.encode()) > MAX_BYTES:
        found = f"snapshot/data/long/{snapshot}_{whole}"
    return f"{layout.root}/{found}"


def escape(part: str) -> str:
    """One part of a path, with `%XX` for each byte that some store could not hold."""
    reserved = _RESERVED.match(part)
    kept_from = reserved.end() if reserved else 0
    last = len(part) - 1
    return "".join(
        _percent(character)
        if index < kept_from
        or character in _FORBIDDEN
        or unicodedata.category(character) == "Cc"
        or (index == last and character in ". ")
        else character
        for index, character in enumerate(part)
    )


def _percent(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode())
