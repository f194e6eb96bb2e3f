"""Random changes to valid bytes: what a store may hold after bit rot, a broken copy, or malice."""

from collections.abc import Callable, Sequence
from random import Random

TOKENS = [
    b"../", b"/", b"\0", b"\n", b"\r", b"\\", b'"', b"..", b".firnline", b"\xff", b"\xc0\xae",
    b"\xed\xa0\x80", b"\xe2\x80\xae", b"-1", b"0", b"1e999", b"9" * 400, b"null", b"true", b"NaN",
    b"[" * 2000, b'{"a":' * 500, b"put", b"del", b"mov", b"bat", b"_", b".", b"-", b"2099",
]  # fmt: skip
LONGEST = 1 << 16


def mutate(body: bytes, others: Sequence[bytes], dice: Random) -> bytes:
    """`body` after one to four changes, at most `LONGEST` bytes of it."""
    changed = bytearray(body)
    for _ in range(dice.randint(1, 4)):
        dice.choice(_CHANGES)(changed, others, dice)
    return bytes(changed[:LONGEST])


def _place(body: bytearray, dice: Random) -> int:
    return dice.randrange(len(body) + 1)


def _flip(body: bytearray, others: Sequence[bytes], dice: Random) -> None:
    if body:
        body[dice.randrange(len(body))] ^= 1 << dice.randrange(8)


def _insert(body: bytearray, others: Sequence[bytes], dice: Random) -> None:
    place = _place(body, dice)
    body[place:place] = dice.randbytes(dice.randint(1, 8))


def _token(body: bytearray, others: Sequence[bytes], dice: Random) -> None:
    place = _place(body, dice)
    body[place : place + dice.choice((0, 0, 1, 3, 10))] = dice.choice(TOKENS)


def _cut(body: bytearray, others: Sequence[bytes], dice: Random) -> None:
    del body[_place(body, dice) : _place(body, dice)]


def _end(body: bytearray, others: Sequence[bytes], dice: Random) -> None:
    del body[_place(body, dice) :]


def _repeat(body: bytearray, others: Sequence[bytes], dice: Random) -> None:
    start, end = sorted((_place(body, dice), _place(body, dice)))
    body[end:end] = body[start:end] * dice.randint(1, 3)


def _splice(body: bytearray, others: Sequence[bytes], dice: Random) -> None:
    other = dice.choice(others)
    body[_place(body, dice) :] = other[dice.randrange(len(other) + 1) :]


_CHANGES: list[Callable[[bytearray, Sequence[bytes], Random], None]] = [
    _flip, _flip, _insert, _token, _token, _cut, _end, _repeat, _splice,
]  # fmt: skip
