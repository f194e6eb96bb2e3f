"""The JSON files of a store, friendly and hostile."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firnline.core.event import DeviceId
from firnline.stores.configs import (
    DeviceRecord,
    FolderConfig,
    StoreConfig,
    newer,
)
from firnline.stores.errors import CorruptError, FutureFormatError
from firnline.stores.layout import FolderId, StoreHash

STORE = StoreConfig(
    store_id=StoreHash("0123456789abcdef"),
    kind="directory",
    name="NAS",
    rating=50,
    minor=False,
    location="/mnt/nas",
    folders=(FolderId("a" * 16), FolderId("b" * 16)),
)
FOLDER = FolderConfig(folder_id=FolderId("f" * 16), folder_name="Fotos \u96ea")

IDS = st.text("0123456789abcdefghijklmnopqrstuv", min_size=16, max_size=16)
LINES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=50)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(LINES, inner),
    max_leaves=10,
)
UNKNOWN = st.dictionaries(LINES.map(lambda key: f"x-{key}"), JSON, max_size=3)
STORES = st.builds(
    StoreConfig,
    store_id=IDS.map(StoreHash),
    kind=LINES,
    name=LINES,
    rating=st.integers(0, 100),
    minor=st.booleans(),
    location=LINES | st.just(""),
    folders=st.sets(IDS.map(FolderId)).map(lambda ids: tuple(sorted(ids))),
    revision=st.integers(0, 2**53),
    unknown=UNKNOWN,
)
FOLDERS = st.builds(
    FolderConfig,
    folder_id=IDS.map(FolderId),
    folder_name=LINES,
    encrypted=st.booleans(),
    revision=st.integers(0, 2**53),
    unknown=UNKNOWN,
)


def altered(body: bytes, **changes: object) -> bytes:
    """A config with other values; ... removes a key."""
    fields = {**json.loads(body), **changes}
    return json.dumps({key: value for key, value in fields.items() if value is not ...}).encode()


@given(STORES)
def test_store_config_round_trip(config):
    """What was written is read, unknown keys included, and written again byte for byte."""
    body = config.body()
    assert StoreConfig.parse(body, "p") == config
    assert StoreConfig.parse(body, "p").body() == body


@given(FOLDERS)
def test_folder_config_round_trip(config):
    """What was written is read, unknown keys included, and written again byte for byte."""
    body = config.body()
    assert FolderConfig.parse(body, "p") == config
    assert FolderConfig.parse(body, "p").body() == body


@given(LINES, LINES, UNKNOWN)
def test_device_round_trip(name, system, unknown):
    """What was written is read; the device is known by the name of the file."""
    record = DeviceRecord(DeviceId("a1b2c3d4"), name, system, "1.0", unknown)
    assert DeviceRecord.parse("a1b2c3d4", record.body(), "p") == record


def test_the_bytes():
    """UTF-8, sorted keys, a newline at the end, the keys of docs/design.md section 11."""
    body = FOLDER.body()
    assert body.decode().endswith("}\n")
    assert "\u96ea" in body.decode()
    assert list(json.loads(body)) == sorted(json.loads(body))
    assert list(json.loads(STORE.body())) == sorted(
        ["format", "revision", "store_id", "kind", "name", "rating", "minor", "location", "folders"]
    )
    assert json.loads(body) == {
        "format": 1,
        "revision": 1,
        "folder_id": "f" * 16,
        "folder_name": "Fotos \u96ea",
        "encrypted": False,
    }


@given(FOLDERS, FOLDERS, FOLDERS)
def test_newer_does_not_depend_on_the_order(one, two, three):
    """All devices agree on which version holds, in whatever order they see them."""
    assert newer(one, two).body() == newer(two, one).body()
    assert newer(newer(one, two), three).body() == newer(one, newer(two, three)).body()


def test_newer():
    """The larger revision holds; of equal ones, the larger bytes."""
    old = FolderConfig(FolderId("f" * 16), "zzz", revision=2)
    new = FolderConfig(FolderId("f" * 16), "aaa", revision=10)
    also = FolderConfig(FolderId("f" * 16), "bbb", revision=10)
    assert newer(old, new) is new
    assert newer(new, also) is also


@pytest.mark.parametrize("body", [altered(STORE.body(), format=2), b'{"format": 99}'])
def test_future_format(body):
    """A later format is named, and nothing else of it is looked at."""
    for parse in (StoreConfig.parse, FolderConfig.parse):
        with pytest.raises(FutureFormatError, match="format") as caught:
            parse(body, "stores/x/config")
        assert caught.value.path == "stores/x/config"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no json",
        b"[]",
        b"null",
        b"1",
        b"\xff\xfe",
        b'{"format": NaN}',
        b"[" * 100_000,
        b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
        altered(FOLDER.body(), deep=json.loads("[" * 40 + "]" * 40)),
        altered(FOLDER.body())[:-5],
        altered(FOLDER.body(), x="\ud800"),
        altered(FOLDER.body()).replace(b"1", b"1e999"),
        altered(FOLDER.body(), revision=7).replace(b"7", b"9" * 5_000),
        b'{"x": 1e999, ' + altered(FOLDER.body())[1:],
        altered(FOLDER.body(), format=...),
        altered(FOLDER.body(), format=True),
        altered(FOLDER.body(), format="1"),
        altered(FOLDER.body(), format=0),
        altered(FOLDER.body(), revision=-1),
        altered(FOLDER.body(), revision=1.5),
        altered(FOLDER.body(), revision=2**53 + 1),
        altered(FOLDER.body(), folder_id="F" * 16),
        altered(FOLDER.body(), folder_id="../../../../etc/"),
        altered(FOLDER.body(), folder_id=7),
        altered(FOLDER.body(), folder_name=""),
        altered(FOLDER.body(), folder_name=None),
        altered(FOLDER.body(), folder_name="a\nb"),
        altered(FOLDER.body(), folder_name="x" * 1_001),
        altered(FOLDER.body(), encrypted=0),
        altered(FOLDER.body(), encrypted=...),
    ],
)
def test_hostile_folder_config(body):
    """Whatever is not exactly a folder's config is corrupt, and never another error."""
    with pytest.raises(CorruptError) as caught:
        FolderConfig.parse(body, "f/config")
    assert caught.value.path == "f/config"


