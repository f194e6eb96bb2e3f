"""Events before they are written: names, entries, bodies, and the way back to the same bytes."""

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.sync.words import DEVICE, content, put

from firnline.core.batch import manifest_size, read_manifest
from firnline.core.clock import DateTime
from firnline.core.entry import Change
from firnline.core.event import Op, parse_name, ref_of
from firnline.core.hashing import EMPTY_HASH, NO_PARENT, PLAIN, Ref
from firnline.sync.drafts import (
    Draft,
    changes_of,
    closing,
    draft_batch,
    draft_single,
    indexed_paths,
)

TIME = DateTime("20261122082600000000")
PARENT = Ref("0123456789")
PATHS = ["a", "b", "c/d", "c/e", "c", '\u00e9 "x"', "z"]
Member = tuple[Change, bytes | None]


def _change(op: Op, path: str, source: str | None, parent: Ref, body: bytes | None) -> Change:
    data_hash = EMPTY_HASH if body is None else PLAIN.data(body)
    flags = "l" if op is Op.MOV and source == "link" else "-"
    return Change(op, path, source, parent, data_hash, len(body or b""), 0, flags)


@st.composite
def members(draw: st.DrawFn) -> list[Member]:
    """Members of every kind, each path once, some with a body of their own."""
    found: list[Member] = []
    for path in draw(st.lists(st.sampled_from(PATHS), min_size=1, unique=True)):
        op = draw(st.sampled_from([Op.PUT, Op.DEL, Op.MOV, Op.MKD, Op.RMD, Op.LNK]))
        parent = draw(st.sampled_from([NO_PARENT, PARENT]))
        body = draw(st.binary(max_size=20)) if op in (Op.PUT, Op.LNK, Op.MOV) else None
        source = f"from/{path}" if op is Op.MOV else None
        if op is Op.PUT:
            source = draw(st.none() | st.just(f"hint/{path}") | st.sampled_from(PATHS))
            source = None if source == path else source
        carried = op is Op.LNK or (op is Op.PUT and draw(st.booleans()))
        found.append((_change(op, path, source, parent, body), body if carried else None))
    return found


@given(members())
def test_batch_can_be_made_again_from_its_entries(wanted: list[Member]) -> None:
    """Byte for byte, whatever became of its file: its name says whether it is the same."""
    draft = draft_batch(wanted, TIME, DEVICE, PLAIN)
    bodies = {change.path: body for change, body in wanted}
    again = draft_batch(
        [
            (change, None if change.offset is None else bodies[change.path])
            for change in changes_of(draft.entries)
        ],
        TIME,
        DEVICE,
        PLAIN,
    )
    assert again == draft


@given(members())
def test_batch_reads_back_as_what_was_written(wanted: list[Member]) -> None:
    """Its manifest is in order, each body stands at its offset, and its size is right."""
    draft = draft_batch(wanted, TIME, DEVICE, PLAIN)
    file = b"".join(draft.body)
    header, length = manifest_size(file)
    start = header + length
    read = read_manifest(file[header:start])
    assert draft.size == len(file)
    assert parse_name(draft.name).data_hash == PLAIN.data(file[:start])
    assert [change.path for change in read] == sorted(change.path for change, _ in wanted)
    bodies = {change.path: body for change, body in wanted}
    for change in read:
        if change.offset is not None:
            begin = start + change.offset
            assert file[begin : begin + change.size] == bodies[change.path]


def test_single_event() -> None:
    """Its name parses to what it does, and its index entries are those of its paths."""
    change = Change(Op.MOV, "to", "from", PARENT, content("text"), 4, 77, "x")
    draft = draft_single(change, TIME, DEVICE, b"", PLAIN)
    event = parse_name(draft.name)
    assert (event.op, event.parent, event.device, event.mtime, event.flags) == (
        Op.MOV,
        PARENT,
        DEVICE,
        77,
        "x",
    )
    assert (event.target, event.source) == (PLAIN.path("to"), PLAIN.path("from"))
    assert draft.ref == ref_of(draft.name)
    assert draft.index_paths == ("to", "from")
    assert indexed_paths(draft.name, draft.entries) == {"to", "from"}


def test_time_of_modification_is_only_for_files() -> None:
    """Whatever the change says."""
    for op, mtime in ((Op.PUT, 77), (Op.LNK, 0), (Op.DEL, 0), (Op.MKD, 0)):
        change = Change(op, "f", None, NO_PARENT, EMPTY_HASH, 0, 77, "-")
        assert parse_name(draft_single(change, TIME, DEVICE, b"", PLAIN).name).mtime == mtime


def test_batch_has_no_index_entries() -> None:
    """Its paths stand in its manifest."""
    draft: Draft = draft_batch(
        [(_change(Op.PUT, "d/a", None, NO_PARENT, b"x"), b"x")], TIME, DEVICE, PLAIN
    )
    assert draft.index_paths == ()
    assert indexed_paths(draft.name, draft.entries) == set()
    assert parse_name(draft.name).target == PLAIN.path("d")


def test_head_is_closed_by_a_deletion_that_names_it() -> None:
    """And says nothing else."""
    head = put(1, "f", "text")
    assert closing(head) == Change(Op.DEL, "f", None, head.ref, EMPTY_HASH, 0, 0, "-")
