"""Programs that keep two trees equal all the time: set up, and as commands that run until the end.

Setting up ends with equal trees on both devices.
"""

import shutil
import socket
import subprocess
import sys
import xml.etree.ElementTree as Xml
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

Started = Sequence[tuple[Sequence[str], dict[str, str]]]
"""Commands, with what they have in their environment."""


class Place(NamedTuple):
    """Where one program works."""

    base: Path
    stores: Sequence[Path]

    @property
    def first(self) -> Path:
        """The tree in which files are saved."""
        return self.base / "first"

    @property
    def second(self) -> Path:
        return self.base / "second"


def execute(*command: str | Path, code: int = 0) -> str:
    """Standard output. Raises SystemExit when it fails."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode != code:
        raise SystemExit(f"{command}: {done.stdout}{done.stderr}")
    return done.stdout


# --- Firnline -----------------------------------------------------------------------------------


def firnline(place: Place) -> Started:
    """Both devices, each with its profile, and all stores."""
    for tree in (place.first, place.second):
        for number, store in enumerate(place.stores):
            _firnline(tree, "store", "add", f"store{number}", store)
    _firnline(place.first, "folder", "create", place.first, "--name", "bench")
    _firnline(place.first, "sync")
    _firnline(place.second, "folder", "join", "bench", place.second)
    _firnline(place.second, "sync")
    return [([*_command(tree), "run"], {}) for tree in (place.first, place.second)]


def _firnline(tree: Path, *arguments: str | Path) -> None:
    execute(*_command(tree), *arguments)


def _command(tree: Path) -> list[str]:
    profile = tree.with_name(f"{tree.name} profile")
    return [sys.executable, "-m", "firnline", "--profile", str(profile)]


# --- Syncthing ----------------------------------------------------------------------------------

_QUIET = {
    "globalAnnounceEnabled": "false",
    "localAnnounceEnabled": "false",
    "relaysEnabled": "false",
    "natEnabled": "false",
    "urAccepted": "-1",
    "crashReportingEnabled": "false",
    "startBrowser": "false",
    "autoUpgradeIntervalH": "0",
}


def syncthing(place: Place) -> Started:
    """Two devices that know each other's address, and share one folder."""
    shutil.copytree(place.first, place.second, dirs_exist_ok=True)
    trees = (place.first, place.second)
    homes = [place.base / f"{tree.name} home" for tree in trees]
    for home in homes:
        execute("syncthing", "generate", "--no-default-folder", "--home", home)
    devices = [execute("syncthing", "--device-id", "--home", home).strip() for home in homes]
    addresses = [f"tcp://127.0.0.1:{_free_port()}" for _ in homes]
    for number, home in enumerate(homes):
        _configure(home / "config.xml", trees[number], number, devices, addresses)
    return [
        (["syncthing", "serve", "--no-browser", "--home", str(home)], {"STNOUPGRADE": "1"})
        for home in homes
    ]


def _configure(
    file: Path, tree: Path, own: int, devices: Sequence[str], addresses: Sequence[str]
) -> None:
    document = Xml.parse(file)
    root = document.getroot()
    for known in root.findall("device") + root.findall("folder"):
        root.remove(known)
    folder = Xml.SubElement(root, "folder", id="bench", label="bench", path=str(tree))
    folder.attrib |= {"type": "sendreceive", "fsWatcherEnabled": "true", "fsWatcherDelayS": "1"}
    for device, address in zip(devices, addresses, strict=True):
        Xml.SubElement(folder, "device", id=device)
        entry = Xml.SubElement(root, "device", id=device, name=device[:7])
        Xml.SubElement(entry, "address").text = address
    options = root.find("options")
    gui = root.find("gui/address")
    assert options is not None, "a configuration of Syncthing"
    assert gui is not None, "a configuration of Syncthing"
    gui.text = f"127.0.0.1:{_free_port()}"
    for known in options.findall("listenAddress"):
        options.remove(known)
    for key, value in {**_QUIET, "listenAddress": addresses[own]}.items():
        option = options.find(key)
        option = Xml.SubElement(options, key) if option is None else option
        option.text = value
    document.write(file)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# --- Unison -------------------------------------------------------------------------------------


def unison(place: Place) -> Started:
    """One process, which sees both trees."""
    shutil.copytree(place.first, place.second, dirs_exist_ok=True)
    command = ["unison", str(place.first), str(place.second), "-ui", "text", "-batch", "-silent"]
    return [([*command, "-repeat", "1"], {"UNISON": str(place.base / "unison")})]


PROGRAMS: Mapping[str, Callable[[Place], Started]] = {
    "firnline": firnline,
    "syncthing": syncthing,
    "unison": unison,
}
