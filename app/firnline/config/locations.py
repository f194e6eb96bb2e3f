"""What the LOCATION of a store may be in `config.toml`, and which options go with it.

A location without a scheme is an absolute path, and so is what `file:///…` names; `stores.registry`
makes a store of either. Each further kind of store adds its scheme and its options here.
"""

import os
import re

STORE_OPTIONS: dict[str, frozenset[str]] = {
    "file": frozenset(),
    "sftp": frozenset({"key", "known_hosts", "agent", "fingerprint"}),
    "webdav": frozenset({"fingerprint", "unencrypted"}),
    "webdavs": frozenset({"fingerprint"}),
    "s3": frozenset({"endpoint", "region", "key_id", "profile", "path_style", "unencrypted"}),
}
"""For each scheme, the names that `--option NAME=VALUE` may have."""

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")
_PASSWORD = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://[^/@]*:[^/]*@")


def scheme_of(location: str) -> str:
    """The scheme of `location` in small letters; `file` for a path."""
    found = _SCHEME.match(location)
    return found[1].lower() if found else "file"


def check_location(location: str) -> str:
    """`location`, if it can be one. Raises ValueError with a reason that does not repeat it: a
    location of a kind that is not known may have a password in it."""
    scheme = scheme_of(location)
    if scheme not in STORE_OPTIONS:
        known = ", ".join(f"{each}://" for each in STORE_OPTIONS)
        raise ValueError(f"this Firnline knows no {scheme}:// stores, only a path or {known}")
    if _PASSWORD.match(location):
        raise ValueError("must not hold a password: it is asked for, and kept elsewhere")
    if "\0" in location:
        raise ValueError("must not hold a NUL character")
    if not _SCHEME.match(location) and not os.path.isabs(location):
        raise ValueError("must be an absolute path, without ~, or begin with file:///")
    return location
