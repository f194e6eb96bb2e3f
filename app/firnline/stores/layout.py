"""Where everything stands in a store, and the grammar of the names there.

Pure functions for docs/design.md sections 2 and 11. What is made here is an honest path; what is
parsed here may come from anybody, so each `parse_…` gives None for a name that does not follow the
grammar to the letter, and such a name is left alone.
"""

import re
import unicodedata
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple, NewType

from firnline.core.clock import DateTime, format_time, parse_time
from firnline.core.event import EventName, EventText
from firnline.core.hashing import PLAIN, DataHash, EventHash, PathHash, base32hex

StoreHash = NewType("StoreHash", str)
"""A store, whatever its location: 16 random characters."""
ConnectionHash = NewType("ConnectionHash", str)
"""A device connected to a store: 16 characters."""
FolderId = NewType("FolderId", str)
"""16 random characters."""
SnapshotId = NewType("SnapshotId", str)
"""A SNAPID: 8 digits and 6 random characters."""

ID_LENGTH = 16
SHORT_ID = 8
READ_ME = "READ-ME.txt"
STORES = "stores"
DEVICES = "devices"
CONNECTIONS = "connections"
EVENTS = "events"
"""Inside a folder's directory."""
FIRST_SNAPHASH = "0"
_MAX_SLUG = 32
_SNAPSHOT_DIGITS = 8
_SNAPSHOT_RANDOM = 6

_ID = re.compile("[0-9a-v]{16}")
_PATH_HASH = re.compile("[0-9a-v]{26}")
_DATA_HASH = re.compile("[0-9a-v]{32}")
_SHORT = re.compile("[0-9a-v]{8}")
_FOLDER = re.compile(r"([0-9a-z](?:[0-9a-z-]{0,30}[0-9a-z])?)-([0-9a-v]{8})")
_SNAPSHOT_ID = re.compile("[0-9]{8}[0-9a-v]{6}")
_BASE = re.compile("([0-9a-v]{16})_([0-9]{8}[0-9a-v]{6})_(0|[0-9a-v]{32})")
_STATUS = re.compile("([0-9]{8}[0-9a-v]{6})_([0-9]{20})_([0-9a-v]{32})")


