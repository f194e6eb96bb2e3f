"""Event bodies on their way from store to store, checked against their names while they pass.

Never copy without verifying: a body that does not hash to what its name promises must not spread
(docs/design.md section 2, *A reader takes a body only by its hash*).
"""

from collections.abc import Iterator
from contextlib import suppress
from enum import Enum

from firnline.core.batch import MAX_HEADER, BadBatchError, manifest_size, read_manifest
from firnline.core.entry import Change
from firnline.core.event import EventName, Op, parse_name
from firnline.core.hashing import DataHash, Digest, Hasher
from firnline.state.journal import EventRow
from firnline.stores.base import Reader
from firnline.stores.errors import CorruptError, NotFoundError, StoreError
from firnline.sync.context import Connected, FolderContext

CHUNK = 4 * 2**20


class Standing(Enum):
    """What stands in a store under an event's name."""

    NOTHING = "nothing"
    WRONG = "another content"
    WHOLE = "the event"


def look(context: FolderContext, connected: Connected, row: EventRow) -> Standing:
    """Read what a store has of an event, to its last byte. Raises StoreError."""
    path = context.layout.event(row.name)
    try:
        size = connected.store.size(path)
        if size is None:
            return Standing.NOTHING
        for _ in verified(parse_name(row.name), connected.store.open(path), context.hasher):
            context.check_cancelled()
    except (NotFoundError, CorruptError):
        return Standing.WRONG
    # The name says which content is right, and no store how large it is. Only of a batch the right
    # content may be a part: its manifest alone.
    is_batch = parse_name(row.name).op is Op.BAT
    return Standing.WRONG if is_batch and size < row.size else Standing.WHOLE


def stands_content(context: FolderContext, connected: Connected, data_hash: DataHash) -> bool:
    """Read a content of a store's history, to its last byte. Raises StoreError."""
    digest = context.hasher.running()
    try:
        with connected.store.open(context.layout.history(data_hash)) as reader:
            while chunk := reader.read(CHUNK):
                context.check_cancelled()
                digest.update(chunk)
    except (NotFoundError, CorruptError):
        return False
    return digest.data_hash() == data_hash


def note_lost_at_home(context: FolderContext, event: int) -> None:
    """The home store's file of an event seemed to be no good: it is given up when a second look
    says so too. What waits there may stand nowhere else."""
    state = context.state
    with suppress(StoreError):
        if look(context, context.home, state.journal.by_id(event)) is not Standing.WHOLE:
            with state.transaction("lost at home"):
                state.stores.release(event)


def verified(event: EventName, reader: Reader, hasher: Hasher) -> Iterator[bytes]:
    """The chunks of an event file; raises CorruptError when they are not what the name says.

    The error may come after the last chunk, so what was written so far must be thrown away then.
    """
    with reader:
        if event.op is Op.BAT:
            yield from _batch(event, reader, hasher)
            return
        digest = hasher.running()
        while chunk := reader.read(CHUNK):
            digest.update(chunk)
            yield chunk
        if event.op in (Op.PUT, Op.LNK):
            _check(event, digest.data_hash(), event.data_hash)
        elif event.op is not Op.PAT and reader.size:
            raise CorruptError(event.text, f"a {event.op} with a body")


def _check(event: EventName, found: DataHash, expected: DataHash) -> None:
    if found != expected:
        raise CorruptError(event.text, "not the content that its name promises")


def _batch(event: EventName, reader: Reader, hasher: Hasher) -> Iterator[bytes]:
    head = _read_head(event, reader)
    _check(event, hasher.data(head), event.data_hash)
    yield head
    try:
        changes = read_manifest(head[head.index(b"\n") + 1 :])
    except BadBatchError as error:
        raise CorruptError(event.text, str(error)) from error
    if reader.size == len(head):
        return
    for change in changes:
        if change.offset is not None:
            yield from _body(event, change, reader, hasher.running())
    if reader.read(1):
        raise CorruptError(event.text, "longer than its manifest says")


def _read_head(event: EventName, reader: Reader) -> bytes:
    """Header line and manifest, and not one byte more."""
    head = b""
    while b"\n" not in head and len(head) < MAX_HEADER:
        byte = reader.read(1)
        if not byte:
            break
        head += byte
    try:
        _, length = manifest_size(head)
    except BadBatchError as error:
        raise CorruptError(event.text, str(error)) from error
    pieces = [head]
    while length:
        chunk = reader.read(min(length, CHUNK))
        if not chunk:
            raise CorruptError(event.text, "the manifest is cut")
        length -= len(chunk)
        pieces.append(chunk)
    return b"".join(pieces)


def _body(event: EventName, change: Change, reader: Reader, digest: Digest) -> Iterator[bytes]:
    left = change.size
    while left:
        chunk = reader.read(min(left, CHUNK))
        if not chunk:
            raise CorruptError(event.text, "the bodies are cut")
        left -= len(chunk)
        digest.update(chunk)
        yield chunk
    _check(event, digest.data_hash(), change.data_hash)
