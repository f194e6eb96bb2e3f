"""Everything that reads what a store or a person wrote, fed with mutated valid input.

A parser either understands, and then what it writes is understood the same way again, or raises
its own typed error. Nothing else may come out of it.
"""

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import NamedTuple

from tests.scenario.forging import batch, change, member, single
from tests.scenario.hostile.mutation import mutate

from firnline.config.errors import ConfigError
from firnline.config.settings import load
from firnline.core.batch import (
    MAX_HEADER,
    BadBatchError,
    manifest_size,
    read_manifest,
    write_manifest,
)
from firnline.core.event import BadNameError, DeviceId, Op, parse_name
from firnline.core.paths import BadPathError, check_path
from firnline.folder.ignore import Ignore
from firnline.folder.links import link_stays_inside
from firnline.stores import layout
from firnline.stores.configs import DeviceRecord, FolderConfig, StoreConfig
from firnline.stores.errors import CorruptError, FutureFormatError
from firnline.stores.layout import FolderId, StoreHash


class Target(NamedTuple):
    """One parser: valid inputs, how it is called, and what it may raise."""

    seeds: list[bytes]
    parse: Callable[[bytes], None]
    refusals: tuple[type[Exception], ...]


def _name(body: bytes) -> None:
    text = body.decode("utf-8", "surrogateescape")
    assert parse_name(text).text == text


def _path(body: bytes) -> None:
    path = check_path(body.decode("utf-8", "surrogateescape"))
    assert path == check_path(path)
    assert ".." not in path.split("/")


def _batch(body: bytes) -> None:
    header, size = manifest_size(body[:MAX_HEADER])
    changes = read_manifest(body[header : header + size])
    again = write_manifest(changes)
    assert read_manifest(again[manifest_size(again)[0] :]) == changes


def _manifest(body: bytes) -> None:
    for each in read_manifest(body):
        check_path(each.path)


def _store_config(body: bytes) -> None:
    parsed = StoreConfig.parse(body, "config")
    assert StoreConfig.parse(parsed.body(), "config") == parsed


def _folder_config(body: bytes) -> None:
    parsed = FolderConfig.parse(body, "config")
    assert FolderConfig.parse(parsed.body(), "config") == parsed


def _device(body: bytes) -> None:
    parsed = DeviceRecord.parse("dddddddd", body, "device")
    assert DeviceRecord.parse("dddddddd", parsed.body(), "device") == parsed


def _names_in_a_store(body: bytes) -> None:
    text = body.decode("utf-8", "surrogateescape")
    for parse in (
        layout.parse_day, layout.parse_late, layout.parse_idle, layout.parse_base,
        layout.parse_status, layout.parse_snapshot_id, layout.parse_folder_directory,
    ):  # fmt: skip
        parse(text)


def _ignore(body: bytes) -> None:
    ignore = Ignore.parse(body.decode("utf-8", "replace"))
    for path in ("a", "a/b.txt", "x" * 200, "a/" * 100 + "a"):
        ignore.matches(path, False)


def _link(body: bytes) -> None:
    text = body.decode("utf-8", "surrogateescape")
    assert not (link_stays_inside("a/b", text) and text.startswith("/"))


_STORE = StoreConfig(StoreHash("0" * 16), "directory", "nas", 50, False, "/mnt", (), 3, {"k": [1]})
_EVENTS = [
    single(change(Op.PUT, "a.txt", b"x", flags="x")).name,
    single(change(Op.MOV, "a.txt", b"x", source="b.txt")).name,
    batch((change(Op.DEL, "a"), None)).name,
]
_MANIFESTS = [
    member("a.txt", size=3) + member("b/c.txt", op="mov", offset=None, **{"from": "d"}),
    member("z", op="mkd", offset=None) + member("ü/\u2025", op="lnk"),
]
TARGETS: dict[str, Target] = {
    "event name": Target([name.encode() for name in _EVENTS], _name, (BadNameError,)),
    "path": Target([b"a/b.txt", "Ü/ä b".encode(), b"a" * 255], _path, (BadPathError,)),
    "batch": Target(
        [b"firnline-batch 1 %d\n%b" % (len(each), each) for each in _MANIFESTS],
        _batch,
        (BadBatchError,),
    ),
    "manifest": Target(_MANIFESTS, _manifest, (BadBatchError,)),
    "store config": Target([_STORE.body()], _store_config, (CorruptError, FutureFormatError)),
    "folder config": Target(
        [FolderConfig(FolderId("0" * 16), "docs", unknown={"k": {"l": 1.5}}).body()],
        _folder_config,
        (CorruptError, FutureFormatError),
    ),
    "device": Target(
        [DeviceRecord(DeviceId("dddddddd"), "name", "Linux", "0.1").body()],
        _device,
        (CorruptError, FutureFormatError),
    ),
    "names in a store": Target(
        [b"20261122", b"late_20261122080000000000", b"docs-01234567", b"00000001aaaaaa"],
        _names_in_a_store,
        (),
    ),
    "ignore patterns": Target([b"*.o\n/build/\n!keep\n[a-z]**/x\n"], _ignore, ()),
    "link": Target([b"../a/b", b"c"], _link, ()),
}


def settings_target(place: Path) -> Target:
    """config.toml, which is read from a file."""
    file = place / "config.toml"
    seed = b"""format = 1
[device]
name = "anna"
[log]
level = "info"
[stores.nas]
location = "/mnt/nas"
store_id = "0123456789abcdef"
[folders.docs]
folder_id = "aaaaaaaaaaaaaaaa"
path = "/home/anna/docs"
stores = ["nas"]
"""

    def parse(body: bytes) -> None:
        file.write_bytes(body)
        file.chmod(0o600)
        load(file)

    return Target([seed], parse, (ConfigError,))


def fuzz(target: Target, seed: int) -> bool:
    """One mutated input; True when it was understood. Raises AssertionError with the input."""
    dice = Random(seed)
    body = mutate(dice.choice(target.seeds), target.seeds, dice)
    try:
        target.parse(body)
    except target.refusals:
        return False
    except Exception as error:
        raise AssertionError(f"seed {seed}: {type(error).__name__} from {body!r}") from error
    return True
