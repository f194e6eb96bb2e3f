"""Hashes and seals: the one place in the code that knows how names and bodies are protected.

Plain folders use unkeyed BLAKE3 and bodies as they are (docs/design.md sections 9 and 11). An
encrypted folder will bring another `Hasher`; nothing else has to change for it.
"""

from collections.abc import Iterable
from typing import NewType, Protocol

from blake3 import blake3

DataHash = NewType("DataHash", str)
"""160 bits of a content, 32 characters."""
PathHash = NewType("PathHash", str)
"""128 bits of a path, 26 characters."""
EventHash = NewType("EventHash", str)
"""160 bits of an event name, 32 characters."""
Ref = NewType("Ref", str)
"""The first 10 characters of an event hash, or `NO_PARENT`."""

NO_PARENT = Ref("0")
REF_LENGTH = 10
ALPHABET = "0123456789abcdefghijklmnopqrstuv"

_DATA_BITS = 160
_PATH_BITS = 128


def base32hex(digest: bytes, bits: int) -> str:
    """The first `bits` of `digest` in RFC 4648 section 7 letters, lower case, no padding.

    Most significant bit first; the last character is filled with zero bits on the right.
    """
    characters = -(-bits // 5)
    number = int.from_bytes(digest[: -(-bits // 8)], "big") >> (-bits % 8)
    number <<= characters * 5 - bits
    return "".join(ALPHABET[number >> shift & 31] for shift in range(characters * 5 - 5, -1, -5))


class Digest(Protocol):
    """A running content hash. `update` releases the interpreter lock for large chunks."""

    def update(self, chunk: bytes | bytearray | memoryview, /) -> object: ...

    def data_hash(self) -> DataHash: ...


class Hasher(Protocol):
    """All hashing of one folder."""

    def data(self, content: bytes | bytearray | memoryview) -> DataHash: ...

    def path(self, path: str) -> PathHash: ...

    def event(self, name: str) -> EventHash: ...

    def running(self) -> Digest: ...


class _PlainDigest:
    __slots__ = ("_state", "update")

    def __init__(self) -> None:
        self._state = blake3()
        self.update = self._state.update

    def data_hash(self) -> DataHash:
        return DataHash(_encode160(self._state.digest(20)))


class PlainHasher:
    """The hashes of a folder that is not encrypted (docs/design.md section 11)."""

    def data(self, content: bytes | bytearray | memoryview) -> DataHash:
        return DataHash(_encode160(blake3(content).digest(20)))

    def path(self, path: str) -> PathHash:
        """Of a path that is already NFC (see `core.paths`)."""
        return PathHash(base32hex(blake3(path.encode()).digest(16), _PATH_BITS))

    def event(self, name: str) -> EventHash:
        return EventHash(_encode160(blake3(name.encode("ascii")).digest(20)))

    def running(self) -> Digest:
        return _PlainDigest()


def _encode160(digest: bytes) -> str:
    """`base32hex(digest, 160)`, quicker: it runs once for every small file."""
    number = int.from_bytes(digest, "big")
    return "".join([_PAIRS[number >> shift & 1023] for shift in _PAIR_SHIFTS])


_PAIRS = [first + second for first in ALPHABET for second in ALPHABET]
_PAIR_SHIFTS = range(_DATA_BITS - 10, -1, -10)

PLAIN = PlainHasher()
EMPTY_HASH = PLAIN.data(b"")


def hash_chunks(hasher: Hasher, chunks: Iterable[bytes]) -> DataHash:
    """The content hash of a body that comes in pieces."""
    digest = hasher.running()
    for chunk in chunks:
        digest.update(chunk)
    return digest.data_hash()
