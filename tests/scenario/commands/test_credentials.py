"""The password of a store, as users and servers meet it: real processes, a real server, a real
keyring."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.scenario.commands.device import Device
from tests.scenario.commands.running import running, until
from tests.scenario.commands.terminal import Terminal
from tests.servers.keyring import GnomeKeyring
from tests.servers.process import HOST
from tests.servers.rclone_sftp import PASSWORD, USER, RcloneSftp

PASSPHRASE = "correct horse"


@pytest.fixture
def device(tmp_path: Path) -> Device:
    """In a session without a keyring."""
    made = Device(tmp_path / "anna")
    made.environment.pop("DBUS_SESSION_BUS_ADDRESS", None)
    return made


@pytest.fixture
def desktop(device: Device, gnome_keyring: GnomeKeyring) -> Device:
    """In a session with one."""
    device.environment |= gnome_keyring.environment
    return device


class Nas:
    """A store to be made on a server that takes a password."""

    def __init__(self, server: RcloneSftp) -> None:
        name = os.urandom(8).hex()
        self.files = server.files / name
        self.login = f"sftp://{USER}@{HOST}:{server.port}"
        options = ("--option", f"fingerprint={server.fingerprint}", "--option", "agent=no")
        self.add = ["store", "add", "nas", f"{self.login}/{name}", *options]

    def has(self, events: int) -> bool:
        return count_events(self.files) == events


def count_events(store: Path) -> int:
    """As the server sees them: to ask a device costs a process each time."""
    return len([path for path in store.glob("**/events/*/*") if not path.name.startswith(".")])


@pytest.fixture
def nas(rclone_sftp: RcloneSftp) -> Nas:
    return Nas(rclone_sftp)


def piped(device: Device, text: str, *arguments: str, code: int = 0) -> str:
    """What a command says that reads `text` from standard input."""
    done = subprocess.run(
        device.command(*arguments, "--password-stdin"),
        env=device.environment,
        cwd=device.base,
        input=text.encode(),
        capture_output=True,
        timeout=25,
    )
    assert done.returncode == code, (arguments, done.stdout, done.stderr)
    return done.stderr.decode()


def store_status(device: Device, name: str = "nas") -> dict[str, Any]:
    (folder,) = device.document("status")["folders"]
    found: dict[str, Any] = next(each for each in folder["stores"] if each["name"] == name)
    return found


def test_it_is_kept_in_the_keyring(desktop: Device, nas: Nas, gnome_keyring: GnomeKeyring):
    """Found there by all that comes later; changed when the server takes the new one. While the
    keyring is locked a person reads so, and nothing waits."""
    assert "Its password is in the keyring." in piped(desktop, PASSWORD, *nas.add)
    ((name, secret),) = gnome_keyring.entries().items()
    assert secret == PASSWORD
    assert name.startswith(f"{nas.login} (store ")
    desktop.write("a.txt", "a")
    desktop.run("folder", "create", "docs", "--store", "nas")
    desktop.run("sync")
    assert nas.has(events=1)
    assert "does not accept" in piped(desktop, "wrong", "store", "edit", "nas", code=1)
    assert gnome_keyring.entries() == {name: PASSWORD}
    gnome_keyring.die()
    gnome_keyring.revive(locked=True)
    assert "is locked. Unlock it" in desktop.run("sync", code=1).stderr.decode()
    status = store_status(desktop)
    assert status["state"] == "error"
    assert "is locked. Unlock it" in status["message"]
    removed = desktop.run("store", "remove", "nas", "--force").stderr.decode()
    assert "may still be in the keyring, which is locked" in removed


def test_at_a_terminal_without_a_keyring(device: Device, nas: Nas):
    """Asked for, not shown, asked again where it was wrong; then kept in a file that a passphrase
    seals, if they want that. A wrong passphrase is said, and what runs is given the right one."""
    adding = Terminal(device, *nas.add)
    adding.answer("Password for sftp://", "not-the-one")
    adding.answer("Try again.\r\nPassword for sftp://", PASSWORD)
    adding.answer("Type yes for that: ", "yes")
    adding.answer("New passphrase for that file: ", PASSPHRASE)
    adding.answer("Once more: ", PASSPHRASE)
    adding.expect("Its password is sealed in ")
    assert adding.end() == 0, adding.screen
    for typed in ("not-the-one", PASSWORD, PASSPHRASE):
        assert typed not in adding.screen
    file = device.base / "profile" / "secrets.sealed"
    assert file.stat().st_mode & 0o777 == 0o600
    device.write("a.txt", "a")
    making = Terminal(device, "folder", "create", "docs", "--store", "nas")
    making.answer("Passphrase", "not-the-one")
    making.answer("This is not its passphrase.\r\nPassphrase", PASSPHRASE)
    assert making.end() == 0, making.screen
    assert "firnline store unlock" in device.run("sync", code=1).stderr.decode()
    with running(device) as process:
        until(lambda: "firnline store unlock" in process.said)
        assert "not the passphrase" in piped(device, "other", "store", "unlock", code=1)
        unlocking = Terminal(device, "store", "unlock")
        unlocking.answer("Passphrase", PASSPHRASE)
        assert unlocking.end() == 0, unlocking.screen
        until(lambda: nas.has(events=1))
        assert store_status(device)["message"] == ""
    starting = Terminal(device, "run")
    starting.answer("Passphrase", PASSPHRASE)
    starting.expect("Keeping docs in sync")
    device.write("b.txt", "b")
    until(lambda: nas.has(events=2))
    starting.process.terminate()
    assert starting.end() == 0, starting.screen
