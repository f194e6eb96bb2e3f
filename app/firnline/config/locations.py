"""Where a store is: what a LOCATION of the command line and of `config.toml` may be.

A location without a scheme is an absolute path; `file:///…` is the same, percent-encoded. Each
further kind of store adds its scheme to `SCHEMES` and its options to `STORE_OPTIONS`.
"""

import os
import re
from enum import StrEnum
from pathlib import Path
from typing import assert_never
from urllib.parse import unquote, urlsplit


class StoreKind(StrEnum):
    """What a store is made of, in the word that `status` shows."""

    DIRECTORY = "directory"


SCHEMES = {"file": StoreKind.DIRECTORY}
"""Which scheme of a location leads to which kind of store."""

STORE_OPTIONS: dict[StoreKind, frozenset[str]] = {StoreKind.DIRECTORY: frozenset()}
"""The names that `--option NAME=VALUE` may have, for each kind of store."""

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_CONTROL = re.compile("[\x00-\x1f\x7f]")


def store_kind(location: str) -> StoreKind:
    """The kind of store that `location` names. Raises ValueError with the reason for none."""
    if _CONTROL.search(location):
        raise ValueError("a location must not hold control characters")
    scheme = _SCHEME.match(location)
    if scheme is None:
        if not os.path.isabs(location):
            raise ValueError("a location must be an absolute path, or begin with file:///")
        return StoreKind.DIRECTORY
    kind = SCHEMES.get(scheme[1].lower())
    if kind is None:
        known = ", ".join(f"{each}://" for each in SCHEMES)
        raise ValueError(f"this Firnline knows no {scheme[1]}:// stores, only a path or {known}")
    return kind


def check_location(location: str) -> str:
    """`location`, if it can be used. Raises ValueError with the reason."""
    kind = store_kind(location)
    if kind is StoreKind.DIRECTORY:
        store_directory(location)
    else:
        assert_never(kind)
    return location


def store_directory(location: str) -> Path:
    """The directory that the location of a directory store names.

    Raises ValueError when it names none on this computer.
    """
    if not _SCHEME.match(location):
        return Path(location)
    url = urlsplit(location)
    if url.netloc not in ("", "localhost"):
        raise ValueError("file:// needs a third slash: what stands before it would be a computer")
    if url.query or url.fragment:
        raise ValueError('in a file:// location "?" is written %3F and "#" is written %23')
    path = unquote(url.path, errors="surrogateescape")
    if os.name == "nt":
        path = path.removeprefix("/")
    if not os.path.isabs(path) or _CONTROL.search(path):
        raise ValueError("a file:// location must name an absolute path: file:///…")
    return Path(path)
