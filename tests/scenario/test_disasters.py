"""Three devices, three stores, and one disaster after another, by a seed.

One store at a time is lost, emptied, set back, damaged or hidden, in the middle of ordinary work;
what the program asks is answered, what is damaged is repaired. No text that was ever written may be
missing in any store afterwards. FIRNLINE_DISASTERS=N plays N seeds.
"""

import os
import random
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.doubles.profile import Profile
from tests.scenario.owners import (
    back_up,
    check_invariants,
    empty,
    mount,
    owners,
    remove,
    set_back,
    sync,
    unmount,
)
from tests.scenario.store_contents import event_files

from firnline.engine.questions import answer_question, waiting_questions
from firnline.engine.replaced_stores import refill_store
from firnline.engine.verify_command import verify
from firnline.sync.connection import ReplacedError

SEEDS = int(os.environ.get("FIRNLINE_DISASTERS", "3"))
ROUNDS = 5


class Story:
    """One seed's life."""

    def __init__(self, place: Path, seed: int) -> None:
        self.dice = random.Random(seed)
        self.stores = [place / "s1", place / "s2", place / "s3"]
        self.devices = owners(place, self.stores, "abc")
        self.texts: set[str] = set()
        self._count = 0
        self.disasters: dict[str, Callable[[Path], None]] = {
            "emptied": empty,
            "removed": remove,
            "unmounted": self._unmounted,
            "set back": self._set_back,
            "names removed": self._take_names,
            "bits flipped": self._flip,
            "cut": self._cut,
            "changed places": self._change_places,
        }

    # --- ordinary work --------------------------------------------------------------------------

    def work(self) -> None:
        """Some edits, each synced by its device or not."""
        for _ in range(self.dice.randint(2, 5)):
            device = self.dice.choice(self.devices)
            self._edit(device)
            if self.dice.random() < 0.7:
                sync(device)

    def _edit(self, device: Profile) -> None:
        here = [p for p in sorted(device.folder.glob("*.txt")) if p.is_file()]
        what = self.dice.choice(["write", "write", "edit", "move", "copy", "delete"])
        if what == "write" or not here:
            self._write(device.folder / f"{self.dice.randint(0, 9)}.txt")
            return
        path = self.dice.choice(here)
        target = device.folder / f"m{self.dice.randint(0, 9)}.txt"
        if what == "edit":
            self._write(path)
        elif what == "delete":
            path.unlink()
        elif not target.exists():
            (path.rename if what == "move" else lambda t: shutil.copyfile(path, t))(target)

    def _write(self, path: Path) -> None:
        self._count += 1
        text = f"text {self._count}" + "x" * self.dice.choice([0, 0, 300_000])
        path.write_text(text)

    def note_all(self) -> None:
        """Everything that stands in a folder was taken in by a pass."""
        for device in self.devices:
            self.texts.update(p.read_text() for p in device.folder.glob("*.txt"))

    # --- disasters ------------------------------------------------------------------------------

    def _unmounted(self, store: Path) -> None:
        aside = unmount(store)
        self.work()
        sync(*self.devices)
        assert list(store.iterdir()) == []
        mount(store, aside)

    def _set_back(self, store: Path) -> None:
        copy = back_up(store)
        self.work()
        sync(*self.devices)
        self.note_all()
        self.work()
        set_back(store, copy)
        shutil.rmtree(copy)

    def _take_names(self, store: Path) -> None:
        """The newest among them, so that it is noticed at once and not within a week."""
        names = sorted(event_files(store).items())
        for _, path in [*self.dice.sample(names, len(names) // 2), *names[-1:]]:
            path.unlink(missing_ok=True)

    def _flip(self, store: Path) -> None:
        for path in self._some_files(store):
            body = bytearray(path.read_bytes())
            body[self.dice.randrange(len(body))] ^= 1 << self.dice.randrange(8)
            path.write_bytes(body)

    def _cut(self, store: Path) -> None:
        for path in self._some_files(store):
            body = path.read_bytes()
            path.write_bytes(body[: self.dice.randrange(len(body))])

    def _some_files(self, store: Path) -> list[Path]:
        parts = ("events/*/*", "eventsindex/*/*", "history/data/*/*")
        found = sorted(p for part in parts for p in store.glob(f"docs-*/{part}"))
        whole = [path for path in found if path.stat().st_size]
        return self.dice.sample(whole, min(3, len(whole)))

    def _change_places(self, store: Path) -> None:
        other = self.dice.choice([each for each in self.stores if each != store])
        self._swap(store, other)
        self.work()
        sync(*self.devices)
        self._swap(store, other)

    def _swap(self, one: Path, other: Path) -> None:
        aside = one.with_name("aside")
        for source, target in ((one, aside), (other, one), (aside, other)):
            source.rename(target)

    # --- and afterwards -------------------------------------------------------------------------

    def recover(self, store: Path) -> None:
        """What waits is answered, on every device; what is damaged is repaired by one of them."""
        for device in self.devices:
            outcomes = sync(device)
            if any(isinstance(u.why, ReplacedError) for o in outcomes for u in o.unreached):
                with device.engine() as engine:
                    for question in waiting_questions(engine):
                        assert question.details["store"] == store.name
                        answer_question(engine, question.id, "refill")
            elif not store.exists():
                with device.engine() as engine:
                    refill_store(engine, store.name)
        sync(*self.devices)
        self.note_all()
        with self.devices[0].engine() as engine:
            for verdict in verify(engine, [], None, repair=True):
                assert verdict.good, verdict


@pytest.mark.parametrize("seed", range(SEEDS))
def test_nothing_is_lost_in_any_disaster(tmp_path: Path, tally: Counter[str], seed: int) -> None:
    """One at a time, and the stores are equal, whole and quiet again."""
    story = Story(tmp_path, seed)
    story.work()
    sync(*story.devices)
    story.note_all()
    for _ in range(ROUNDS):
        name = story.dice.choice(sorted(story.disasters))
        store = story.dice.choice(story.stores)
        story.disasters[name](store)
        tally["disasters of stores"] += 1
        story.work()
        story.recover(store)
        check_invariants(story.devices, story.stores, story.texts)
