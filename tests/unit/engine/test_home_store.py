"""A home store that was removed, or came back from a backup, is not what the table says."""

import shutil
from pathlib import Path

from tests.doubles.profile import Profile

from firnline.config import edits
from firnline.engine.folder_commands import create_folder


def made(device: Profile, nas: Path) -> Path:
    """A device with the folder `docs`; returns its home store."""
    device.add_store("nas", nas)
    with device.engine() as engine:
        create_folder(engine, str(device.folder), "docs", [])
    return device.places.home_store


def at_home(home: Path) -> set[str]:
    return {path.read_text() for path in home.glob("docs-*/events/*/*")}


def test_removed_home_store_is_filled_again(anna: Profile, nas: Path) -> None:
    """Who wants the history on this computer has it again after the next sync."""
    home = made(anna, nas)
    edits.set_option(anna.places.config_file, "home.keep", "all")
    for text in ("first", "second"):
        anna.write("a.txt", text)
        anna.sync()
    shutil.rmtree(home)
    (outcome,) = anna.sync()
    assert outcome.complete
    assert at_home(home) == {"first", "second"}


def test_removed_outbox_is_no_source(anna: Profile, nas: Path) -> None:
    """What waited there is sent from the folder, as far as that has it."""
    home = made(anna, nas)
    anna.sync()
    nas.rename(nas.with_name("away"))
    for text in ("first", "second"):
        anna.write("a.txt", text)
        anna.sync()
    assert at_home(home) == {"first", "second"}
    shutil.rmtree(home)
    anna.sync()
    assert at_home(home) == {"second"}
    nas.with_name("away").rename(nas)
    (outcome,) = anna.sync()
    assert {problem.kind for problem in outcome.problems} == {"no source"}
    assert at_home(nas) == {"second"}
    assert at_home(home) == set()


def test_home_store_from_a_backup_has_what_it_has(anna: Profile, nas: Path, tmp_path: Path) -> None:
    """Another home store in its place is believed for what stands in it."""
    home = made(anna, nas)
    nas.rename(nas.with_name("away"))
    anna.write("a.txt", "first")
    anna.sync()
    backup = shutil.copytree(home, tmp_path / "backup")
    anna.write("a.txt", "second")
    anna.sync()
    shutil.rmtree(home)
    anna.sync()
    shutil.rmtree(home)
    shutil.copytree(backup, home)
    anna.sync()
    nas.with_name("away").rename(nas)
    anna.sync()
    assert at_home(nas) == {"first", "second"}
