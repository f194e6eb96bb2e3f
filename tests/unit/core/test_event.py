"""Event names: what is written is read, and what is not of the grammar is refused."""

import string
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.unit.core.strategies import MTIMES, event_names
from tests.unit.core.vectors import VECTORS, vectors

from firnline.core.event import (
    MAX_MTIME,
    MAX_NAME_BYTES,
    BadNameError,
    EventName,
    Kind,
    Op,
    check_flags,
    clamp_mtime,
    decode_mtime,
    encode_mtime,
    kind_of,
    parse_name,
    ref_of,
)
from firnline.core.hashing import PLAIN
from firnline.core.paths import normalize

NAMES = [vector["name"] for vector in VECTORS["events"]]


def name_of(fields: dict[str, Any]) -> EventName:
    """The parts of a name, from the fields of an example."""
    source = fields["source"]
    return EventName(
        time=fields["datetime"],
        data_hash=fields["datahash"],
        op=Op(fields["op"]),
        target=PLAIN.path(normalize(fields["path"])),
        source=None if source is None else PLAIN.path(normalize(source)),
        parent=fields["parent"],
        device=fields["device"],
        mtime=fields["mtime_ms"],
        flags=fields["flags"],
    )


@vectors("events")
def test_vectors(vector):
    """Each example has the name, the length and the EVENTHASH that it is listed with."""
    name = name_of(vector["fields"])
    assert name.text == vector["name"]
    assert (name.target, name.source) == (vector["targetpathhash"], vector["sourcepathhash"])
    assert len(name.text) == vector["bytes"] <= MAX_NAME_BYTES
    assert PLAIN.event(name.text) == vector["eventhash"]
    assert ref_of(name.text) == vector["as_parent"]
    assert parse_name(vector["name"]) == name


@vectors("events")
def test_vectors_hash_their_bodies(vector):
    """A body that is the content has the DATAHASH of the name; of moves and copies it is empty."""
    body, op = vector.get("body"), vector["fields"]["op"]
    if op in ("mov", "cpy"):
        assert body == ""
    elif body is not None:
        assert PLAIN.data(body.encode()) == vector["fields"]["datahash"]


@vectors("refused_names")
def test_refused_vectors(vector):
    """Each of these is left alone by every reader."""
    with pytest.raises(BadNameError):
        parse_name(vector["name"])


@pytest.mark.parametrize("op", Op)
@pytest.mark.parametrize("flags", ["-", "x", "l", "r", "", "xl", "X"])
def test_flags_go_with_their_operations(op, flags):
    """x on what brings a file, l on the move of a link, - everywhere."""
    allowed = {Op.PUT: "-x", Op.PAT: "-x", Op.CPY: "-x", Op.MOV: "-xl"}.get(op, "-")
    if len(flags) == 1 and flags in allowed:
        check_flags(op, flags)
    else:
        with pytest.raises(BadNameError, match=op):
            check_flags(op, flags)


@pytest.mark.parametrize(
    ("op", "flags", "kind"),
    [
        (Op.PUT, "-", Kind.FILE),
        (Op.PUT, "x", Kind.FILE),
        (Op.PAT, "-", Kind.FILE),
        (Op.CPY, "x", Kind.FILE),
        (Op.MOV, "-", Kind.FILE),
        (Op.MOV, "x", Kind.FILE),
        (Op.MOV, "l", Kind.LINK),
        (Op.LNK, "-", Kind.LINK),
        (Op.MKD, "-", Kind.DIRECTORY),
        (Op.DEL, "-", Kind.NOTHING),
        (Op.RMD, "-", Kind.NOTHING),
    ],
)
def test_kinds(op, flags, kind):
    """What an operation leaves at its target (section 11)."""
    assert kind_of(op, flags) is kind


@given(event_names())
def test_what_is_written_is_read(name):
    """Every valid name comes back in its parts, and fits what the tightest store can hold."""
    assert parse_name(name.text) == name
    assert len(name.text.encode("ascii")) <= MAX_NAME_BYTES
    assert set(name.text) <= set(string.ascii_lowercase + string.digits + "_.-")


@given(st.one_of(st.text(), st.text(string.digits + "_.-putx0v", max_size=150)))
def test_junk_is_refused(text):
    """No text that hypothesis finds by itself is a name, and none raises anything else."""
    with pytest.raises(BadNameError):
        parse_name(text)


_SPOILERS = st.sampled_from(
    [*"_.-~/\\ \n\0", "0", "9", "v", "w", "V", "x", "l", "\u0660", "", "00"]
)


@given(
    st.one_of(st.sampled_from(NAMES), event_names().map(lambda name: name.text)),
    st.integers(0, 142),
    st.integers(0, 2),
    _SPOILERS,
)
@example(NAMES[0], 106, 1, "\n")
def test_a_changed_name_is_refused_or_another_name(text, at, length, put):
    """Whatever is put in place of a few characters: BadNameError, or exactly what it says."""
    changed = text[:at] + put + text[at + length :]
    try:
        name = parse_name(changed)
    except BadNameError:
        return
    assert name.text == changed


@vectors("mtimes")
def test_mtime_vectors(vector):
    """Floor of milliseconds, clamped, as nine digits."""
    milliseconds = clamp_mtime(vector["ns"])
    assert milliseconds == min(max(vector["ms"], 0), MAX_MTIME)
    assert encode_mtime(milliseconds) == vector["mtime"]
    assert decode_mtime(vector["mtime"]) == milliseconds


@given(MTIMES, MTIMES)
def test_mtimes_come_back_and_sort(one, other):
    """Encoding loses nothing, and texts sort as numbers."""
    assert decode_mtime(encode_mtime(one)) == one
    assert (encode_mtime(one) < encode_mtime(other)) == (one < other)


@given(st.integers(-(2**70), 2**70))
def test_clamped_mtimes_can_be_written(nanoseconds):
    """Any time that a file system can claim has its nine digits."""
    milliseconds = clamp_mtime(nanoseconds)
    assert 0 <= milliseconds <= MAX_MTIME
    assert decode_mtime(encode_mtime(milliseconds)) == milliseconds


@given(st.one_of(st.text(), st.text("0123456789abcdefghijklmnopqrstuvwW_+- ", max_size=10)))
@example("0000000001")
@example("00000000w")
@example("\uff10" * 9)
@example("+00000000")
@example("0000_0000")
def test_junk_mtimes_are_refused(text):
    """Nine digits of base32hex and nothing else."""
    try:
        milliseconds = decode_mtime(text)
    except ValueError:
        return
    assert encode_mtime(milliseconds) == text
