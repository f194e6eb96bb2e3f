"""Canary passwords that are used in a full run, by all ways in, are found nowhere afterwards."""

import json
import os
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote
from zipfile import ZipFile

import pytest
from tests.scenario.commands.device import Device
from tests.scenario.commands.running import running, until
from tests.scenario.commands.terminal import Terminal
from tests.scenario.commands.test_credentials import count_events, piped, store_status
from tests.servers.keyring import GnomeKeyring
from tests.servers.openssh import PASSPHRASE, OpenSsh
from tests.servers.process import HOST
from tests.servers.rclone_sftp import USER, RcloneSftp
from tests.servers.webdav import Nginx

WEBDAV = "canäry/4c+1 %7e\"\\'<&"
SFTP = "canary-$(id)-`7`"
WRONG = "canary-wrong-{0}%s"
SEAL = "canary of the seal"
SECRETS = {"webdav": WEBDAV, "sftp": SFTP, "wrong": WRONG, "seal": SEAL, "key": PASSPHRASE}


def forms(secret: str) -> dict[str, bytes]:
    """How a secret may stand somewhere without being told at a glance."""
    data = secret.encode()
    escaped = json.dumps(secret)[1:-1]
    found = {
        "as it is": data,
        "percent-encoded": quote(secret, safe="").encode(),
        "in lower case": quote(secret, safe="").lower().encode(),
        "hexadecimal": data.hex().encode(),
        "escaped": escaped.encode(),
    }
    for before in range(3):
        letters = b64encode(b"x" * before + data)
        # Without the letters at both ends that hold a part of what stands beside it.
        found[f"base64, {before} bytes later"] = letters[4 if before else 0 : -4]
    return found


def finds(content: bytes, secrets: dict[str, str]) -> list[str]:
    return [
        f"{name} {how}"
        for name, secret in secrets.items()
        for how, form in forms(secret).items()
        if form in content
    ]


def found_below(base: Path, secrets: dict[str, str]) -> list[str]:
    """Every file whose name or bytes have one of them."""
    found = []
    for path in sorted(base.rglob("*")):
        content = os.fsencode(path.name) + (path.read_bytes() if path.is_file() else b"")
        found += [f"{path.relative_to(base)}: {each}" for each in finds(content, secrets)]
    return found


def found_in_processes(secrets: dict[str, str], process: int) -> list[str]:
    """In the arguments and the environment of a process and all below it."""
    found = []
    for each in (process, *_below(process)):
        for name in ("cmdline", "environ"):
            content = Path(f"/proc/{each}/{name}").read_bytes()
            found += [f"{name}: {what}" for what in finds(content, secrets)]
    return found


def _below(process: int) -> Iterator[int]:
    for task in Path(f"/proc/{process}/task").glob("*/children"):
        for child in map(int, task.read_text().split()):
            yield child
            yield from _below(child)


def test_a_canary_is_seen() -> None:
    """The search finds what it looks for."""
    for how, form in forms(WEBDAV).items():
        assert any(how in each for each in finds(b"<" + form + b">", {"it": WEBDAV})), how
    header = b64encode(f"{USER}:{WEBDAV}".encode())
    assert finds(header, {"it": WEBDAV})


@pytest.mark.timeout(120)
def test_canaries_are_found_nowhere(
    tmp_path: Path, gnome_keyring: GnomeKeyring, openssh: OpenSsh
) -> None:
    """Passwords over WebDAV and SFTP and the passphrase of a key; piped in, typed and from the
    environment; right and wrong; kept in the keyring and in the sealed file; with the log as
    talkative as it can be, while servers fail."""
    (tmp_path / "servers").mkdir()
    servers = [tmp_path / "servers" / name for name in ("nginx", "rclone")]
    for each in servers:
        each.mkdir()
    nginx, rclone = Nginx(servers[0], WEBDAV), RcloneSftp(servers[1], SFTP)
    nginx.start()
    rclone.start()
    try:
        device = Device(tmp_path / "anna")
        device.environment |= gnome_keyring.environment
        run = Run(device, nginx, rclone)
        run.with_a_keyring(gnome_keyring)
        run.without_one(openssh)
    finally:
        nginx.stop()
        rclone.stop()
    for text in run.said:
        content = text.encode() if isinstance(text, str) else text
        assert finds(content, SECRETS) == [], content
    for base in (device.base, nginx.files, rclone.files):
        assert found_below(base, SECRETS) == []
    assert (device.base / "profile" / "secrets.sealed").exists()
    assert sorted(gnome_keyring.entries().values()) == sorted([WEBDAV, SFTP])


