"""Batches: what is written is read, and what is not of the format is refused as a whole."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.core.builders import change
from tests.unit.core.strategies import manifests
from tests.unit.core.vectors import VECTORS

from firnline.core import batch
from firnline.core.batch import (
    MAX_HEADER,
    MAX_MANIFEST,
    BadBatchError,
    manifest_size,
    read_manifest,
    write_manifest,
)
from firnline.core.entry import Change
from firnline.core.event import Op
from firnline.core.hashing import PLAIN, Ref

(VECTOR,) = [vector for vector in VECTORS["events"] if vector["fields"]["op"] == "bat"]
X = Ref("e" * 10)
MEMBER = {
    "flags": "-",
    "from": None,
    "hash": "cgrr7b1o8p8j7vtm7dqieekdml4cam26",
    "mtime": "1k815pdhr",
    "offset": 0,
    "op": "put",
    "parent": "0",
    "path": "a.txt",
    "size": 3,
}
EMPTY = "ls9kjeflv6gqd8209nl3dn6996dsm9e9"


def manifest(*members: dict[str, object], blanks: bool = True) -> bytes:
    """Lines as a writer who keeps to no rules but JSON's would make them, or like ours."""
    between = None if blanks else (",", ":")
    lines = [json.dumps(MEMBER | member, sort_keys=True, separators=between) for member in members]
    return "".join(f"{line}\n" for line in lines).encode()


def test_vector():
    """The listed body is written from its members byte for byte, and its range is the bodies."""
    body = bytes.fromhex(VECTOR["body_hex"])
    header, size = manifest_size(body[:MAX_HEADER])
    lines = body[header : header + size]
    changes = read_manifest(lines)
    assert lines.decode() == VECTOR["manifest"]
    assert write_manifest(changes) == body[: header + size]
    assert PLAIN.data(body[: header + size]) == VECTOR["fields"]["datahash"]
    bodies = body[header + size :]
    brought = [
        PLAIN.data(bodies[c.offset : c.offset + c.size]) == c.data_hash
        for c in changes
        if c.offset is not None
    ]
    assert brought == [True, True]


@given(manifests())
def test_what_is_written_is_read(changes):
    """Any valid list of changes comes back, and the header says how long its lines are."""
    written = write_manifest(changes)
    header, size = manifest_size(written[:MAX_HEADER])
    assert len(written) == header + size
    assert read_manifest(written[header:]) == changes


@given(manifests())
def test_lines_are_plain_json(changes):
    """Keys sorted, no spaces, nothing escaped that need not be: as `json.dumps` would write it."""
    lines = write_manifest(changes).decode().split("\n")[1:-1]
    for line in lines:
        dumped = json.dumps(
            json.loads(line), sort_keys=True, separators=(",", ":"), ensure_ascii=False
        )
        assert line == dumped


@given(manifests())
def test_lines_are_sorted_by_path_bytes(changes):
    """A reader may rely on the order."""
    paths = [change.path.encode() for change in changes]
    assert paths == sorted(paths)


def test_a_batch_of_nothing():
    """No members are no lines."""
    assert write_manifest([]) == b"firnline-batch 1 0\n"
    assert read_manifest(b"") == []


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"\n",
        b"firnline-batch 1 5",
        b"firnline-batch 2 5\n",
        b"firnline-batch 1 05\n",
        b"firnline-batch 1 -5\n",
        b"firnline-batch 1 +5\n",
        b"firnline-batch 1  5\n",
        b"firnline-batch 1 5 \n",
        b"firnline-batch 1 5\r\n",
        b"firnline-batch 1 0x5\n",
        b"firnline-batch 1 \xd9\xa5\n",
        b"firnline-batch 1 10000000000000\n",
        b"firnline-batch 1 %d\n" % (MAX_MANIFEST + 1),
        b" firnline-batch 1 5\n",
        b"FIRNLINE-BATCH 1 5\n",
    ],
)
def test_other_headers_are_refused(header):
    """Only the line of version 1 with a size that a batch can have."""
    with pytest.raises(BadBatchError):
        manifest_size(header)


@pytest.mark.parametrize("size", [0, 1, 677, MAX_MANIFEST])
def test_headers(size):
    """Its length, and that of the manifest; every header fits `MAX_HEADER` bytes."""
    header = b"firnline-batch 1 %d\n" % size
    assert len(header) <= MAX_HEADER
    assert manifest_size(header + b"{...") == (len(header), size)


