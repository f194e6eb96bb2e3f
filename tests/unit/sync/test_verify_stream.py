"""Event files on their way: what is not what its name promises never passes."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.doubles.memory_store import MemoryReader
from tests.unit.sync.words import DEVICE

from firnline.core.clock import DateTime
from firnline.core.entry import Change
from firnline.core.event import Op, parse_name
from firnline.core.hashing import EMPTY_HASH, NO_PARENT, PLAIN
from firnline.stores.errors import CorruptError
from firnline.sync.drafts import Draft, draft_batch, draft_single
from firnline.sync.verify_stream import verified

TIME = DateTime("20261122082600000000")


def _change(op: Op, path: str, body: bytes | None = None, source: str | None = None) -> Change:
    data_hash = EMPTY_HASH if body is None else PLAIN.data(body)
    return Change(op, path, source, NO_PARENT, data_hash, len(body or b""), 0, "-")


def _single(op: Op, body: bytes | None = None, source: str | None = None) -> Draft:
    carried = body if op in (Op.PUT, Op.LNK, Op.PAT) else None
    change = _change(op, "f", body, source)
    return draft_single(change, TIME, DEVICE, carried or b"", PLAIN)


BATCH = draft_batch(
    [
        (_change(Op.PUT, "a", b"first body"), b"first body"),
        (_change(Op.PUT, "b", b"named"), None),
        (_change(Op.LNK, "c", b"target"), b"target"),
        (_change(Op.MKD, "d"), None),
    ],
    TIME,
    DEVICE,
    PLAIN,
)
FILES = {
    "put": _single(Op.PUT, b"content"),
    "link": _single(Op.LNK, b"target"),
    "deletion": _single(Op.DEL),
    "move": _single(Op.MOV, b"content", "g"),
    "copy": _single(Op.CPY, b"content", "g"),
    "batch": BATCH,
}


def _read(draft: Draft, body: bytes) -> bytes:
    return b"".join(verified(parse_name(draft.name), MemoryReader(len(body), body), PLAIN))


@pytest.mark.parametrize("name", FILES)
def test_right_file_passes(name: str) -> None:
    """Byte for byte."""
    body = b"".join(FILES[name].body)
    assert _read(FILES[name], body) == body


def test_batch_without_its_bodies_passes() -> None:
    """It is whole where it ends with its manifest: nobody has its bodies then."""
    assert _read(BATCH, BATCH.body[0]) == BATCH.body[0]


def test_delta_passes_unread() -> None:
    """Nobody can check one without its basis yet."""
    assert _read(_single(Op.PAT, b"content"), b"anything") == b"anything"


@st.composite
def mutations(draw: st.DrawFn) -> tuple[Draft, bytes]:
    """A file that lost bytes, got some, or has a flipped bit."""
    draft = FILES[draw(st.sampled_from(sorted(FILES)))]
    body = bytearray(b"".join(draft.body))
    position = draw(st.integers(0, len(body)))
    match draw(st.sampled_from(["flip", "cut", "insert", "append"])):
        case "flip" if position < len(body):
            body[position] ^= 1 << draw(st.integers(0, 7))
        case "cut":
            del body[position:]
        case "insert":
            body[position:position] = draw(st.binary(min_size=1, max_size=5))
        case _:
            body += draw(st.binary(min_size=1, max_size=5))
    return draft, bytes(body)


@given(mutations())
def test_changed_file_never_passes(mutation: tuple[Draft, bytes]) -> None:
    """Whatever was done to it: what passes is the event, or a batch without its bodies."""
    draft, body = mutation
    try:
        passed = _read(draft, body)
    except CorruptError:
        return
    whole = b"".join(draft.body)
    assert passed == body
    assert passed in (whole, draft.body[0])


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"firnline-batch",
        b"firnline-batch 1 5",
        b"firnline-batch 1 5\nab",
        b"firnline-batch 1 99999999999\n",
        b"firnline-batch 2 0\n",
        b"x" * 100,
    ],
)
def test_head_that_is_none(head: bytes) -> None:
    """It is refused after a few bytes, however much there is."""
    with pytest.raises(CorruptError):
        _read(BATCH, head)


def test_batch_with_a_manifest_that_breaks_the_format() -> None:
    """Its hash is right, and it is no batch all the same."""
    manifest = b'{"no":"member"}\n'
    body = b"firnline-batch 1 %d\n%b" % (len(manifest), manifest)
    name = parse_name(BATCH.name)._replace(data_hash=PLAIN.data(body))
    with pytest.raises(CorruptError):
        list(verified(name, MemoryReader(len(body), body), PLAIN))


def test_reader_is_closed() -> None:
    """Also when the file is refused in its middle."""
    closed: list[bool] = []

    class Reader(MemoryReader):
        def __exit__(self, *exc: object) -> None:
            closed.append(True)

    def chunks(body: bytes) -> Iterator[bytes]:
        return verified(parse_name(FILES["put"].name), Reader(len(body), body), PLAIN)

    list(chunks(b"content"))
    with pytest.raises(CorruptError):
        list(chunks(b"another"))
    assert closed == [True, True]
