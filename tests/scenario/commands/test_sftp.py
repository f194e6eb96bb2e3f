"""Two devices over an SFTP server, as users meet it: real processes, a real server."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.scenario.commands.device import Device
from tests.servers.openssh import PASSPHRASE, OpenSsh
from tests.servers.process import HOST
from tests.servers.rclone_sftp import PASSWORD, USER, RcloneSftp


@pytest.fixture
def two(tmp_path: Path) -> tuple[Device, Device]:
    return Device(tmp_path / "anna"), Device(tmp_path / "bert")


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[OpenSsh]:
    """A server that a test may stop and change."""
    (tmp_path / "server").mkdir()
    server = OpenSsh(tmp_path / "server")
    server.start()
    yield server
    server.stop()


def location(server: OpenSsh, base: Path) -> str:
    return f"sftp://{server.user}@{HOST}:{server.port}{base}"


def add(device: Device, place: str, *options: str) -> None:
    given = [word for option in options for word in ("--option", option)]
    device.run("store", "add", "nas", place, *given)


def play(anna: Device, bert: Device) -> None:
    """A file each way, an edit, a deletion."""
    anna.write("a.txt", "from anna")
    anna.run("folder", "create", str(anna.folder), "--store", "nas")
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


def test_over_openssh(openssh: OpenSsh, two: tuple[Device, Device], tmp_path: Path):
    """With a key and a file of known hosts, and with a sealed key and a fingerprint."""
    anna, bert = two
    place = location(openssh, tmp_path / "store")
    known = openssh.known_hosts(tmp_path / "known_hosts")
    add(anna, place, f"key={openssh.key}", f"known_hosts={known}")
    sealed = (f"key={openssh.sealed_key}", f"fingerprint={openssh.fingerprint}")
    bert.environment["FIRNLINE_SECRET_NAS"] = PASSPHRASE
    add(bert, place, *sealed)
    play(anna, bert)
    assert anna.document("store", "list")[0]["kind"] == "sftp"


def test_over_rclone(rclone_sftp: RcloneSftp, two: tuple[Device, Device]):
    """With a password, on a server where nothing is exclusive; the password stands nowhere."""
    anna, bert = two
    place = f"sftp://{USER}@{HOST}:{rclone_sftp.port}/two-devices"
    for device in two:
        device.environment["FIRNLINE_SECRET_NAS"] = PASSWORD
        add(device, place, f"fingerprint={rclone_sftp.fingerprint}", "agent=no")
    play(anna, bert)
    for device in two:
        kept = [path for path in (device.base / "profile").rglob("*") if path.is_file()]
        assert kept
        assert not any(PASSWORD.encode() in path.read_bytes() for path in kept)


def test_an_unknown_server(openssh: OpenSsh, two: tuple[Device, Device], tmp_path: Path):
    """A server that nobody confirmed is refused, with the fingerprint to confirm it by."""
    anna, _ = two
    place = location(openssh, tmp_path / "store")
    added = ("store", "add", "nas", place, "--option", f"key={openssh.key}")
    said = anna.run(*added, code=1, HOME=str(tmp_path)).stderr.decode()
    assert f"--option fingerprint={openssh.fingerprint}" in said
    assert not (tmp_path / "store").exists()


def test_refused_logins(openssh: OpenSsh, two: tuple[Device, Device], tmp_path: Path):
    """A strange key, and a wrong passphrase, are told apart from a server that is away."""
    anna, _ = two
    place = location(openssh, tmp_path / "store")
    pinned = f"fingerprint={openssh.fingerprint}"
    added = ("store", "add", "nas", place, "--option", pinned, "--option")
    said = anna.run(*added, f"key={openssh.strange_key}", code=1).stderr.decode()
    assert "does not accept this key" in said
    anna.environment["FIRNLINE_SECRET_NAS"] = "wrong"
    said = anna.run(*added, f"key={openssh.sealed_key}", code=1).stderr.decode()
    assert "sealed_key" in said
    assert "wrong" not in said


def test_a_missing_parent(openssh: OpenSsh, two: tuple[Device, Device], tmp_path: Path):
    """A store is not made below a directory that is not there: that is a typing mistake."""
    anna, _ = two
    place = location(openssh, tmp_path / "no" / "store")
    options = ("--option", f"fingerprint={openssh.fingerprint}", "--option", f"key={openssh.key}")
    said = anna.run("store", "add", "nas", place, *options, code=1).stderr.decode()
    assert "does not exist on the server" in said
    assert not (tmp_path / "no").exists()


@pytest.mark.parametrize("choice", ["accept", "reject"])
def test_a_changed_host_key(
    own_server: OpenSsh, two: tuple[Device, Device], tmp_path: Path, choice: str
):
    """Another key than before stops the store and is a question; the answer decides."""
    anna, _ = two
    before = own_server.fingerprint
    place = location(own_server, tmp_path / "store")
    add(anna, place, f"key={own_server.key}", f"fingerprint={before}")
    anna.write("a.txt", "a")
    anna.run("folder", "create", str(anna.folder), "--store", "nas")
    anna.run("sync")
    own_server.stop()
    own_server.change_host_key()
    own_server.start()
    said = anna.run("sync", code=3).stderr.decode()
    assert own_server.fingerprint in said
    (question,) = anna.document("questions")
    assert question["kind"] == "changed key"
    assert question["choices"] == ["accept", "reject"]
    assert question["details"]["known"] == before
    assert question["details"]["seen"] == own_server.fingerprint
    anna.run("answer", question["id"], choice, code=0 if choice == "accept" else 1)
    assert anna.document("questions") == []
    anna.run("sync", code=0 if choice == "accept" else 1)


def test_a_server_that_is_away(own_server: OpenSsh, two: tuple[Device, Device], tmp_path: Path):
    """Without the server all that can be done is done, and the next pass sends the rest."""
    anna, _ = two
    place = location(own_server, tmp_path / "store")
    add(anna, place, f"key={own_server.key}", f"fingerprint={own_server.fingerprint}")
    anna.run("folder", "create", str(anna.folder), "--store", "nas")
    anna.run("sync")
    own_server.stop()
    anna.write("b.txt", "b")
    assert "nas" in anna.run("sync", code=1).stderr.decode()
    own_server.start()
    anna.run("sync")
    assert len(list((tmp_path / "store").rglob("events/*/*"))) > 0