@pytest.mark.parametrize(
    "changes",
    [
        {"rating": 101},
        {"rating": -1},
        {"rating": True},
        {"rating": 5.0},
        {"minor": "no"},
        {"kind": []},
        {"location": None},
        {"folders": "f" * 16},
        {"folders": ["f" * 15]},
        {"folders": [["f" * 16]]},
        {"folders": {"f" * 16: 1}},
        {"store_id": ...},
    ],
)
def test_hostile_store_config(changes):
    """Values of other types or bounds than docs/design.md section 11 says are corrupt."""
    with pytest.raises(CorruptError):
        StoreConfig.parse(altered(STORE.body(), **changes), "p")


@given(JSON | st.dictionaries(st.sampled_from(sorted(json.loads(STORE.body()))), JSON))
def test_any_json(value):
    """Any JSON at all is read, or corrupt, or of a later format."""
    body = json.dumps(value).encode()
    for parse in (StoreConfig.parse, FolderConfig.parse):
        with pytest.raises((CorruptError, FutureFormatError)):
            parse(body, "p")


@given(st.binary())
def test_any_bytes(body):
    """Any bytes at all are no crash."""
    with pytest.raises(CorruptError):
        DeviceRecord.parse("a1b2c3d4", body, "p")


def test_folders_are_a_set():
    """Folders that are listed twice or out of order are the same folders."""
    body = altered(STORE.body(), folders=["b" * 16, "a" * 16, "b" * 16])
    assert StoreConfig.parse(body, "p") == STORE


def test_junk_device():
    """A record under a name that is no device is not read."""
    with pytest.raises(CorruptError):
        DeviceRecord.parse("../x", b"{}", "p")
