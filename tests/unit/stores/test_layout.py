"""Paths and names of the store format, docs/design.md sections 2 and 11."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firnline.core.clock import DateTime, format_time
from firnline.core.event import parse_name
from firnline.core.hashing import ALPHABET, PLAIN, DataHash, EventHash
from firnline.stores import layout
from firnline.stores.layout import (
    BaseRecord,
    ConnectionLayout,
    FolderId,
    FolderLayout,
    SnapshotId,
    StatusRecord,
    StoreHash,
)
from firnline.stores.store_path import check_store_path

STORE = StoreHash("s" * 16)
FOLDER = FolderLayout("my-photos", FolderId("0123456789abcdef"))
SNAPSHOT = SnapshotId("00000042abcdef")
HASH = DataHash("cgrr7b1o8p8j7vtm7dqieekdml4cam26")
NAME = f"20261122082600123456_{HASH}_put_1gdhnic9c99s349hlep6seoj88.0-a1b2c3d4-1k815pdhr--"
MOVE = (
    f"20261122082600123456_{HASH}_mov_1gdhnic9c99s349hlep6seoj88_39h2dll0d0qavi0p6vm1ge3mtk"
    ".ut74eerkas-a1b2c3d4-1k815pdhr--"
)
MOMENTS = st.integers(0, 99 * 365 * 86_400 * 10**6).map(
    lambda microseconds: datetime(2000, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
)
IDS = st.text(ALPHABET, min_size=16, max_size=16)


EVENT = parse_name(MOVE)
BEAT = ConnectionLayout("c" * 16)
MOMENT = datetime(2026, 11, 22, 8, 26, 0, 123456, tzinfo=UTC)


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (layout.store_config(STORE), "stores/ssssssssssssssss/config"),
        (layout.is_current(STORE), "stores/ssssssssssssssss/is_current"),
        (layout.device_record("a1b2c3d4"), "devices/a1b2c3d4"),
        (BEAT.priority, "connections/cccccccccccccccc/priority"),
        (BEAT.idle(MOMENT), "connections/cccccccccccccccc/idle_20261122082600123456"),
        (BEAT.late(MOMENT), "connections/cccccccccccccccc/late_20261122082600123456"),
        (BEAT.tmp, "connections/cccccccccccccccc/tmp"),
        (FOLDER.config, "my-photos-01234567/config"),
        (FOLDER.has(STORE), "my-photos-01234567/stores/ssssssssssssssss/has"),
        (FOLDER.events, "my-photos-01234567/events"),
        (FOLDER.events_day("20261122"), "my-photos-01234567/events/20261122"),
        (FOLDER.event(NAME), f"my-photos-01234567/events/20261122/{NAME}"),
        (FOLDER.index(EVENT.target), f"my-photos-01234567/eventsindex/1g/{EVENT.target}"),
        (
            FOLDER.base(BaseRecord(STORE, SNAPSHOT, "0")),
            f"my-photos-01234567/snapshot/base/{STORE}_{SNAPSHOT}_0",
        ),
        (
            FOLDER.status(StatusRecord(SNAPSHOT, DateTime("20261122082600123456"), HASH)),
            f"my-photos-01234567/snapshot/status/{SNAPSHOT}_20261122082600123456_{HASH}",
        ),
        (FOLDER.item(SNAPSHOT, "names"), f"my-photos-01234567/snapshot/items/{SNAPSHOT}/names"),
        (
            FOLDER.invert(EVENT, EventHash("e" * 32)),
            f"my-photos-01234567/history/invert/202611/20261122082600123456_{'e' * 32}_mov_"
            f"{EVENT.target}_{EVENT.source}",
        ),
        (
            FOLDER.invert(parse_name(NAME), EventHash("e" * 32)),
            f"my-photos-01234567/history/invert/202611/20261122082600123456_{'e' * 32}_put_"
            f"{EVENT.target}",
        ),
        (FOLDER.history(HASH), f"my-photos-01234567/history/data/cg/{HASH}"),
        (FOLDER.dying(HASH), f"my-photos-01234567/history/dying/{HASH}"),
    ],
)
def test_every_path(made, expected):
    """Each file of docs/design.md section 2 stands where that section says."""
    assert check_store_path(made) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Photos", "photos"),
        ("My Files & Things!", "my-files-things"),
        ("  --a--  ", "a"),
        ("Ångström 2026", "a-ngstro-m-2026"),
        ("\ufb01le \u21165 \u2460", "file-no5-1"),
        ("雪", "folder"),
        ("", "folder"),
        ("../../etc", "etc"),
        ("x" * 50, "x" * 32),
        ("x" * 31 + " y", "x" * 31),
        ("\u212a", "k"),
    ],
)
def test_slug(name, expected):
    """NFKD; ASCII letters and digits in lower case, runs of the rest one `-`, trimmed, 32 long."""
    assert layout.slug(name) == expected


@given(st.text())
def test_slug_makes_a_folder_directory(name):
    """Every slug is found again in the directory name that it makes."""
    made = FolderLayout(layout.slug(name), FolderId("0123456789abcdef"))
    assert layout.parse_folder_directory(made.root) == (made.slug, "01234567")
    assert re.fullmatch("[0-9a-z-]{1,32}", made.slug)
    check_store_path(made.event(NAME))


@pytest.mark.parametrize(
    "name",
    ["stores", "devices", "connections", "READ-ME.txt", "a-0123456", "A-01234567", "-01234567"],
)
def test_no_folder_directory(name):
    """Other names in a store's base are no folders."""
    assert layout.parse_folder_directory(name) is None


