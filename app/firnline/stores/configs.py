"""The small JSON files of a store: what a store, a folder and a device say of themselves.

Anybody who can write into a store can write these, so whatever is not exactly what
docs/design.md section 11 describes is `CorruptError`, and a `format` of a later version is
`FutureFormatError`: then nothing is read or written there. Keys of later versions within the same
format are kept when a file is written again.
"""

import json
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol, Self, TypeVar

from firnline.core.event import DeviceId
from firnline.stores.errors import CorruptError, FutureFormatError
from firnline.stores.layout import FolderId, StoreHash, is_device, is_id

FORMAT = 1
"""The store format that this program reads and writes."""
MAX_CONFIG = 1 << 20
"""Bytes; a store that shares 40,000 folders needs less."""
MAX_DEVICE = 1 << 16
MAX_TEXT = 1_000
"""Characters of a name or location."""
MAX_REVISION = 2**53
MAX_DEPTH = 32
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")


class StoreConfig(NamedTuple):
    """`stores/STOREHASH/config`."""

    store_id: StoreHash
    kind: str
    name: str
    rating: int
    """0 to 100: how good it is to read from."""
    minor: bool
    """Others do not wait for it."""
    location: str
    """Where it is for the device that wrote this, without secrets."""
    folders: tuple[FolderId, ...]
    """What it shares; sorted."""
    revision: int = 1
    unknown: Mapping[str, Any] = MappingProxyType({})

    @classmethod
    def parse(cls, body: bytes, path: str) -> Self:
        """Raises CorruptError or FutureFormatError; `path` is named in them."""
        fields = _Fields(body, path)
        return cls(
            revision=fields.versions(),
            store_id=StoreHash(fields.identity("store_id")),
            kind=fields.text("kind"),
            name=fields.text("name"),
            rating=fields.number("rating", 0, 100),
            minor=fields.flag("minor"),
            location=fields.text("location", empty=True),
            folders=tuple(FolderId(text) for text in fields.identities("folders")),
            unknown=fields.rest(),
        )

    def body(self) -> bytes:
        return _write(
            self.unknown,
            {
                "format": FORMAT,
                "revision": self.revision,
                "store_id": self.store_id,
                "kind": self.kind,
                "name": self.name,
                "rating": self.rating,
                "minor": self.minor,
                "location": self.location,
                "folders": sorted(set(self.folders)),
            },
        )


class FolderConfig(NamedTuple):
    """`FOLDER/config`."""

    folder_id: FolderId
    folder_name: str
    encrypted: bool = False
    revision: int = 1
    unknown: Mapping[str, Any] = MappingProxyType({})

    @classmethod
    def parse(cls, body: bytes, path: str) -> Self:
        """Raises CorruptError or FutureFormatError; `path` is named in them."""
        fields = _Fields(body, path)
        return cls(
            revision=fields.versions(),
            folder_id=FolderId(fields.identity("folder_id")),
            folder_name=fields.text("folder_name"),
            encrypted=fields.flag("encrypted"),
            unknown=fields.rest(),
        )

    def body(self) -> bytes:
        return _write(
            self.unknown,
            {
                "format": FORMAT,
                "revision": self.revision,
                "folder_id": self.folder_id,
                "folder_name": self.folder_name,
                "encrypted": self.encrypted,
            },
        )


class DeviceRecord(NamedTuple):
    """`devices/DEVICE`: what people call a device, for log and status."""

    device: DeviceId
    """From the file's name, not its body."""
    name: str
    system: str
    version: str
    """Of the program that wrote it."""
    unknown: Mapping[str, Any] = MappingProxyType({})

    @classmethod
    def parse(cls, device: str, body: bytes, path: str) -> Self:
        """Raises CorruptError."""
        if not is_device(device):
            raise CorruptError(path, "not the id of a device")
        fields = _Fields(body, path)
        return cls(
            device=DeviceId(device),
            name=fields.text("name"),
            system=fields.text("system", empty=True),
            version=fields.text("version", empty=True),
            unknown=fields.rest(),
        )

    def body(self) -> bytes:
        known = {"name": self.name, "system": self.system, "version": self.version}
        return _write(self.unknown, known)


class _Versioned(Protocol):
    @property
    def revision(self) -> int: ...

    def body(self) -> bytes: ...


_Config = TypeVar("_Config", bound=_Versioned)


def newer(first: _Config, second: _Config) -> _Config:
    """Of two versions of one config, the one that all devices agree on: larger revision, then
    larger bytes (docs/design.md section 11, *config*)."""
    return max(first, second, key=lambda config: (config.revision, config.body()))


def _write(unknown: Mapping[str, Any], known: Mapping[str, Any]) -> bytes:
    text = json.dumps({**unknown, **known}, sort_keys=True, ensure_ascii=False, indent=2)
    return f"{text}\n".encode()


class _Fields:
    """One JSON object, read key by key; what is left over at the end is kept."""

    def __init__(self, body: bytes, path: str) -> None:
        self._path = path
        try:
            found = json.loads(body.decode(), parse_constant=_refuse)
            _check_depth(found, MAX_DEPTH)
            # What cannot be written again: a lone surrogate, a number that overflows.
            json.dumps(found, ensure_ascii=False, allow_nan=False).encode()
        except (ValueError, RecursionError) as error:
            raise self._corrupt("no JSON") from error
        if not isinstance(found, dict):
            raise self._corrupt("no JSON object")
        self._found = found

    def versions(self) -> int:
        """Checks `format` and gives `revision`."""
        version = self._found.get("format")
        if type(version) is int and version > FORMAT:
            raise FutureFormatError(self._path, f"format {version}, this program knows {FORMAT}")
        self.number("format", FORMAT, FORMAT)
        return self.number("revision", 0, MAX_REVISION)

    def text(self, key: str, *, empty: bool = False) -> str:
        value = self._take(key)
        if not isinstance(value, str) or len(value) > MAX_TEXT or _CONTROL.search(value):
            raise self._corrupt(f"{key} is no text of one line")
        if not value and not empty:
            raise self._corrupt(f"{key} is empty")
        return value

    def number(self, key: str, least: int, most: int) -> int:
        value = self._take(key)
        if type(value) is not int or not least <= value <= most:
            raise self._corrupt(f"{key} is no number from {least} to {most}")
        return value

    def flag(self, key: str) -> bool:
        value = self._take(key)
        if not isinstance(value, bool):
            raise self._corrupt(f"{key} is neither true nor false")
        return value

    def identity(self, key: str) -> str:
        return self._identity(key, self._take(key))

    def identities(self, key: str) -> list[str]:
        values = self._take(key)
        if not isinstance(values, list):
            raise self._corrupt(f"{key} is no list")
        return sorted({self._identity(key, value) for value in values})

    def rest(self) -> dict[str, Any]:
        return self._found

    def _identity(self, key: str, value: object) -> str:
        if not isinstance(value, str) or not is_id(value):
            raise self._corrupt(f"{key} holds no id")
        return value

    def _take(self, key: str) -> object:
        try:
            return self._found.pop(key)
        except KeyError:
            raise self._corrupt(f"{key} is missing") from None

    def _corrupt(self, detail: str) -> CorruptError:
        return CorruptError(self._path, detail)


def _check_depth(value: object, levels: int) -> None:
    if levels == 0:
        raise ValueError("too deep")
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for item in inner:
        _check_depth(item, levels - 1)


def _refuse(constant: str) -> object:
    raise ValueError(f"{constant} is no JSON")
