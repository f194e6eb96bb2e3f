"""Batches: the manifest of an event that changes several paths (docs/design.md section 11).

    firnline-batch 1 <bytes of the manifest>
    {"flags":…,"from":…,"hash":…,"mtime":…,"offset":…,"op":…,"parent":…,"path":…,"size":…}
    …
    <the bodies without gaps>

DATAHASH covers header and manifest, which hold each body's hash, so a range can be read and
checked without the rest.
"""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from firnline.core.entry import Change
from firnline.core.event import NO_FLAGS, Op, check_flags, decode_mtime, encode_mtime
from firnline.core.hashing import EMPTY_HASH, DataHash, Ref
from firnline.core.paths import BadPathError, check_path, quoted

MAX_BODIES = 32 * 2**20
MAX_MEMBERS = 100_000
MAX_MANIFEST = 512 * 2**20
"""More than 100,000 members with the longest paths can need; a larger one is a lie."""
MAX_HEADER = 40
"""Bytes within which the first newline of a batch stands."""

MEMBER_OPS = frozenset({Op.PUT, Op.DEL, Op.MOV, Op.MKD, Op.RMD, Op.LNK})
_KEYS = {"flags", "from", "hash", "mtime", "offset", "op", "parent", "path", "size"}
_HEADER = re.compile(rb"firnline-batch 1 (0|[1-9][0-9]{0,9})\n")
_HASHES = re.compile("[0-9a-v]{32} (?:0|[0-9a-v]{10})")
_STRING = r'"([^"\\\x00-\x1f]*)"'
_COUNT = "(0|[1-9][0-9]{0,17})"
_AS_WRITTEN = re.compile(
    rf'{{"flags":"([-xl])","from":(?:null|{_STRING}),"hash":"([0-9a-v]{{32}})",'
    rf'"mtime":"([0-9a-v]{{9}})","offset":(?:null|{_COUNT}),"op":"([a-z]{{3}})",'
    rf'"parent":"(0|[0-9a-v]{{10}})","path":{_STRING},"size":{_COUNT}}}'
)
"""A line as `_line` makes it, unless a string needs an escape."""
_OPS = {str(op): op for op in MEMBER_OPS}
_EMPTY = frozenset({Op.DEL, Op.MKD, Op.RMD})
_decode = json.JSONDecoder().raw_decode
_MAX_SIZE = 2**63 - 1


class BadBatchError(ValueError):
    """A batch body that breaks the format; the message says how."""


def write_manifest(changes: Iterable[Change]) -> bytes:
    """Header line and manifest. The changes are sorted by path bytes, each path once."""
    return with_header("".join([_line(change) for change in changes]).encode())


def with_header(manifest: bytes) -> bytes:
    """The header line before its manifest."""
    return b"firnline-batch 1 %d\n%b" % (len(manifest), manifest)


def _line(change: Change) -> str:
    """Keys in order and no spaces, as `json.dumps` would write them, at a third of its cost."""
    op, path, source, parent, data_hash, size, mtime, flags, offset = change
    return (
        f'{{"flags":"{flags}","from":{"null" if source is None else _quote(source)},'
        f'"hash":"{data_hash}","mtime":"{encode_mtime(mtime)}",'
        f'"offset":{"null" if offset is None else offset},"op":"{op}","parent":"{parent}",'
        f'"path":{_quote(path)},"size":{size}}}\n'
    )


_quote = json.JSONEncoder(ensure_ascii=False).encode


def manifest_size(header: bytes) -> tuple[int, int]:
    """Length of the header line and of the manifest, from the first `MAX_HEADER` bytes or more.

    Raises BadBatchError.
    """
    match = _HEADER.match(header)
    if match is None:
        raise BadBatchError("no header line")
    size = int(match.group(1))
    if size > MAX_MANIFEST:
        raise BadBatchError("a manifest larger than any batch can have")
    return match.end(), size


