"""The programs that are compared, each as the commands that bring a tree to a store and on.

A mirror copies the tree of the first device to the store, and the store to the tree of the second
device. Firnline syncs the folder of either device with the store; setting up the device (its
store, its folder) is not timed. Each program has a place of its own.
"""

import compileall
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from tests.bench.measure import Failed, execute

Command = Sequence[str]
BINARIES = Path(sys.executable).parent
"""The environment this runs in: it has `firnline`, and `rclone` by the dependency group `bench`."""


class Side(StrEnum):
    """Which device works: the one where files were changed, or the one that gets the changes."""

    SEND = "sending"
    RECEIVE = "receiving"


@dataclass(frozen=True, slots=True)
class Place:
    """Where one program works: two trees, the store between them, two profiles."""

    root: Path

    @property
    def store(self) -> Path:
        return self.root / "store"

    def tree(self, side: Side) -> Path:
        return self.root / f"tree-{side}"

    def profile(self, side: Side) -> Path:
        return self.root / f"profile-{side}"

    def make(self) -> None:
        """Creates it, with empty trees and an empty store."""
        for directory in (self.tree(Side.SEND), self.tree(Side.RECEIVE), self.store):
            directory.mkdir(parents=True)


class Program(Protocol):
    """One of the compared programs."""

    @property
    def name(self) -> str: ...

    @property
    def copies_all(self) -> bool:
        """Whether it copies everything each time: it takes no part where little changed."""
        ...

    @property
    def keeps_modes(self) -> bool:
        """Whether it brings the executable bits along."""
        ...

    def ready(self) -> str:
        """Makes it ready to run; its version in a line. Raises `Failed`."""
        ...

    def set_up(self, side: Side, place: Place) -> Sequence[Command]:
        """What is done once before this device's first pass, untimed."""
        ...

    def sync(self, side: Side, place: Place) -> Command:
        """The timed command."""
        ...

    def result(self, side: Side, place: Place) -> Path | None:
        """The tree that must equal the sender's when the command is done, if there is one."""
        ...


@dataclass(frozen=True, slots=True)
class Mirror:
    """A program that makes one directory like another."""

    name: str
    binary: str
    arguments: Callable[[Path, Path], Sequence[str]]
    version_argument: str = "--version"
    copies_all: bool = False
    keeps_modes: bool = True

    def ready(self) -> str:
        return execute([self.binary, self.version_argument]).splitlines()[0].strip()

    def set_up(self, side: Side, place: Place) -> Sequence[Command]:
        return ()

    def sync(self, side: Side, place: Place) -> Command:
        if side is Side.SEND:
            return [self.binary, *self.arguments(place.tree(side), place.store)]
        return [self.binary, *self.arguments(place.store, place.tree(side))]

    def result(self, side: Side, place: Place) -> Path | None:
        return place.store if side is Side.SEND else place.tree(side)


@dataclass(frozen=True, slots=True)
class Firnline:
    """This project, in the environment that runs the benchmark."""

    binary: str
    name: str = "firnline"
    copies_all: bool = False
    keeps_modes: bool = True

    def ready(self) -> str:
        version = execute([self.binary, "--version"]).strip()
        # An installed program has its modules compiled; a checkout just cloned does not.
        compileall.compile_dir(Path(__file__).parents[2] / "app", quiet=2)
        return version

    def set_up(self, side: Side, place: Place) -> Sequence[Command]:
        firnline = [self.binary, "--profile", str(place.profile(side))]
        tree = str(place.tree(side))
        create, join = ["create", tree, "--name", "bench"], ["join", "bench", tree]
        return (
            [*firnline, "store", "add", "shared", str(place.store)],
            [*firnline, "folder", *(create if side is Side.SEND else join), "--store", "shared"],
        )

    def sync(self, side: Side, place: Place) -> Command:
        return [self.binary, "--profile", str(place.profile(side)), "sync"]

    def result(self, side: Side, place: Place) -> Path | None:
        # The store holds events; what they are worth shows on the second device.
        return None if side is Side.SEND else place.tree(side)


def copy_arguments(source: Path, target: Path) -> Sequence[str]:
    return ["-a", f"{source}/.", f"{target}/"]


def rsync_arguments(source: Path, target: Path) -> Sequence[str]:
    return ["-a", "--delete", f"{source}/", f"{target}/"]


def rclone_arguments(source: Path, target: Path) -> Sequence[str]:
    options = ["--transfers", "16", "--checkers", "16", "--track-renames"]
    return ["sync", str(source), str(target), *options]


def find(binary: str) -> str:
    """The program of this environment, else that of the system, else its bare name."""
    return shutil.which(binary, path=str(BINARIES)) or shutil.which(binary) or binary


def programs() -> dict[str, Program]:
    """All of them by name, in the order of the table."""
    known: list[Program] = [
        Mirror("cp", find("cp"), copy_arguments, copies_all=True),
        Mirror("rsync", find("rsync"), rsync_arguments),
        # Modes only with --metadata, which costs time: it is measured at its quickest.
        Mirror("rclone", find("rclone"), rclone_arguments, "version", keeps_modes=False),
        Firnline(find("firnline")),
    ]
    return {program.name: program for program in known}


def available(names: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """The versions of those that run here, and a line for each that does not."""
    versions, notes = {}, []
    for name in names:
        try:
            versions[name] = programs()[name].ready()
        except Failed as error:
            notes.append(f"{name} takes no part: {error}")
    return versions, notes
