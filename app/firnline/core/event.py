"""Event names: parsing and writing (docs/design.md sections 2 and 11).

`DATETIME_DATAHASH_OPID_TARGETPATHHASH[_SOURCEPATHHASH].PARENT-DEVICE-MTIME-FLAGS`: the listing of
a store alone says who did what to which path when, on top of what. A name that does not follow
the grammar to the letter is refused, since a store can hold anything.
"""

import re
from enum import StrEnum
from typing import NamedTuple, NewType

from firnline.core.clock import DateTime, parse_time
from firnline.core.hashing import ALPHABET, PLAIN, REF_LENGTH, DataHash, Hasher, PathHash, Ref

DeviceId = NewType("DeviceId", str)
EventText = NewType("EventText", str)
"""A whole event name, as it stands in `events/`."""

MAX_NAME_BYTES = 143
MAX_MTIME = 2**45 - 1
_MTIME_DIGITS = 9


class Op(StrEnum):
    """What an event does (docs/design.md section 2)."""

    PUT = "put"
    PAT = "pat"
    DEL = "del"
    MOV = "mov"
    CPY = "cpy"
    MKD = "mkd"
    RMD = "rmd"
    LNK = "lnk"
    BAT = "bat"


class Kind(StrEnum):
    """What a change leaves at a path (docs/design.md section 11, *kind*)."""

    FILE = "f"
    LINK = "l"
    DIRECTORY = "d"
    NOTHING = "-"


NO_FLAGS = "-"
EXECUTABLE = "x"
LINK = "l"


class BadNameError(ValueError):
    """A name in `events/` that is no event name; the message says why."""


class EventName(NamedTuple):
    """An event name in parts. Made by `parse_name`, or with parts known to be right."""

    time: DateTime
    data_hash: DataHash
    op: Op
    target: PathHash
    source: PathHash | None
    parent: Ref
    device: DeviceId
    mtime: int
    """Milliseconds since 1970, 0 to `MAX_MTIME`."""
    flags: str

    @property
    def text(self) -> EventText:
        source = f"_{self.source}" if self.source else ""
        return EventText(
            f"{self.time}_{self.data_hash}_{self.op}_{self.target}{source}"
            f".{self.parent}-{self.device}-{encode_mtime(self.mtime)}-{self.flags}"
        )


_GRAMMAR = re.compile(
    r"([0-9]{20})_([0-9a-v]{32})_"
    r"(?:(put|pat|del|rmd|mkd|lnk|bat)_([0-9a-v]{25}[048cgkos])"
    r"|(mov|cpy)_([0-9a-v]{25}[048cgkos])_([0-9a-v]{25}[048cgkos]))"
    r"\.(0|[0-9a-v]{10})-([0-9a-v]{8})-([0-9a-v]{9})-([-xl])"
)
_MAY_BE_EXECUTABLE = frozenset({Op.PUT, Op.PAT, Op.CPY, Op.MOV})


def parse_name(text: str) -> EventName:
    """The parts of an event name.

    Raises BadNameError for anything outside the grammar of docs/design.md section 11.
    """
    match = _GRAMMAR.fullmatch(text)
    if match is None:
        raise BadNameError("does not match the grammar")
    time, data_hash, plain, plain_target, pair, pair_target, source, *suffix = match.groups()
    parent, device, mtime, flags = suffix
    op = Op(plain or pair)
    check_flags(op, flags)
    if op is Op.MOV and pair_target == source:
        raise BadNameError("move onto itself")
    try:
        parse_time(time)
    except ValueError as error:
        raise BadNameError("not a calendar time of 2000-2099") from error
    return EventName(
        DateTime(time),
        DataHash(data_hash),
        op,
        PathHash(plain_target or pair_target),
        PathHash(source) if source else None,
        Ref(parent),
        DeviceId(device),
        decode_mtime(mtime),
        flags,
    )


def check_flags(op: Op, flags: str) -> None:
    """Raises BadNameError when `op` cannot carry `flags`."""
    if flags == NO_FLAGS:
        return
    if flags == EXECUTABLE and op in _MAY_BE_EXECUTABLE:
        return
    if flags == LINK and op is Op.MOV:
        return
    raise BadNameError(f"flag {flags} on {op}")


def ref_of(name: str, hasher: Hasher = PLAIN) -> Ref:
    """How other events name this one as their parent."""
    return Ref(hasher.event(name)[:REF_LENGTH])


def kind_of(op: Op, flags: str) -> Kind:
    """What `op` leaves at its target."""
    if op in (Op.DEL, Op.RMD):
        return Kind.NOTHING
    if op is Op.MKD:
        return Kind.DIRECTORY
    if op is Op.LNK or (op is Op.MOV and flags == LINK):
        return Kind.LINK
    return Kind.FILE


def clamp_mtime(nanoseconds: int) -> int:
    """Floor of milliseconds, clamped to what nine digits hold."""
    return min(max(nanoseconds // 1_000_000, 0), MAX_MTIME)


def encode_mtime(milliseconds: int) -> str:
    """Nine digits of base32hex, big-endian, as a number."""
    return "".join([ALPHABET[milliseconds >> shift & 31] for shift in _MTIME_SHIFTS])


def decode_mtime(text: str) -> int:
    """Milliseconds. Raises ValueError for anything but nine digits of base32hex."""
    if len(text) != _MTIME_DIGITS or not _MTIME.fullmatch(text):
        raise ValueError(f"not nine base32hex digits: {text!r}")
    return int(text, 32)


_MTIME_SHIFTS = range((_MTIME_DIGITS - 1) * 5, -1, -5)
_MTIME = re.compile("[0-9a-v]{9}")
