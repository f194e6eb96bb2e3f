"""Hashes as the store format writes them."""

import ast
from base64 import b32hexencode

from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.core.vectors import vectors

from firnline.core.hashing import (
    ALPHABET,
    EMPTY_HASH,
    PLAIN,
    base32hex,
    hash_chunks,
)
from firnline.core.paths import normalize


def content(spec: str) -> bytes:
    """The bytes that a vector describes: a Python expression of bytes, or a text."""
    if spec.startswith("0x00*"):
        return bytes(int(spec[5:]))
    if spec == "bytes(range(256))*4":
        return bytes(range(256)) * 4
    if spec == "bytes(range(256))*4+b'!'":
        return bytes(range(256)) * 4 + b"!"
    if spec.startswith("b'"):
        return bytes(ast.literal_eval(spec))
    return spec.encode()


@vectors("contents")
def test_content_vectors(vector):
    """Each example has the digest and the DATAHASH that it is listed with."""
    body = content(vector["spec"])
    assert blake3(body).hexdigest() == vector["blake3_hex"]
    assert PLAIN.data(body) == vector["datahash"]


@vectors("paths")
def test_path_vectors(vector):
    """Each example has the normal form and the PATHHASH that it is listed with."""
    normal = normalize(vector["path"])
    assert len(normal.encode()) == vector["nfc_utf8_len"]
    assert vector["nfc_utf8_hex"] in (None, normal.encode().hex())
    assert PLAIN.path(normal) == vector["pathhash"]


@given(st.binary(min_size=1, max_size=32))
def test_whole_bytes_are_those_of_the_rfc(digest):
    """`base32hex` of whole bytes is RFC 4648 section 7 in lower case, without padding."""
    expected = b32hexencode(digest).decode().rstrip("=").lower()
    assert base32hex(digest, 8 * len(digest)) == expected


@given(st.binary(min_size=32, max_size=32), st.integers(1, 256))
def test_fewer_bits_are_the_first_ones(digest, bits):
    """The last character is filled with zero bits on the right."""
    text = base32hex(digest, bits)
    number = int.from_bytes(digest, "big") >> (256 - bits) << (-bits % 5)
    assert len(text) == -(-bits // 5)
    assert int(text, 32) == number
    assert set(text) <= set(ALPHABET)


@given(st.binary())
def test_the_quick_way_is_the_same(body):
    """Content hashes are the first 160 bits of the digest."""
    assert PLAIN.data(body) == base32hex(blake3(body).digest(), 160)
    assert PLAIN.data(memoryview(body)) == PLAIN.data(bytearray(body)) == PLAIN.data(body)


@given(st.lists(st.binary()))
def test_pieces_make_the_same_hash(pieces):
    """It does not matter how a body was cut, with or without an iterable."""
    whole = PLAIN.data(b"".join(pieces))
    digest = PLAIN.running()
    for piece in pieces:
        digest.update(piece)
    assert digest.data_hash() == hash_chunks(PLAIN, pieces) == whole


def test_the_hash_of_nothing():
    """What deletions and directories carry is the hash of the empty content."""
    assert EMPTY_HASH == hash_chunks(PLAIN, []) == "ls9kjeflv6gqd8209nl3dn6996dsm9e9"