@given(MOMENTS)
def test_beats_and_hints(moment):
    """`idle_` and `late_` names give their moment back, and not each other's."""
    connection = ConnectionLayout("c" * 16)
    idle = connection.idle(moment).rpartition("/")[2]
    late = connection.late(moment).rpartition("/")[2]
    assert layout.parse_idle(idle) == moment
    assert layout.parse_late(late) == moment
    assert layout.parse_idle(late) is None
    assert layout.parse_late(idle) is None


@pytest.mark.parametrize(
    "name", ["idle_", "idle_2026", "idle_20269922082600123456", "idle_idle_20261122082600123456"]
)
def test_no_beat(name):
    """A name that is no calendar time is no heartbeat."""
    assert layout.parse_idle(name) is None


@given(IDS, st.integers(0, 10**8 - 1), st.binary(min_size=4, max_size=4), st.booleans())
def test_base_records(store, number, random, first):
    """The name of a commit record gives its parts back."""
    snapshot = layout.new_snapshot_id(number, lambda count: random[:count])
    record = BaseRecord(StoreHash(store), snapshot, "0" if first else "f" * 32)
    assert layout.parse_base(record.text) == record
    assert layout.parse_snapshot_id(snapshot) == snapshot
    assert layout.snapshot_number(snapshot) == number


@pytest.mark.parametrize("number", [-1, 10**8])
def test_snapshot_numbers_have_8_digits(number):
    """A SNAPID that would not sort is not made."""
    with pytest.raises(ValueError, match="8 digits"):
        layout.new_snapshot_id(number, bytes)


@given(MOMENTS)
def test_status_records(moment):
    """The name of a running freeze gives its parts back."""
    record = StatusRecord(SNAPSHOT, format_time(moment), HASH)
    assert layout.parse_status(record.text) == record


@pytest.mark.parametrize(
    "text",
    [
        "",
        "00000042abcdef",
        f"{STORE}_00000042abcdef",
        f"{STORE}_00000042abcdeF_0",
        f"{STORE}_-0000042abcdef_0",
        f"{STORE}_00000042abcdef_1",
        f"{STORE}_00000042abcdef_0\n",
        f"{STORE}_\u06600000042abcdef_0",
        f"00000042abcdef_20261322082600123456_{HASH}",
    ],
)
def test_junk_records(text):
    """A name off the grammar is neither a commit record nor a status."""
    assert layout.parse_base(text) is None
    assert layout.parse_status(text) is None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("20261122", "20261122"),
        ("20240229", "20240229"),
        ("20260229", None),
        ("19991231", None),
        ("2026112", None),
        ("20261122082600", None),
        ("2026112\u00b2", None),
        ("tmp", None),
    ],
)
def test_days(name, expected):
    """A directory below `events/` is a day of the years 2000 to 2099, or none."""
    assert layout.parse_day(name) == expected


def test_snapshot_id_junk():
    """A SNAPID is 8 digits and 6 characters."""
    assert layout.parse_snapshot_id("0000042abcdef") is None


@given(st.binary(min_size=16, max_size=16), st.integers(1, 16))
def test_random_ids(random, length):
    """A random id has the letters and the length asked for, made of `random`."""
    made = layout.random_id(length, lambda count: random[:count])
    assert len(made) == length
    assert set(made) <= set(ALPHABET)


def test_store_hash_is_an_id():
    """A STOREHASH is 16 characters, and other bytes make another."""
    assert layout.is_id(layout.new_store_hash(bytes))
    assert layout.new_store_hash(bytes) != layout.new_store_hash(lambda n: b"\1" * n)
    assert not layout.is_id("S" * 16)
    assert layout.is_device("a1b2c3d4")
    assert not layout.is_device("a1b2c3d")


def test_connection_hash():
    """CONNHASH is the first 16 characters over DEVICE, NUL, STOREHASH, NUL and the token."""
    whole = PLAIN.data(b"a1b2c3d4\x00" + b"s" * 16 + b"\x00token")
    assert layout.connection_hash("a1b2c3d4", STORE, b"token") == whole[:16]
    assert layout.connection_hash("a1b2c3d4", STORE, b"other") != whole[:16]