class Run:
    """What is done with a device, and all that was said meanwhile."""

    def __init__(self, device: Device, nginx: Nginx, rclone: RcloneSftp) -> None:
        self.device = device
        self.nginx = nginx
        self.rclone = rclone
        self.said: list[str | bytes] = []
        self.sftp = ["store", "add", "nas", f"sftp://{USER}@{HOST}:{rclone.port}/store"]
        self.sftp += ["--option", f"fingerprint={rclone.fingerprint}", "--option", "agent=no"]

    def piped(self, text: str, *arguments: str, code: int = 0) -> None:
        self.said.append(piped(self.device, text, *arguments, code=code))

    def typed(self, *arguments: str, answers: dict[str, str]) -> None:
        terminal = Terminal(self.device, *arguments)
        for question, answer in answers.items():
            terminal.answer(question, answer)
        assert terminal.end() == 0, terminal.screen
        self.said.append(terminal.screen)

    def run(self, *arguments: str, code: int = 0, **environment: str) -> None:
        done = self.device.run(*arguments, code=code, **environment)
        self.said += [done.stdout, done.stderr]

    def with_a_keyring(self, keyring: GnomeKeyring) -> None:
        """Wrong and right ones, over WebDAV and SFTP, by a process that runs while servers fail;
        it goes on when the keyring dies, also with a server that was away meanwhile."""
        (self.nginx.files / "store").mkdir()
        (self.nginx.files / "store").chmod(0o777)
        self.run("config", "set", "log.level", "debug")
        webdav = self.nginx.location("store")
        self.piped(WRONG, "store", "add", "cloud", webdav, code=1)
        self.piped(WEBDAV, "store", "add", "cloud", webdav)
        self.device.write("a.txt", "a")
        self.run("folder", "create", "docs", "--store", "cloud")
        with running(self.device) as process:
            self.piped(WRONG, *self.sftp, code=1)
            self.typed(*self.sftp, answers={"Password for": SFTP})
            self.run("folder", "stores", "docs", "--add", "nas")
            until(lambda: count_events(self.rclone.files) == 1)
            self.piped(WRONG, "store", "edit", "cloud", code=1)
            assert found_in_processes(SECRETS, process.process.pid) == []
            keyring.die()
            # A process that cannot ask the keyring is told by the one that runs.
            nas = store_status(self.device, "nas")
            assert (nas["state"], nas["message"]) == ("connected", "")
            self.nginx.stop()
            self.rclone.stop()
            until(lambda: "nas cannot be reached" in process.said)
            self.rclone.start()
            self.device.write("b.txt", "b")
            self.run("sync", code=1)
            assert count_events(self.rclone.files) == 2
            keyring.revive()
            self.said += [process.said, process.reported]

    def without_one(self, openssh: OpenSsh) -> None:
        """The passphrase of a key, by the environment and by the sealed file."""
        self.device.environment.pop("DBUS_SESSION_BUS_ADDRESS")
        far = f"sftp://{openssh.user}@{HOST}:{openssh.port}{self.device.base / 'far'}"
        add = ["store", "add", "far", far, "--option", f"key={openssh.sealed_key}"]
        add += ["--option", f"fingerprint={openssh.fingerprint}"]
        self.run(*add, code=1, FIRNLINE_SECRET_FAR=WRONG)
        questions = ("Passphrase for the key", "Type yes", "New passphrase", "Once more")
        answers = (PASSPHRASE, "yes", SEAL, SEAL)
        self.typed(*add, answers=dict(zip(questions, answers, strict=True)))
        self.run("status", "--json", FIRNLINE_SECRET_NAS=SFTP)
        self.run("sync", code=1, FIRNLINE_SECRET_NAS=WRONG)
        self.run("export-logs", "report.zip", FIRNLINE_SECRET_NAS=SFTP)
        with ZipFile(self.device.base / "report.zip") as bundle:
            self.said += map(bundle.read, bundle.namelist())