def read_manifest(manifest: bytes) -> list[Change]:
    """The members of a batch; `manifest` is without the header line.

    Raises BadBatchError when a line is no member, when a path is refused or touched twice, or when
    the lines are not in order. The whole batch falls then: half of one was never written by us.
    """
    changes: list[Change] = []
    touched: set[str] = set()
    last = ""
    end = 0
    for number, line in enumerate(_lines(manifest), 1):
        try:
            change = _member(line)
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise BadBatchError(f"member {number}: {error}") from error
        if change.path <= last:
            raise BadBatchError(f"member {number}: not in order")
        last = change.path
        _touch(touched, change, number)
        end = _follows(change, end, number)
        changes.append(change)
    return changes


def _lines(manifest: bytes) -> Iterator[str]:
    if manifest.count(b"\n") > MAX_MEMBERS:
        raise BadBatchError(f"more than {MAX_MEMBERS} members")
    try:
        text = manifest.decode()
    except UnicodeDecodeError as error:
        raise BadBatchError("the manifest is not UTF-8") from error
    if text and not text.endswith("\n"):
        raise BadBatchError("the manifest is cut")
    return iter(text.split("\n")[:-1])


def _member(line: str) -> Change:
    """One line of a manifest: as we write it (read by one expression), or any JSON that says so."""
    match = _AS_WRITTEN.fullmatch(line)
    if match is None:
        return _any_member(line)
    flags, source, data_hash, mtime, offset, op_text, parent, path, size = match.groups()
    op = _OPS.get(op_text)
    if op is None:
        raise BadBatchError(f"{op_text!r} cannot be in a batch")
    if flags != NO_FLAGS:
        check_flags(op, flags)
    _path(path)
    _check(op, path, source, data_hash)
    return Change(
        op,
        path,
        source,
        Ref(parent),
        DataHash(data_hash),
        int(size),
        int(mtime, 32),
        flags,
        None if offset is None else int(offset),
    )


def _check(op: Op, path: str, source: str | None, data_hash: str) -> None:
    if source is not None:
        _path(source)
    if op is Op.MOV and (source is None or source == path):
        raise BadBatchError("a move without a source of its own")
    if op in _EMPTY and data_hash != EMPTY_HASH:
        raise BadBatchError(f"{op} with a content")


def _any_member(line: str) -> Change:
    fields: Any
    fields, end = _decode(line)
    if end != len(line) or not isinstance(fields, dict) or fields.keys() != _KEYS:
        raise BadBatchError("other keys than a member has")
    op = _OPS.get(str(fields["op"]))
    if op is None:
        raise BadBatchError(f"{fields['op']!r} cannot be in a batch")
    check_flags(op, fields["flags"])
    path = _path(fields["path"])
    source = None if fields["from"] is None else _text(fields["from"])
    data_hash, parent, mtime = (
        _text(fields["hash"]),
        _text(fields["parent"]),
        _text(fields["mtime"]),
    )
    if not _HASHES.fullmatch(f"{data_hash} {parent}"):
        raise BadBatchError("a hash that is none")
    _check(op, path, source, data_hash)
    offset = fields["offset"]
    return Change(
        op,
        path,
        source,
        Ref(parent),
        DataHash(data_hash),
        _count(fields["size"]),
        decode_mtime(mtime),
        fields["flags"],
        None if offset is None else _count(offset),
    )


def _path(value: object) -> str:
    path = _text(value)
    try:
        return check_path(path)
    except BadPathError as error:
        raise BadBatchError(f"the path {quoted(path)}: {error}") from error


def _text(value: object) -> str:
    if type(value) is not str:
        raise BadBatchError("not a text")
    return value


def _count(value: object) -> int:
    if type(value) is not int or not 0 <= value <= _MAX_SIZE:
        raise BadBatchError("not a size")
    return value


def _touch(touched: set[str], change: Change, number: int) -> None:
    """No path is touched by two members (docs/design.md section 2, `bat`)."""
    paths = (change.path, change.source) if change.op is Op.MOV else (change.path,)
    for path in paths:
        assert path is not None
        if path in touched:
            raise BadBatchError(f"member {number}: a path touched twice")
        touched.add(path)


def _follows(change: Change, end: int, number: int) -> int:
    """Bodies stand without gaps, in the order of the members."""
    if change.offset is None:
        return end
    if change.op not in (Op.PUT, Op.LNK):
        raise BadBatchError(f"member {number}: {change.op} with a body")
    if change.offset != end:
        raise BadBatchError(f"member {number}: its body does not follow the one before")
    return end + change.size