@given(st.binary(max_size=60))
def test_junk_headers_are_refused(header):
    """Nothing but BadBatchError is raised."""
    with pytest.raises(BadBatchError):
        manifest_size(header)


REFUSED_MEMBERS: list[tuple[str, dict[str, object], str]] = [
    ("a key too many", {"mode": 1}, "keys"),
    ("an operation that a batch cannot have", {"op": "pat"}, "batch"),
    ("a batch in a batch", {"op": "bat"}, "batch"),
    ("a copy", {"op": "cpy", "from": "b"}, "batch"),
    ("an unknown operation", {"op": "ren"}, "batch"),
    ("no operation", {"op": None}, "batch"),
    ("operations", {"op": ["put"]}, ""),
    ("a link's flag on a put", {"flags": "l"}, "flag"),
    ("an unknown flag", {"flags": "s"}, "flag"),
    ("flags that are no text", {"flags": ["-"]}, "flag"),
    ("no flags", {"flags": None}, "flag"),
    ("an executable deletion", {"op": "del", "flags": "x", "hash": EMPTY}, "flag"),
    ("a path that leaves the folder", {"path": "../pwn"}, "part"),
    ("an absolute path", {"path": "/etc/passwd"}, "part"),
    ("the root", {"path": ""}, "empty"),
    ("the marker", {"path": ".firnline/id"}, "itself"),
    ("a path that is not NFC", {"path": "u\u0308"}, "NFC"),
    ("half a character", {"path": "\ud800"}, "Unicode"),
    ("a path that is no text", {"path": 7}, "text"),
    ("a hint that leaves the folder", {"from": "../pwn"}, "part"),
    ("a hint that is no text", {"from": {}}, "text"),
    ("an empty hint", {"from": ""}, "empty"),
    ("a move from nowhere", {"op": "mov", "offset": None}, "source"),
    ("a move onto itself", {"op": "mov", "from": "a.txt", "offset": None}, "source"),
    ("a short hash", {"hash": EMPTY[1:]}, "hash"),
    ("an upper-case hash", {"hash": EMPTY.upper()}, "hash"),
    ("a hash that is no text", {"hash": 5}, "text"),
    ("a short parent", {"parent": "012345678"}, "hash"),
    ("a long parent", {"parent": "01234567890"}, "hash"),
    ("no parent", {"parent": None}, "text"),
    ("a deletion with a content", {"op": "del", "offset": None}, "content"),
    ("a directory with a content", {"op": "mkd", "offset": None}, "content"),
    ("a negative size", {"size": -1}, "size"),
    ("a size that no file has", {"size": 2**63}, "size"),
    ("a broken size", {"size": 1.5}, "size"),
    ("a size that is true", {"size": True}, "size"),
    ("a size that is a text", {"size": "3"}, "size"),
    ("no size", {"size": None}, "size"),
    ("a negative offset", {"offset": -1}, "size"),
    ("a short mtime", {"mtime": "0"}, "nine"),
    ("an mtime that is a number", {"mtime": 0}, "text"),
    ("a gap before the first body", {"offset": 1}, "follow"),
    ("a deletion with a body", {"op": "del", "hash": EMPTY, "offset": 0, "size": 0}, "body"),
    ("a move with a body", {"op": "mov", "from": "b", "offset": 0}, "body"),
]


@pytest.mark.parametrize(
    ("description", "member", "reason"),
    REFUSED_MEMBERS,
    ids=[description for description, *_ in REFUSED_MEMBERS],
)
@pytest.mark.parametrize("blanks", [True, False])
def test_refused_members(description, member, reason, blanks):
    """A line that is no member brings down the whole batch, with its number and the reason."""
    with pytest.raises(BadBatchError, match=rf"member 1: .*{reason}"):
        read_manifest(manifest(member, blanks=blanks))


@pytest.mark.parametrize("key", sorted(MEMBER))
def test_a_missing_key_is_refused(key):
    """All nine keys have to be there."""
    line = json.dumps({k: v for k, v in MEMBER.items() if k != key})
    with pytest.raises(BadBatchError, match="keys"):
        read_manifest(f"{line}\n".encode())


SECOND: dict[str, object] = {"path": "b.txt", "offset": 3}


