"""One folder on a disk, an SFTP, a WebDAV and an S3 store at once: real processes and servers.

Anna sees only the SFTP server, Bert only the WebDAV and the S3 one, and Carol sees all and the
disk besides. Each server is stopped in turn.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.scenario.commands.device import Device
from tests.servers import s3, webdav
from tests.servers.openssh import OpenSsh
from tests.servers.process import HOST
from tests.servers.s3 import SeaweedFs
from tests.servers.s3_stores import new_base
from tests.servers.webdav import Apache

SEEN = {"anna": {"nas"}, "bert": {"cloud", "bucket"}, "carol": {"nas", "cloud", "bucket"}}
"""The servers that each sees."""


class World(NamedTuple):
    """Three devices and three servers of their own."""

    anna: Device
    bert: Device
    carol: Device
    servers: dict[str, OpenSsh | Apache | SeaweedFs]

    @property
    def devices(self) -> list[Device]:
        return [self.anna, self.bert, self.carol]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    servers: dict[str, OpenSsh | Apache | SeaweedFs] = {}
    for name, make in (("nas", OpenSsh), ("cloud", Apache), ("bucket", SeaweedFs)):
        (tmp_path / name).mkdir()
        server = make(tmp_path / name)
        server.start()
        servers[name] = server
    anna, bert, carol = (Device(tmp_path / name) for name in ("anna", "bert", "carol"))
    yield World(anna, bert, carol, servers)
    for server in servers.values():
        server.stop()


def add_all(world: World, base: Path) -> None:
    """Every device has the stores that it sees."""
    ssh, apache, seaweed = world.servers.values()
    assert isinstance(ssh, OpenSsh)
    assert isinstance(apache, Apache)
    assert isinstance(seaweed, SeaweedFs)
    nas = [f"sftp://{ssh.user}@{HOST}:{ssh.port}{base / 'far'}", f"key={ssh.key}"]
    nas.append(f"fingerprint={ssh.fingerprint}")
    bucket = [new_base(), *(f"{key}={value}" for key, value in seaweed.options().items())]
    for device in (world.anna, world.carol):
        add(device, "nas", nas)
    for device in (world.bert, world.carol):
        device.environment["FIRNLINE_SECRET_CLOUD"] = webdav.PASSWORD
        device.environment["FIRNLINE_SECRET_BUCKET"] = s3.SECRET
        add(device, "cloud", [apache.location("all-stores")])
        add(device, "bucket", bucket)
    add(world.carol, "disk", [str(base / "disk")])


def add(device: Device, name: str, place: list[str]) -> None:
    options = [word for option in place[1:] for word in ("--option", option)]
    device.run("store", "add", name, place[0], *options)


def trees(world: World) -> list[dict[str, str]]:
    found = []
    for device in world.devices:
        files = (path for path in device.folder.rglob("*") if path.is_file())
        paths = (path.relative_to(device.folder) for path in files)
        found.append({p.as_posix(): device.read(str(p)) for p in paths if p.parts[0][0] != "."})
    return found


def settle(world: World) -> dict[str, str]:
    """Carol carries between the two who see nothing of each other; the tree of all."""
    for device in (world.anna, world.bert, world.carol, world.anna, world.bert):
        device.run("sync")
    first, *others = trees(world)
    assert all(tree == first for tree in others)
    return first


@pytest.mark.timeout(240)
def test_four_kinds_at_once(world: World, tmp_path: Path):
    """The trees are equal, whichever server was away meanwhile, and each store has everything."""
    anna, bert, carol = world.devices
    add_all(world, tmp_path)
    carol.write("first.txt", "from carol")
    stores = [word for name in ("disk", "nas", "cloud", "bucket") for word in ("--store", name)]
    carol.run("folder", "create", str(carol.folder), *stores)
    carol.run("sync")
    anna.run("folder", "join", "docs", str(anna.folder), "--store", "nas")
    bert.run("folder", "join", "docs", str(bert.folder), "--store", "cloud", "--store", "bucket")
    assert settle(world) == {"first.txt": "from carol"}
    expected = {"first.txt": "from carol"}
    for away, server in world.servers.items():
        server.stop()
        for device in world.devices:
            device.write(f"{device.base.name}.txt", f"without {away}")
            expected[f"{device.base.name}.txt"] = f"without {away}"
            device.run("sync", code=1 if away in SEEN[device.base.name] else 0)
        server.start()
        assert settle(world) == expected
    found = [each for each in carol.document("verify", "docs") if each["store"] in stores]
    assert len(found) == 4
    assert [each["bad"] for each in found] == [[]] * 4
    assert len({each["checked"] for each in found}) == 1
