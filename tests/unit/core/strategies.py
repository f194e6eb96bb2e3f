"""What hypothesis makes for the tests of the core."""

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from firnline.core.clock import format_time
from firnline.core.entry import Change
from firnline.core.event import MAX_MTIME, DeviceId, EventName, Op
from firnline.core.hashing import ALPHABET, EMPTY_HASH, DataHash, PathHash, Ref
from firnline.core.paths import MAX_PART_BYTES, is_own_name, normalize


def _letters(length: int) -> st.SearchStrategy[str]:
    return st.text(ALPHABET, min_size=length, max_size=length)


DATA_HASHES = _letters(32).map(DataHash)
PATH_HASHES = st.builds("{}{}".format, _letters(25), st.sampled_from("048cgkos")).map(PathHash)
PARENTS = st.one_of(st.just("0"), _letters(10)).map(Ref)
DEVICES = _letters(8).map(DeviceId)
MTIMES = st.integers(0, MAX_MTIME)
FIRST_MOMENT = datetime(2000, 1, 1, tzinfo=UTC)
_DAYS = (datetime(2100, 1, 1, tzinfo=UTC) - FIRST_MOMENT).days
MOMENTS = st.integers(0, _DAYS * 86_400_000_000 - 1).map(
    lambda microseconds: FIRST_MOMENT + timedelta(microseconds=microseconds)
)
"""All moments that a name can hold."""
TIMES = MOMENTS.map(format_time)


def _part_allowed(part: str) -> bool:
    length = len(part.encode())
    return part not in ("", ".", "..") and length <= MAX_PART_BYTES and not is_own_name(part)


_CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="/\0")
PARTS = st.text(_CHARACTERS, min_size=1, max_size=8).map(normalize).filter(_part_allowed)
PATHS = (
    st.lists(PARTS, min_size=1, max_size=4)
    .map("/".join)
    .filter(lambda path: normalize(path) == path)
)


def _flags(op: Op) -> st.SearchStrategy[str]:
    allowed = {Op.PUT: "-x", Op.PAT: "-x", Op.CPY: "-x", Op.MOV: "-xl"}
    return st.sampled_from(allowed.get(op, "-"))


@st.composite
def event_names(draw: st.DrawFn) -> EventName:
    """Any name that the grammar allows."""
    op = draw(st.sampled_from(Op))
    target = draw(PATH_HASHES)
    source = draw(PATH_HASHES.filter(lambda p: p != target)) if op in (Op.MOV, Op.CPY) else None
    if op is Op.CPY and draw(st.booleans()):
        source = target
    return EventName(
        draw(TIMES),
        draw(DATA_HASHES),
        op,
        target,
        source,
        draw(PARENTS),
        draw(DEVICES),
        draw(MTIMES),
        draw(_flags(op)),
    )


@st.composite
def manifests(draw: st.DrawFn) -> list[Change]:
    """Any valid list of the changes of one batch."""
    paths = draw(st.lists(PATHS, unique=True, max_size=8))
    sources = draw(st.lists(PATHS, unique=True, max_size=4))
    free = [path for path in sources if path not in paths]
    changes: list[Change] = []
    end = 0
    for path in sorted(paths):
        op = draw(st.sampled_from([Op.PUT, Op.DEL, Op.MKD, Op.RMD, Op.LNK, Op.MOV]))
        source = None
        if op is Op.MOV:
            op, source = (op, free.pop()) if free else (Op.PUT, None)
        elif draw(st.booleans()):
            source = draw(st.sampled_from([*paths, *sources]))
        empty = op in (Op.DEL, Op.MKD, Op.RMD)
        size = 0 if empty else draw(st.integers(0, 2**40))
        offset = None
        if op in (Op.PUT, Op.LNK) and draw(st.booleans()):
            offset, end = end, end + size
        data_hash = EMPTY_HASH if empty else draw(DATA_HASHES)
        parent, mtime = draw(PARENTS), draw(MTIMES)
        flags = draw(_flags(op))
        changes.append(Change(op, path, source, parent, data_hash, size, mtime, flags, offset))
    return changes
