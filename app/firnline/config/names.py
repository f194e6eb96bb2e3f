"""Which names a store, a folder and this device may have.

Stores and folders are named on the command line (`FOLDER:path`), in messages and in lines of the
log, so a name must not hold what those use as separators or what a terminal would obey.
"""

import os
import re
import unicodedata

MAX_NAME_BYTES = 255
RESERVED_STORE_NAME = "home"
"""What the command line and status call the store in this device's own data directory."""

_RANDOM_ID = re.compile("[0-9a-v]{16}")
_BIDI_CONTROLS = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)
_UNPRINTABLE = frozenset({"Cc", "Cs", "Zl", "Zp"})


def check_store_name(name: str) -> str:
    """`name`, if a store may have it. Raises ValueError with the reason."""
    _check_command_line_name(name)
    if name.casefold() == RESERVED_STORE_NAME:
        raise ValueError(f'the name "{RESERVED_STORE_NAME}" is kept for this device\'s own store')
    return name


def check_folder_name(name: str) -> str:
    """`name`, if a folder may have it. Raises ValueError with the reason."""
    return _check_command_line_name(name)


def check_device_name(name: str) -> str:
    """`name`, if a device may have it: any line of text. Raises ValueError with the reason."""
    return _check_line(name)


def check_random_id(text: str) -> str:
    """`text`, if it is 16 characters 0-9 a-v (docs/design.md section 11: STOREHASH, folder id)."""
    if not _RANDOM_ID.fullmatch(text):
        raise ValueError("must be the 16 characters (0-9, a-v) that Firnline wrote there")
    return text


def default_device_name() -> str:
    """The name of this computer as its network knows it, without the domain."""
    printable = (c for c in _node().partition(".")[0] if c.isprintable())
    return "".join(printable).strip()[:63] or "device"


def _node() -> str:
    if hasattr(os, "uname"):
        return os.uname().nodename
    # Asked like this on Windows only: it is a module larger than all of this program's settings.
    import platform

    return platform.node()


def _check_command_line_name(name: str) -> str:
    for separator in ":/":
        if separator in name:
            raise ValueError(f'a name must not hold "{separator}"')
    return _check_line(name)


def _check_line(text: str) -> str:
    if not text:
        raise ValueError("a name must not be empty")
    if text != text.strip():
        raise ValueError("a name must not begin or end with a space")
    if any(unicodedata.category(c) in _UNPRINTABLE or c in _BIDI_CONTROLS for c in text):
        raise ValueError("a name must not hold control characters")
    if unicodedata.normalize("NFC", text) != text:
        raise ValueError("a name must be in Unicode's composed form (NFC): type it again")
    if len(text.encode()) > MAX_NAME_BYTES:
        raise ValueError(f"a name must not be longer than {MAX_NAME_BYTES} bytes")
    return text