@pytest.mark.parametrize(
    ("description", "lines", "reason"),
    [
        ("not UTF-8", b"\xc0\xae\xc0\xae/\n", "UTF-8"),
        ("a lone half of a character", b'"\xed\xa0\x80"\n', "UTF-8"),
        ("cut in a line", manifest({})[:-5], "cut"),
        ("cut before the last newline", manifest({})[:-1], "cut"),
        ("an empty line", manifest({}) + b"\n", "member 2"),
        ("a list", b"[]\n", "keys"),
        ("a text", b'"put"\n', "keys"),
        ("a number that never ends", b"9" * 5000 + b"\n", "member 1"),
        ("nested without end", b"[" * 100_000 + b"\n", "member 1"),
        ("two members on a line", manifest({}, SECOND).replace(b"\n", b"", 1), "member 1"),
        ("not in order", manifest(SECOND | {"offset": 0}, {"offset": 3}), "member 2: not in order"),
        ("a path twice", manifest({}, {"offset": 3}), "member 2: not in order"),
        (
            "a path that another moves away",
            manifest({}, {"path": "b", "op": "mov", "from": "a.txt", "offset": None}),
            "member 2: a path touched twice",
        ),
        (
            "two moves of one file",
            manifest(
                {"op": "mov", "from": "z", "offset": None},
                {"op": "mov", "from": "z", "offset": None, "path": "b"},
            ),
            "member 2: a path touched twice",
        ),
        ("a gap between bodies", manifest({}, SECOND | {"offset": 4}), "member 2: its body"),
        ("bodies over each other", manifest({}, SECOND | {"offset": 2}), "member 2: its body"),
    ],
)
def test_refused_manifests(description, lines, reason):
    """Half of a batch was never written by us, so none of it is read."""
    with pytest.raises(BadBatchError, match=reason):
        read_manifest(lines)


def test_too_many_members(monkeypatch):
    """One more than a batch may have."""
    changes = [change(Op.DEL, f"{number:03}", "", X) for number in range(12)]
    written = write_manifest(changes)
    lines = written[manifest_size(written)[0] :]
    monkeypatch.setattr(batch, "MAX_MEMBERS", 12)
    assert read_manifest(lines) == changes
    monkeypatch.setattr(batch, "MAX_MEMBERS", 11)
    with pytest.raises(BadBatchError, match="more than 11"):
        read_manifest(lines)


def test_a_hint_may_name_any_path():
    """A source that is but a hint is not touched: swaps name each other."""
    members: list[dict[str, object]] = [
        {"from": "b.txt", "offset": None},
        {"path": "b.txt", "from": "a.txt", "offset": None},
    ]
    changes = read_manifest(manifest(*members))
    assert [change.source for change in changes] == ["b.txt", "a.txt"]


@given(st.binary(max_size=80))
def test_junk_is_refused(lines):
    """Nothing but BadBatchError is raised for bytes that are no manifest."""
    try:
        changes = read_manifest(lines)
    except BadBatchError:
        return
    assert changes == []
    assert lines == b""


_JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(st.text(), inner)),
    max_leaves=3,
)


@given(st.sampled_from(sorted(MEMBER)), _JSON)
def test_any_value_is_refused_or_comes_back(key, value):
    """One field with any JSON value: BadBatchError, or a member that can be written again."""
    try:
        changes = read_manifest(manifest({key: value}))
    except BadBatchError:
        return
    written = write_manifest(changes)
    assert read_manifest(written[manifest_size(written)[0] :]) == changes


@given(manifests(), st.integers(0, 400), st.integers(0, 3), st.binary(max_size=3))
def test_a_changed_manifest_is_refused_or_another_one(changes, at, length, put):
    """Whatever is put in place of a few bytes, only BadBatchError is raised."""
    written = write_manifest(changes)
    lines = written[manifest_size(written)[0] :]
    at = at % (len(lines) + 1)
    try:
        found = read_manifest(lines[:at] + put + lines[at + length :])
    except BadBatchError:
        return
    again = write_manifest(found)
    assert read_manifest(again[manifest_size(again)[0] :]) == found


@given(manifests(), st.integers(0, 400), st.integers(0, 3), st.binary(max_size=3))
def test_plain_lines_mean_what_json_says(changes, at, length, put):
    """Lines as we write them are read by a short way, which gives what JSON's own reader gives: a
    blank in each line, which means nothing, closes the short way."""
    written = write_manifest(changes)
    lines = written[manifest_size(written)[0] :]
    at = at % (len(lines) + 1)
    lines = lines[:at] + put + lines[at + length :]
    spaced = b"".join(line.replace(b"{", b"{ ", 1) for line in lines.splitlines(keepends=True))
    assert read_or_none(lines) == read_or_none(spaced)


def read_or_none(lines: bytes) -> list[Change] | None:
    try:
        return read_manifest(lines)
    except BadBatchError:
        return None
