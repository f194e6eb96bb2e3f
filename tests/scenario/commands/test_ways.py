"""Devices and stores of which nobody sees all: `firnline run` brings everything everywhere."""

from collections.abc import Iterable
from pathlib import Path

import pytest
from tests.scenario.commands.device import Device
from tests.scenario.commands.running import holds, running, until
from tests.scenario.store_contents import event_files, missing_contents


@pytest.fixture
def places(tmp_path: Path) -> dict[str, Path]:
    """Where the stores really are."""
    return {name: tmp_path / "stores" / name for name in ("a", "b", "c")}


class Traveller(Device):
    """Sees a store only while it is where the store is."""

    def sees(self, name: str) -> Path:
        """Where it has the store."""
        return self.base / "at" / name

    def arrive(self, place: Path) -> None:
        """The store can be reached from now on."""
        self.sees(place.name).parent.mkdir(exist_ok=True)
        self.sees(place.name).symlink_to(place)

    def leave(self, place: Path) -> None:
        """No more."""
        self.sees(place.name).unlink()

    def add(self, *places: Path) -> None:
        """To its stores."""
        for place in places:
            place.mkdir(parents=True, exist_ok=True)
            self.arrive(place)
            self.run("store", "add", place.name, str(self.sees(place.name)))


def traveller(base: Path, *places: Path) -> Traveller:
    device = Traveller(base)
    device.run("config", "set", "device.name", base.name)
    device.run("config", "set", "copier.grace", "1")
    device.add(*places)
    return device


def all_equal(stores: Iterable[Path]) -> bool:
    """The same log, with all that it names."""
    return len({frozenset(event_files(store)) for store in stores}) == 1 and not any(
        missing_contents(store) for store in stores
    )


def test_three_stores_of_which_no_device_sees_all(tmp_path: Path, places: dict[str, Path]) -> None:
    """Two devices with one store in common: each brings the other's work to the store that the
    other does not know."""
    anna = traveller(tmp_path / "anna", places["a"], places["b"])
    anna.run("folder", "create", "docs")
    anna.write("before.txt", "before")
    anna.run("sync")
    bert = traveller(tmp_path / "bert", places["b"], places["c"])
    bert.run("folder", "join", "docs", "docs")
    bert.run("folder", "stores", "docs", "--add", "c")
    with running(anna), running(bert):
        until(holds(bert, "before.txt", "before"))
        anna.write("anna.txt", "anna")
        bert.write("bert.txt", "bert")
        until(holds(bert, "anna.txt", "anna"))
        until(holds(anna, "bert.txt", "bert"))
        anna.write("bert.txt", "anna was here")
        until(holds(bert, "bert.txt", "anna was here"))
        until(lambda: all_equal(places.values()))
    assert len(event_files(places["c"])) == 4


def test_a_stick_is_carried_between_two_stores(tmp_path: Path, places: dict[str, Path]) -> None:
    """One device reaches only A, another only B. A third one goes to and fro with a stick: what
    either wrote arrives at the other, edits on both sides stand beside each other, and at the end
    all stores have the same log."""
    home, office, stick = places["a"], places["b"], places["c"]
    anna = traveller(tmp_path / "anna", home)
    anna.run("folder", "create", "docs")
    anna.write("a.txt", "from home")
    anna.run("sync")
    carl = traveller(tmp_path / "carl", home, stick)
    carl.run("folder", "join", "docs", "docs")
    carl.run("folder", "stores", "docs", "--add", "c")
    carl.run("sync")
    carl.leave(home)
    carl.add(office)
    carl.run("folder", "stores", "docs", "--add", "b")
    carl.run("sync", code=1)
    bert = traveller(tmp_path / "bert", office)
    bert.run("folder", "join", "docs", "docs")
    with running(anna), running(bert), running(carl):
        until(holds(bert, "a.txt", "from home"))
        carl.leave(office)
        bert.write("b.txt", "from the office")
        anna.write("both.txt", "home")
        bert.write("both.txt", "office")
        carl.write("on the way.txt", "on the way")
        until(holds(carl, "on the way.txt", "on the way"))
        carl.arrive(home)
        until(holds(carl, "both.txt", "home"))
        until(holds(anna, "on the way.txt", "on the way"))
        carl.leave(home)
        carl.arrive(office)
        until(holds(carl, "b.txt", "from the office"))
        until(holds(bert, "on the way.txt", "on the way"))
        carl.arrive(home)
        until(holds(anna, "b.txt", "from the office"))
        until(lambda: all_equal(places.values()))
        until(lambda: len({frozenset(texts(device)) for device in (anna, bert, carl)}) == 1)
    assert texts(anna) == {"from home", "from the office", "home", "office", "on the way"}


def texts(device: Device) -> set[str]:
    """All that its files say."""
    found = set()
    for path in device.folder.glob("*.txt"):
        try:
            found.add(path.read_text())
        except OSError:
            found.add("")
    return found
