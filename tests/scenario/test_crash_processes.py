"""Real processes and real SIGKILLs, at moments that nobody chose.

Two devices work on folders of their own inside one synced folder, and both on `shared`, so that
what must be there at the end is known to the byte, whatever the kills did.
"""

import random
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from tests.scenario.crashes import canonical

ROUNDS = 20
SEED = 20261122


class Device:
    """A profile, a folder in it, and somebody who works there."""

    def __init__(self, base: Path, name: str, dice: random.Random) -> None:
        self.name = name
        self.folder = base / name / "folder"
        self._profile = base / name / "profile"
        self._dice = dice
        self._made = 0
        self.expected: dict[str, list[object]] = {}
        """Of the part of the folder where only this device changes anything."""

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self._arguments(*arguments), capture_output=True, text=True, timeout=60, check=False
        )

    def start(self) -> subprocess.Popen[bytes]:
        quiet = subprocess.DEVNULL
        return subprocess.Popen(self._arguments("sync"), stdout=quiet, stderr=quiet)

    def _arguments(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "firnline", "--profile", str(self._profile), *arguments]

    def work(self) -> None:
        """New files, and something done to old ones."""
        for _ in range(30):
            self._made += 1
            self._write(f"{self.name}/{self._made % 3}/{self._made}")
        for path in self._dice.sample(sorted(self.expected), 8):
            match self._dice.randrange(4):
                case 0:
                    (self.folder / path).unlink()
                    del self.expected[path]
                case 1:
                    self._made += 1
                    target = f"{self.name}/moved/{self._made}"
                    (self.folder / target).parent.mkdir(exist_ok=True)
                    (self.folder / path).rename(self.folder / target)
                    self.expected[target] = self.expected.pop(path)
                case _:
                    self._write(path)

    def _write(self, path: str) -> None:
        text = f"{path} {self._dice.random()} " * self._dice.choice([1, 1, 1, 2_000])
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_text(text)
        self.expected[path] = [text]

    def tree(self) -> dict[str, object]:
        return {
            path.relative_to(self.folder).as_posix(): path.read_text()
            for path in self.folder.rglob("*")
            if path.is_file() and path.relative_to(self.folder).parts[0] != ".firnline"
        }

    def synced(self) -> bool:
        """An undisturbed pass; True when nothing is left to do."""
        done = self.command("sync")
        assert done.returncode in (0, 1), done.stderr
        return done.returncode == 0


@pytest.mark.timeout(120)
def test_killed_at_random(memory_disk: Path, tally: Counter[str]) -> None:
    """Two devices that are killed again and again end with everything that was written, and equal;
    then nothing is left to do."""
    dice = random.Random(SEED)
    a, b = (Device(memory_disk, name, dice) for name in "ab")
    _join(memory_disk, a, b)
    shared: dict[str, list[object]] = {}
    for number in range(ROUNDS):
        for device in (a, b):
            device.work()
            (device.folder / "shared").mkdir(exist_ok=True)
            (device.folder / f"shared/{number}").write_text(f"{number} by {device.name}")
        shared[f"shared/{number}"] = [f"{number} by a", f"{number} by b"]
        for process in [a.start(), b.start()]:
            tally["processes killed"] += _kill(process, dice.uniform(0.0, 0.4))
    for _ in range(6):
        done = [device.synced() for device in (a, b)]
        if all(done) and a.tree() == b.tree():
            break
    assert a.tree() == b.tree()
    assert canonical(a.tree()) == a.expected | b.expected | shared
    before = _files(memory_disk / "store")
    assert all(device.synced() for device in (a, b))
    assert _files(memory_disk / "store") == before


def _join(base: Path, a: Device, b: Device) -> None:
    (base / "store").mkdir()
    for device in (a, b):
        device.folder.parent.mkdir()
        assert device.command("store", "add", "nas", str(base / "store")).returncode == 0
    a.folder.mkdir()
    assert a.command("folder", "create", str(a.folder), "--name", "Work").returncode == 0
    assert b.command("folder", "join", "Work", str(b.folder)).returncode == 0


def _kill(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """True when it was still running."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
    return process.wait() == -signal.SIGKILL


def _files(store: Path) -> set[Path]:
    return {path for path in store.rglob("*") if path.is_file()}
