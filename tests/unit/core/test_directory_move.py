"""The manifest of a moved directory: the same bytes that the batch of its members has."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firnline.core.batch import MAX_HEADER, manifest_size, read_manifest, write_manifest
from firnline.core.directory_move import StandingRow, has_short_paths, move_manifest
from firnline.core.entry import Change
from firnline.core.event import LINK, Kind, Op, clamp_mtime
from firnline.core.hashing import PLAIN, Ref
from firnline.core.paths import MAX_DEPTH, MAX_PATH_BYTES

LEAVES = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1)
ROWS = st.dictionaries(
    LEAVES,
    st.tuples(
        st.sampled_from("fl"), st.integers(0, 2**40), st.integers(-(2**63), 2**63 - 1),
        st.sampled_from("-x"), st.binary(max_size=2),
    ),
    min_size=1,
    max_size=5,
)  # fmt: skip


@given(LEAVES, LEAVES, ROWS)
def test_as_a_batch_writes_it(
    source: str, target: str, files: dict[str, tuple[str, int, int, str, bytes]]
) -> None:
    """Whatever the names, times and kinds are."""
    rows: list[StandingRow] = []
    changes: list[Change] = []
    for leaf, (kind, size, mtime_ns, flags, content) in sorted(files.items()):
        data_hash, base = PLAIN.data(content), Ref(PLAIN.data(content)[:10])
        rows.append((f"{source}/{leaf}", kind, size, mtime_ns, 1, flags, data_hash, base))
        is_file = kind == Kind.FILE
        mtime, flag = (clamp_mtime(mtime_ns), flags) if is_file else (0, LINK)
        place = (f"{target}/{leaf}", f"{source}/{leaf}")
        changes.append(Change(Op.MOV, *place, base, data_hash, size, mtime, flag))
    body = write_manifest(changes)
    start, length = manifest_size(body[:MAX_HEADER])
    assert move_manifest(source, target, rows) == body[start : start + length]


def test_it_can_be_read() -> None:
    """By whoever does not have the files where the mover had them."""
    data_hash = PLAIN.data(b"text")
    row: StandingRow = ("a/b", "f", 4, 1_000_000_000, 7, "x", data_hash, "0123456789")
    (change,) = read_manifest(move_manifest("a", "c/d", [row]))
    expected = Change(Op.MOV, "c/d/b", "a/b", Ref("0123456789"), data_hash, 4, 1_000, "x")
    assert change == expected


@pytest.mark.parametrize(
    ("line", "short"),
    [
        (b"a/b", True),
        (b"a" * MAX_PATH_BYTES, True),
        (b"a" * (MAX_PATH_BYTES + 1), False),
        (b"/a" * MAX_DEPTH, True),
        (b"/" * MAX_DEPTH + b"a" * MAX_DEPTH * 2, True),
        (b"/aa" * (MAX_DEPTH + 1), False),
    ],
)
def test_short_paths(line: bytes, short: bool) -> None:
    """Lines in which no path can be longer or deeper than is allowed."""
    assert has_short_paths([b"", line]) is short
