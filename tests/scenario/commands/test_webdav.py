"""Two devices over a WebDAV server, as users meet it: real processes, a real server."""

from pathlib import Path

import pytest
from tests.scenario.commands.device import Device
from tests.servers.webdav import PASSWORD, WebDavServer


@pytest.fixture
def two(tmp_path: Path) -> tuple[Device, Device]:
    return Device(tmp_path / "anna"), Device(tmp_path / "bert")


@pytest.mark.timeout(120)
@pytest.mark.parametrize("kind", ["apache", "rclone_webdav"])
def test_two_devices(kind: str, two: tuple[Device, Device], request: pytest.FixtureRequest):
    """A file each way, an edit, a deletion, and the password stands nowhere."""
    server: WebDavServer = request.getfixturevalue(kind)
    anna, bert = two
    for device in two:
        device.environment["FIRNLINE_SECRET_CLOUD"] = PASSWORD
        device.run("store", "add", "cloud", server.location(f"two-devices-{kind}"))
    anna.write("a.txt", "from anna")
    anna.run("folder", "create", str(anna.folder), "--store", "cloud")
    anna.run("sync")
    bert.run("folder", "join", "docs", str(bert.folder))
    bert.run("sync")
    assert (bert.folder / "a.txt").read_text() == "from anna"
    bert.write("a.txt", "edited by bert")
    bert.write("dir/b.txt", "from bert")
    bert.run("sync")
    anna.run("sync")
    assert (anna.folder / "a.txt").read_text() == "edited by bert"
    (anna.folder / "dir" / "b.txt").unlink()
    anna.run("sync")
    bert.run("sync")
    assert not (bert.folder / "dir" / "b.txt").exists()
    assert anna.document("store", "list")[0]["kind"] == "webdav"
    for device in two:
        kept = [path for path in (device.base / "profile").rglob("*") if path.is_file()]
        assert kept
        assert not any(PASSWORD.encode() in path.read_bytes() for path in kept)


def test_wrong_password(apache: WebDavServer, two: tuple[Device, Device]):
    """A wrong password is told apart from a server that is away, and is not repeated."""
    anna, _ = two
    anna.environment["FIRNLINE_SECRET_CLOUD"] = "canary-wrong"
    result = anna.run("store", "add", "cloud", apache.location("wrong"), code=1)
    said = result.stderr.decode()
    assert "does not take this user and password" in said
    assert "canary-wrong" not in said


def test_an_open_line(two: tuple[Device, Device]):
    """A password is not sent over a line that all on the way can read."""
    anna, _ = two
    said = anna.run("store", "add", "cloud", "webdav://me@nas.example/dav", code=1).stderr.decode()
    assert "use webdavs://" in said
