"""People who go on working: after a crash, and while their files are being replaced.

Whatever somebody saves at a bad moment is found in everybody's folder afterwards, at its path, in
a conflict copy of it, or where the file was moved to; and no other path is touched by that.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from enum import StrEnum
from itertools import cycle
from pathlib import Path

import pytest
from tests.scenario.crashes import World, canonical
from tests.scenario.laptops import Laptop
from tests.scenario.rehearsal import Pass, Rehearsal, after
from tests.scenario.store_contents import everything_of
from tests.scenario.stories import DIRECTORIES, MIXED, STORIES, Story
from tests.scenario.test_crash import ALL

pytestmark = [
    pytest.mark.usefixtures("small_batches"),
    pytest.mark.timeout(36_000 if ALL else 120),
]


class Do(StrEnum):
    """What somebody does to a file."""

    SAVE = "save"
    """Written in place."""
    REPLACE = "replace"
    """Written aside and renamed: what most editors do."""
    DELETE = "delete"
    MOVE = "move"


class User:
    """Somebody at a laptop, and what must not be lost of it."""

    def __init__(self, laptop: Laptop) -> None:
        self.laptop = laptop
        self.saved: set[str] = set()
        self.touched: set[str] = set()
        """Paths at which the end of the story may be another now."""
        self._old: set[str] = set()

    def do(self, what: Do, path: str) -> None:
        """To an existing file, or (saving) to a new one where there is room for it."""
        target = self.laptop.folder / path
        exists = os.path.lexists(target)
        if exists and (target.is_dir() or target.is_symlink()):
            return
        if exists:
            self._old.add(target.read_text())
        self._note(path)
        match what:
            case Do.SAVE | Do.REPLACE:
                self._save(path, what)
            case Do.DELETE:
                target.unlink(missing_ok=True)
            case Do.MOVE if exists:
                self._note(f"{path} elsewhere")
                target.rename(self.laptop.folder / f"{path} elsewhere")
            case Do.MOVE:
                pass

    def _save(self, path: str, what: Do) -> None:
        target = self.laptop.folder / path
        if not target.parent.is_dir():
            return
        text = f"{path} saved by the user"
        if what is Do.SAVE:
            target.write_text(text)
        else:
            aside = self.laptop.place / "aside"
            aside.write_text(text)
            aside.rename(target)
        self.saved.add(text)

    def _note(self, path: str) -> None:
        self.touched.update(canonical({path: ""}))
        self.touched.update(str(parent) for parent in Path(path).parents)

    def check(self, rehearsal: Rehearsal) -> None:
        """All that was saved is in the tree, and nothing else is another than it should be."""
        found, expected = canonical(self.laptop.tree()), rehearsal.story.expected
        shown = {_text(content) for contents in found.values() for content in contents}
        assert self.saved <= shown, f"not in the folder: {self.saved - shown}"
        free = self.touched | {
            path
            for path, contents in (*expected.items(), *rehearsal.start.items())
            if self._old & set(map(_text, contents))
        }
        for path in (found.keys() | expected.keys()) - free:
            assert found.get(path) == expected.get(path), f"{path}: {found.get(path)}"
        rehearsal.world.check(None)


def _text(content: object) -> str:
    return str(content[0] if isinstance(content, tuple) else content)


def files_of(laptop: Laptop) -> list[str]:
    """Paths of all files of a folder."""
    paths = sorted(path for path in laptop.folder.rglob("*") if path.is_file())
    names = [path.relative_to(laptop.folder).as_posix() for path in paths]
    return [name for name in names if not name.startswith(".firnline/")]


# Passes after which nobody but the user of the killed laptop edits anything.
LAST_EDITED = [
    (story, number)
    for story in STORIES
    for number in range(len(story.acts))
    if not any(act.edits for act in story.acts[number + 1 :])
]
last_edited = pytest.mark.parametrize(
    ("story", "number"),
    LAST_EDITED,
    ids=[f"{story.name}-{number}" for story, number in LAST_EDITED],
)


@last_edited
def test_editing_after_a_crash(
    memory_disk: Path, tally: Counter[str], story: Story, number: int
) -> None:
    """Who edits, deletes or moves a file before the killed laptop starts again loses nothing."""
    rehearsal = Rehearsal(memory_disk, story)
    where = rehearsal.passes[number]
    laptop = rehearsal.laptop(where)
    for step in range(1, len(where.steps) + 1):
        for what, path in _choices(rehearsal, where, step):
            death = rehearsal.kill(where, step)
            user = User(laptop)
            user.do(what, path)
            _forget_what_nobody_took_in(rehearsal.world)
            tally["edits after a kill"] += 1
            with after(death, f"{what} of {path}"):
                rehearsal.carry_on(where)
                user.check(rehearsal)


def _choices(rehearsal: Rehearsal, where: Pass, step: int) -> Iterator[tuple[Do, str]]:
    """All that can be done to any file; or one of that for every other step."""
    rehearsal.kill(where, step)
    paths = files_of(rehearsal.laptop(where))
    if ALL:
        yield from ((what, path) for what in Do for path in paths)
    elif paths and step % 2:
        yield tuple(Do)[step // 2 % len(Do)], paths[step * 7 % len(paths)]


def _forget_what_nobody_took_in(world: World) -> None:
    """What a user threw away before any pass had kept it is lost, and rightly so."""
    world.written &= set(everything_of(world.laptops.values()))
