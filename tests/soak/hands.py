"""The ways in which programs and people change a file.

Each says what the path holds afterwards, or None where that is not sure: Firnline may have put
another version there while the old one was still being written.
"""

import os
import random
import time
from collections.abc import Callable
from io import BufferedIOBase
from pathlib import Path

from firnline.core.hashing import PLAIN, DataHash

Hand = Callable[[Path, random.Random], DataHash | None]

KIB, MIB = 2**10, 2**20


def body(dice: random.Random, *, big: bool = False) -> bytes:
    """A content that was never there before; mostly small, part of it compressible."""
    size = dice.randrange(1 * MIB, 5 * MIB) if big else int(dice.choice(_SIZES) * dice.random())
    text = b"%016x " % dice.getrandbits(64)
    return (text + dice.randbytes(min(size, 64 * KIB)) + b"firn " * (size // 5))[: size + len(text)]


_SIZES = (0, 100, 100, KIB, 4 * KIB, 4 * KIB, 30 * KIB, 200 * KIB)


def overwrite(path: Path, dice: random.Random) -> DataHash | None:
    """Cut to nothing and written anew, as simple programs do."""
    return _write(path, [body(dice)])


def write_big(path: Path, dice: random.Random) -> DataHash | None:
    """Some megabytes in pieces."""
    whole = body(dice, big=True)
    return _write(path, [whole[at : at + MIB] for at in range(0, len(whole), MIB)])


def write_slowly(path: Path, dice: random.Random) -> DataHash | None:
    """Three pieces, with time between them for somebody to read half a file."""
    return _write(path, [body(dice) for _ in range(3)], dice.uniform(0.0, 0.2))


def _write(path: Path, pieces: list[bytes], pause: float = 0.0) -> DataHash | None:
    with path.open("wb") as file:
        for piece in pieces:
            file.write(piece)
            file.flush()
            time.sleep(pause)
        return _sure(path, file, b"".join(pieces))


def replace(path: Path, dice: random.Random) -> DataHash | None:
    """A new file, renamed onto the old one, as editors do."""
    beside = path.parent / f"{dice.getrandbits(48):012x}.new"
    whole = body(dice)
    try:
        beside.write_bytes(whole)
        time.sleep(dice.choice([0.0, dice.uniform(0.0, 0.1)]))
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    # The rename is one step: the path had this, whoever came next.
    return PLAIN.data(whole)


def append(path: Path, dice: random.Random) -> DataHash | None:
    """Something at the end."""
    with path.open("r+b") as file:
        whole = file.read() + (more := body(dice)[:4096])
        file.write(more)
        return _sure(path, file, whole)


def patch(path: Path, dice: random.Random) -> DataHash | None:
    """Some bytes in the middle; the size stays, where there is a middle."""
    with path.open("r+b") as file:
        whole = bytearray(file.read())
        start = dice.randrange(max(1, len(whole) - 15))
        whole[start : start + 16] = piece = dice.randbytes(16)
        file.seek(start)
        file.write(piece)
        return _sure(path, file, bytes(whole))


def cut(path: Path, dice: random.Random) -> DataHash | None:
    """Shorter, with an end of its own: no version comes back, since a time alone is no change."""
    with path.open("r+b") as file:
        whole = file.read()[: dice.randrange(200)] + dice.randbytes(16)
        file.seek(0)
        file.truncate()
        file.write(whole)
        return _sure(path, file, whole)


EDITS: tuple[Hand, ...] = (overwrite, overwrite, replace, replace, append, patch, cut, write_slowly)


def _sure(path: Path, file: BufferedIOBase, whole: bytes) -> DataHash | None:
    """The hash, if it is still this file that stands there."""
    file.flush()
    same = path.lstat().st_ino == os.fstat(file.fileno()).st_ino
    return PLAIN.data(whole) if same else None
