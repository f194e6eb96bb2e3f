"""Two devices over an S3 bucket, as users meet it: real processes, a real server."""

from pathlib import Path

import pytest
from tests.scenario.commands.device import Device
from tests.servers.s3 import SECRET, S3Server
from tests.servers.s3_stores import new_base


@pytest.fixture
def two(tmp_path: Path) -> tuple[Device, Device]:
    return Device(tmp_path / "anna"), Device(tmp_path / "bert")


def given(options: dict[str, str]) -> list[str]:
    """As they are typed."""
    return [word for name, value in options.items() for word in ("--option", f"{name}={value}")]


@pytest.mark.timeout(120)
@pytest.mark.parametrize("kind", ["seaweedfs", "rclone_s3"])
def test_two_devices(kind: str, two: tuple[Device, Device], request: pytest.FixtureRequest):
    """A file each way, an edit, a deletion, and the secret stands nowhere."""
    server: S3Server = request.getfixturevalue(kind)
    anna, bert = two
    location = new_base()
    for device in two:
        device.environment["FIRNLINE_SECRET_CLOUD"] = SECRET
        device.run("store", "add", "cloud", location, *given(server.options()))
    anna.write("a.txt", "from anna")
    anna.run("folder", "create", str(anna.folder), "--store", "cloud")
    anna.run("sync")
    bert.run("folder", "join", "docs", str(bert.folder))
    bert.run("sync")
    assert (bert.folder / "a.txt").read_text() == "from anna"
    bert.write("a.txt", "edited by bert")
    bert.write("dir/100% +é.txt", "from bert")
    bert.run("sync")
    anna.run("sync")
    assert (anna.folder / "a.txt").read_text() == "edited by bert"
    (anna.folder / "dir" / "100% +é.txt").unlink()
    anna.run("sync")
    bert.run("sync")
    assert not (bert.folder / "dir" / "100% +é.txt").exists()
    assert anna.document("store", "list")[0]["kind"] == "s3"
    for device in two:
        kept = [path for path in (device.base / "profile").rglob("*") if path.is_file()]
        assert kept
        assert not any(SECRET.encode() in path.read_bytes() for path in kept)


def test_what_is_wrong_is_said(seaweedfs: S3Server, two: tuple[Device, Device]):
    """A wrong secret, none, and a bucket that is not there are told apart."""
    anna, _ = two
    words = ["store", "add", "cloud", "s3://bucket/wrong", *given(seaweedfs.options())]
    assert "FIRNLINE_SECRET_" in anna.complaint(*words, code=1)
    anna.environment["FIRNLINE_SECRET_CLOUD"] = "canary-wrong"
    said = anna.complaint(*words, code=1)
    assert "does not take this key_id and secret" in said
    assert "canary-wrong" not in said
    anna.environment["FIRNLINE_SECRET_CLOUD"] = SECRET
    words[3] = "s3://missing/x"
    assert "no bucket of this name on the server. Make it first" in anna.complaint(*words, code=1)


def test_settings_that_are_wrong(two: tuple[Device, Device]):
    """What is wrong with an option is said, and how to change it."""
    anna, _ = two
    said = anna.complaint(
        "store", "add", "cloud", "s3://bucket/x", "--option", "endpoint=http://nas.example", code=1
    )
    assert "use https://" in said
    assert "store edit" in said
