"""Stores that vanish in the middle of a copy and return as something else, or that are full, while
`firnline run` of real processes goes on."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.scenario.commands.device import Device
from tests.scenario.commands.running import Running, holds, running, until
from tests.scenario.store_contents import event_files, missing_contents
from tests.unit.stores.disks import disk

FILES, SIZE = 400, 20_000
"""So much that a store can be taken away before all of it is there."""


@pytest.fixture
def usb(tmp_path: Path) -> Path:
    return tmp_path / "usb"


@pytest.fixture
def both(anna: Device, bert: Device, usb: Path) -> Device:
    """Anna with a second store; bert knows the first one only."""
    anna.write("a.txt", "a")
    anna.run("store", "add", "usb", str(usb))
    anna.run("folder", "stores", "docs", "--add", "usb")
    anna.run("sync")
    bert.run("sync")
    return anna


def fill(device: Device, name: str) -> None:
    """Much at once: a directory that is not small."""
    for number in range(FILES):
        device.write(f"{name}/{number}.txt", f"{name}{number} " * (SIZE // 10))


def copy_begun(store: Path, before: int) -> Callable[[], bool]:
    """Whether something is on its way into the store, or just there."""
    return lambda: (
        any(store.glob("connections/*/tmp/*"))
        or len(list(store.glob("docs-*/events/*/*"))) > before
    )


def take_away(store: Path) -> Path:
    """Unplugged; returns where it is now."""
    aside = store.with_name(f"{store.name} away")
    store.rename(aside)
    return aside


def same_events(*stores: Path) -> Callable[[], bool]:
    """Whether they have the same log, with everything that it names."""
    return lambda: (
        len({frozenset(event_files(store)) for store in stores}) == 1
        and not any(missing_contents(store) for store in stores)
    )


def interrupted(anna: Device, process: Running, usb: Path) -> Path:
    """The stick goes while it is written to, and the user goes on; returns where it is."""
    before = len(event_files(usb))
    fill(anna, "many")
    until(copy_begun(usb, before))
    aside = take_away(usb)
    until(lambda: "store usb" in process.said)
    anna.write("b.txt", "b")
    return aside


def test_it_returns_as_it_was(both: Device, bert: Device, nas: Path, usb: Path) -> None:
    """The other store goes on meanwhile; then it gets what it lacks, whole, without being asked."""
    with running(both) as process, running(bert):
        aside = interrupted(both, process, usb)
        until(holds(bert, "b.txt", "b"))
        aside.rename(usb)
        until(same_events(nas, usb))
    assert both.text("sync") == "docs: up to date\n"


def test_it_returns_empty(both: Device, bert: Device, nas: Path, usb: Path) -> None:
    """Nothing is written there until the user says so; meanwhile the other store goes on, and the
    answer, given while it runs, fills it."""
    with running(both) as process, running(bert):
        interrupted(both, process, usb)
        until(holds(bert, "b.txt", "b"))
        usb.mkdir()
        until(lambda: both.document("questions"))
        both.write("c.txt", "c")
        until(holds(bert, "c.txt", "c"))
        assert list(usb.iterdir()) == []
        (question,) = both.document("questions")
        assert "refill" in question["choices"]
        both.run("answer", question["id"], "refill")
        until(same_events(nas, usb))
        assert both.document("questions") == []


def test_it_returns_older(both: Device, bert: Device, nas: Path, usb: Path) -> None:
    """A backup of it: what it had and has no more is sent again, and nothing is taken for gone."""
    both.write("old.txt", "old")
    both.run("sync")
    backup = usb.with_name("backup")
    shutil.copytree(usb, backup)
    both.write("lost there.txt", "lost there")
    both.run("sync")
    with running(both) as process, running(bert):
        interrupted(both, process, usb)
        until(holds(bert, "b.txt", "b"))
        backup.rename(usb)
        until(same_events(nas, usb))
        assert holds(both, "lost there.txt", "lost there")()
        assert holds(bert, "lost there.txt", "lost there")()


def test_it_returns_as_another_store(both: Device, bert: Device, nas: Path, usb: Path) -> None:
    """Nothing is written into it and nothing taken from it; the right one is taken up again."""
    other = Device(both.base.parent / "other")
    other.run("store", "add", "theirs", str(usb.with_name("theirs")))
    other.run("folder", "create", "docs")
    other.write("theirs.txt", "theirs")
    other.run("sync")
    theirs = sorted(usb.with_name("theirs").rglob("*"))
    with running(both) as process, running(bert):
        aside = interrupted(both, process, usb)
        usb.with_name("theirs").rename(usb)
        until(lambda: both.document("questions"))
        both.write("c.txt", "c")
        until(holds(bert, "c.txt", "c"))
        usb.rename(usb.with_name("theirs"))
        assert sorted(usb.with_name("theirs").rglob("*")) == theirs
        aside.rename(usb)
        until(same_events(nas, usb))
        assert both.document("questions") == []
    assert not (both.folder / "theirs.txt").exists()


def test_full_store_holds_up_no_other(
    anna: Device, bert: Device, nas: Path, tmp_path: Path
) -> None:
    """What does not fit there gets to the other one and to the other device at once; it is told
    once, and sent when there is room, without anybody asking."""
    with disk(tmp_path, "tmpfs", "size=512k") as point:
        usb = point / "store"
        anna.run("store", "add", "usb", str(usb))
        anna.run("folder", "stores", "docs", "--add", "usb")
        with running(anna) as process, running(bert):
            anna.write("a.txt", "a")
            until(holds(bert, "a.txt", "a"))
            until(same_events(nas, usb))
            filler = point / "filler"
            with pytest.raises(OSError, match="No space left"):
                filler.write_bytes(bytes(1 << 20))
            for number in range(3):
                anna.write("b.txt", f"{number} " * 20_000)
                until(holds(bert, "b.txt", f"{number} " * 20_000))
            filler.unlink()
            until(same_events(nas, usb))
            assert process.said.count("full") <= 1, process.said
