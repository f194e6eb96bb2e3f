"""`firnline demo`: two devices and a store in one directory, played through in a few seconds.

Everything goes through the functions that the commands call, on two real profiles; only the edits
are made here, as a user's programs would make them.
"""

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from firnline.config import edits
from firnline.config.places import Places
from firnline.core.clock import DateTime, format_time
from firnline.engine.conflict_commands import resolve_conflict
from firnline.engine.errors import EngineError
from firnline.engine.folder_commands import create_folder, join_folder
from firnline.engine.open_folder import open_folder
from firnline.engine.runtime import Engine
from firnline.engine.store_commands import StoreWish, add_store
from firnline.engine.surroundings import Surroundings
from firnline.engine.sync_command import sync_folders
from firnline.history.browse import cat
from firnline.history.conflicts import open_conflicts
from firnline.history.moments import format_time_of
from firnline.history.names import Names

Tell = Callable[[str], None]
FOLDER = "Documents"
STORE = "shared-disk"
_MANY = 40


class DemoFailedError(EngineError):
    """Something did not come out as it has to; the message says what."""


@dataclass(frozen=True, slots=True)
class Device:
    """One of the two, with its own profile and its own copy of the folder."""

    name: str
    base: Path
    outside: Surroundings

    @property
    def folder(self) -> Path:
        return self.base / FOLDER

    @contextmanager
    def engine(self, *, lock: bool = True) -> Iterator[Engine]:
        """As each command opens it: nothing is remembered in memory."""
        with Engine.open(self.places, self.outside, lock=lock) as engine:
            yield engine

    @property
    def places(self) -> Places:
        return Places.of_profile(self.base / "profile")

    def write(self, path: str, text: str) -> None:
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def read(self, path: str) -> str:
        return (self.folder / path).read_text()

    def sync(self) -> None:
        """One pass. Raises DemoFailedError unless all went well."""
        with self.engine() as engine:
            for outcome in sync_folders(engine, []):
                if not outcome.complete:
                    raise DemoFailedError(f"{self.name}: {outcome.error or outcome.problems}")

    def tree(self) -> dict[str, str]:
        """Path → hash of the content, of all files that are the user's."""
        return {
            path.relative_to(self.folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(self.folder.rglob("*"))
            if path.is_file() and ".firnline" not in path.parts
        }


def play(base: Path, outside: Surroundings, tell: Tell) -> None:
    """Play it all in `base`, an empty directory, saying each step in one line.

    Raises DemoFailedError when a step does not come out as it has to.
    """
    laptop = Device("laptop", base / "laptop", outside)
    desktop = Device("desktop", base / "desktop", outside)
    _first_device(laptop, base / STORE, tell)
    _second_device(desktop, base / STORE, tell)
    _edit(laptop, desktop, tell)
    before = format_time(outside.clock.now())
    _conflict(laptop, desktop, tell)
    _move_and_edit(laptop, desktop, tell)
    _deletion(laptop, desktop, tell)
    _older_version(desktop, before, tell)
    _expect(laptop.tree() == desktop.tree(), "the two folders differ")
    files = len(laptop.tree())
    tell(f"At the end both have the same {files} files, compared by hash.")


def _first_device(laptop: Device, store: Path, tell: Tell) -> None:
    _begin(laptop)
    laptop.write("notes.txt", "milk\n")
    laptop.write("letters/to-anna.txt", "Dear Anna,\n")
    for number in range(_MANY):
        laptop.write(f"photos/{number:03}.jpg", f"not really a photo, number {number}\n")
    with laptop.engine() as engine:
        add_store(engine, STORE, str(store), StoreWish())
        create_folder(engine, str(laptop.folder), None, [])
    tell(f"laptop: {FOLDER} is a folder now, kept in the store {STORE}, a plain directory.")
    laptop.sync()
    tell(f"laptop: sent {len(laptop.tree())} files to the store.")


def _second_device(desktop: Device, store: Path, tell: Tell) -> None:
    _begin(desktop)
    with desktop.engine() as engine:
        add_store(engine, STORE, str(store), StoreWish())
        join_folder(engine, FOLDER, str(desktop.folder), None, [])
    desktop.sync()
    _expect(desktop.read("notes.txt") == "milk\n", "the second device has no notes")
    tell(f"desktop: joined {FOLDER} and has all {len(desktop.tree())} files.")


def _begin(device: Device) -> None:
    device.folder.mkdir(parents=True)
    device.places.prepare()
    edits.set_option(device.places.config_file, "device.name", device.name)


def _edit(laptop: Device, desktop: Device, tell: Tell) -> None:
    desktop.write("notes.txt", "milk\nbread\n")
    _both(desktop, laptop)
    _expect(laptop.read("notes.txt") == "milk\nbread\n", "the edit did not arrive")
    tell("desktop: added bread to notes.txt; it is on the laptop as well.")


def _conflict(laptop: Device, desktop: Device, tell: Tell) -> None:
    laptop.write("notes.txt", "milk\nbread\nfrom the laptop: tea\n")
    desktop.write("notes.txt", "milk\nbread\nfrom the desktop: coffee\n")
    _both(laptop, desktop, laptop)
    with (
        desktop.engine(lock=False) as engine,
        open_folder(engine, engine.folder(FOLDER), connect=False) as context,
    ):
        (conflict,) = open_conflicts(context, Names({}, {}))
    texts = {desktop.read(conflict.path), desktop.read(conflict.copy)}
    _expect(len(texts) == 2, "a version of the conflict is gone")
    tell(f"both: edited notes.txt at once; nothing is lost, one version is now {conflict.copy!r}.")
    with desktop.engine() as engine:
        resolve_conflict(engine, FOLDER, "notes.txt", conflict.kept)
    laptop.sync()
    _expect(not (laptop.folder / conflict.copy).exists(), "the conflict is still open")
    tell("desktop: decided which one to keep; it is decided on the laptop as well.")


def _move_and_edit(laptop: Device, desktop: Device, tell: Tell) -> None:
    (laptop.folder / "letters").rename(laptop.folder / "archive")
    desktop.write("letters/to-anna.txt", "Dear Anna,\nthank you for the photos.\n")
    _both(laptop, desktop, laptop)
    moved = "archive/to-anna.txt"
    for device in (laptop, desktop):
        _expect("thank you" in device.read(moved), f"{device.name}: the edit did not follow")
        _expect(not (device.folder / "letters").exists(), f"{device.name}: letters is back")
    tell(f"laptop: renamed letters while the desktop edited in it; the edit is in {moved}.")


def _deletion(laptop: Device, desktop: Device, tell: Tell) -> None:
    (desktop.folder / "photos/007.jpg").unlink()
    _both(desktop, laptop)
    _expect(not (laptop.folder / "photos/007.jpg").exists(), "the deletion did not arrive")
    tell("desktop: deleted photos/007.jpg; it is gone from the laptop, and not from history.")


def _older_version(desktop: Device, moment: DateTime, tell: Tell) -> None:
    with (
        desktop.engine(lock=False) as engine,
        open_folder(engine, engine.folder(FOLDER)) as context,
    ):
        notes = b"".join(cat(context, "notes.txt", moment)).decode()
        photo = b"".join(cat(context, "photos/007.jpg", moment)).decode()
    _expect(notes == "milk\nbread\n", "the older version is another one")
    _expect("number 7" in photo, "the deleted photo cannot be read")
    tell(f"desktop: read notes.txt and the deleted photo as they were at {format_time_of(moment)}.")


def _both(*devices: Device) -> None:
    for device in devices:
        device.sync()


def _expect(fine: bool, otherwise: str) -> None:
    if not fine:
        raise DemoFailedError(otherwise)


@contextmanager
def place(keep: str | None) -> Iterator[Path]:
    """A directory to play in: a temporary one that goes with all in it, or `keep`, made anew.

    Raises FileExistsError for a `keep` that is there.
    """
    if keep is not None:
        base = Path(os.path.abspath(keep))
        base.mkdir()
        yield base
        return
    import tempfile

    with tempfile.TemporaryDirectory(prefix="firnline-demo-") as directory:
        yield Path(directory)