def random_id(length: int, random: Callable[[int], bytes]) -> str:
    """`length` random characters of base32hex; `random` gives so many random bytes."""
    bits = length * 5
    return base32hex(random(-(-bits // 8)), bits)


def new_store_hash(random: Callable[[int], bytes]) -> StoreHash:
    return StoreHash(random_id(ID_LENGTH, random))


def connection_hash(device: str, store: str, token: bytes) -> ConnectionHash:
    """Of a device and a store; `token` is the profile's own secret (docs/design.md section 11)."""
    return ConnectionHash(
        PLAIN.data(b"\0".join((device.encode(), store.encode(), token)))[:ID_LENGTH]
    )


def slug(name: str) -> str:
    """The readable part of a folder's directory: at most 32 of `0-9a-z-`, never empty.

    Made once; a reader goes by the 8 characters that follow it (docs/design.md section 11).
    """
    plain = re.sub("[^0-9A-Za-z]+", "-", unicodedata.normalize("NFKD", name)).lower()
    return plain.strip("-")[:_MAX_SLUG].rstrip("-") or "folder"


def is_id(text: str) -> bool:
    """True for what may be a STOREHASH, CONNHASH or folder id."""
    return _ID.fullmatch(text) is not None


def is_path_hash(text: str) -> bool:
    return _PATH_HASH.fullmatch(text) is not None


def is_data_hash(text: str) -> bool:
    return _DATA_HASH.fullmatch(text) is not None


def is_device(text: str) -> bool:
    return _SHORT.fullmatch(text) is not None


def store_config(store: str) -> str:
    return f"{STORES}/{store}/config"


def is_current(store: str) -> str:
    return f"{STORES}/{store}/is_current"


def device_record(device: str) -> str:
    return f"{DEVICES}/{device}"


class ConnectionLayout:
    """The files of one connection."""

    def __init__(self, connection: str) -> None:
        self.directory = f"{CONNECTIONS}/{connection}"
        self.priority = f"{self.directory}/priority"
        self.tmp = f"{self.directory}/tmp"

    def idle(self, moment: datetime) -> str:
        """The heartbeat of a moment."""
        return f"{self.directory}/idle_{format_time(moment)}"

    def late(self, moment: datetime) -> str:
        """A hint that names events which came late."""
        return f"{self.directory}/late_{format_time(moment)}"


def parse_idle(name: str) -> datetime | None:
    """The moment of an `idle_DATETIME`."""
    return _moment_after("idle_", name)


def parse_late(name: str) -> datetime | None:
    """The moment of a `late_DATETIME`."""
    return _moment_after("late_", name)


def _moment_after(prefix: str, name: str) -> datetime | None:
    return _moment(name.removeprefix(prefix)) if name.startswith(prefix) else None


def _moment(text: str) -> datetime | None:
    try:
        return parse_time(text)
    except ValueError:
        return None


class BaseRecord(NamedTuple):
    """The name of a snapshot's commit record in `snapshot/base`."""

    store: StoreHash
    snapshot: SnapshotId
    snaphash: str
    """The `fullhash` of the snapshot before it, or `FIRST_SNAPHASH`."""

    @property
    def text(self) -> str:
        return "_".join(self)


class StatusRecord(NamedTuple):
    """The name that says how far a running freeze is."""

    snapshot: SnapshotId
    time: DateTime
    data_hash: DataHash

    @property
    def text(self) -> str:
        return "_".join(self)


def new_snapshot_id(number: int, random: Callable[[int], bytes]) -> SnapshotId:
    """A SNAPID. Raises ValueError when the number has more than 8 digits."""
    if not 0 <= number < 10**_SNAPSHOT_DIGITS:
        raise ValueError(f"not a number of {_SNAPSHOT_DIGITS} digits: {number}")
    return SnapshotId(f"{number:0{_SNAPSHOT_DIGITS}}{random_id(_SNAPSHOT_RANDOM, random)}")


def parse_snapshot_id(text: str) -> SnapshotId | None:
    return SnapshotId(text) if _SNAPSHOT_ID.fullmatch(text) else None


def snapshot_number(snapshot: SnapshotId) -> int:
    return int(snapshot[:_SNAPSHOT_DIGITS])


def parse_base(name: str) -> BaseRecord | None:
    match = _BASE.fullmatch(name)
    if match is None:
        return None
    store, snapshot, snaphash = match.groups()
    return BaseRecord(StoreHash(store), SnapshotId(snapshot), snaphash)


def parse_status(name: str) -> StatusRecord | None:
    match = _STATUS.fullmatch(name)
    if match is None or _moment(match.group(2)) is None:
        return None
    snapshot, time, data_hash = match.groups()
    return StatusRecord(SnapshotId(snapshot), DateTime(time), DataHash(data_hash))


def parse_folder_directory(name: str) -> tuple[str, str] | None:
    """Slug and the first 8 characters of the id, of a name in a store's base."""
    match = _FOLDER.fullmatch(name)
    return (match.group(1), match.group(2)) if match else None


def parse_day(name: str) -> str | None:
    """A name in `events/`, when it is a calendar day."""
    return name if len(name) == 8 and _moment(name + "0" * 12) else None


class FolderLayout:
    """The files of one folder in a store."""

    __slots__ = ("folder_id", "slug")

    def __init__(self, slug: str, folder_id: FolderId) -> None:
        self.slug = slug
        self.folder_id = folder_id

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FolderLayout) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple[str, str]:
        return self.slug, self.folder_id

    @property
    def root(self) -> str:
        """The folder's directory in the store's base."""
        return f"{self.slug}-{self.folder_id[:SHORT_ID]}"

    @property
    def config(self) -> str:
        return f"{self.root}/config"

    def has(self, store: str) -> str:
        """What that store holds."""
        return f"{self.root}/{STORES}/{store}/has"

    @property
    def events(self) -> str:
        return f"{self.root}/{EVENTS}"

    def events_day(self, day: str) -> str:
        """`day` is YYYYMMDD."""
        return f"{self.events}/{day}"

    def event(self, name: EventText | str) -> str:
        """An event name starts with its day."""
        return f"{self.root}/events/{name[:8]}/{name}"

    def index(self, path_hash: PathHash) -> str:
        """Where the path of that hash is written out."""
        return f"{self.root}/eventsindex/{path_hash[:2]}/{path_hash}"

    @property
    def bases(self) -> str:
        return f"{self.root}/snapshot/base"

    def base(self, record: BaseRecord) -> str:
        return f"{self.bases}/{record.text}"

    @property
    def statuses(self) -> str:
        return f"{self.root}/snapshot/status"

    def status(self, record: StatusRecord) -> str:
        return f"{self.statuses}/{record.text}"

    def item(self, snapshot: SnapshotId, name: str) -> str:
        """`name`: last_added_eventhash, snaphash, fullhash, names, lists or manifest."""
        return f"{self.root}/snapshot/items/{snapshot}/{name}"

    def invert(self, event: EventName, event_hash: EventHash) -> str:
        """The record that undoes `event`, whose hash is `event_hash`."""
        source = f"_{event.source}" if event.source else ""
        name = f"{event.time}_{event_hash}_{event.op}_{event.target}{source}"
        return f"{self.root}/history/invert/{event.time[:6]}/{name}"

    def history(self, data_hash: DataHash) -> str:
        """Content that no head has any more."""
        return f"{self.root}/history/data/{data_hash[:2]}/{data_hash}"

    def dying(self, data_hash: DataHash) -> str:
        """Content that retention is about to remove."""
        return f"{self.root}/history/dying/{data_hash}"
