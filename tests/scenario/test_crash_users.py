"""People who go on working: after a crash, and while their files are being replaced.

Whatever somebody saves at a bad moment is found in everybody's folder afterwards, at its path, in
a conflict copy of it, or where the file was moved to; and no other path is touched by that.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, suppress
from enum import StrEnum
from itertools import product
from pathlib import Path
from typing import TextIO

import pytest
from tests.scenario.crashes import KillAt, Killed, World, canonical, unmarked
from tests.scenario.laptops import Laptop
from tests.scenario.rehearsal import Pass, Rehearsal, after
from tests.scenario.store_contents import everything_of
from tests.scenario.stories import DIRECTORIES, MIXED, STORIES
from tests.scenario.story import Story
from tests.scenario.test_crash import ALL

from firnline.core.steps import Steps, no_steps

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
        """What this user wrote, and did not throw away."""
        self.touched: set[str] = set()
        """Paths at which the end of the story may be another now."""
        self._old: set[str] = set()
        self._count = 0

    def do(self, what: Do, path: str) -> None:
        """To an existing file, or (saving) to a new one where there is room for it."""
        target = self.laptop.folder / path
        exists = os.path.lexists(target)
        if exists and (target.is_dir() or target.is_symlink()):
            return
        if exists:
            self._old.add(target.read_text())
            self.saved.discard(target.read_text())
        self._note(path)
        match what:
            case Do.SAVE | Do.REPLACE:
                self._save(path, what)
            case Do.DELETE if exists:
                target.unlink()
            case Do.MOVE if exists:
                self._note(f"{path} elsewhere")
                target.rename(self.laptop.folder / f"{path} elsewhere")
            case Do.DELETE | Do.MOVE:
                pass

    def _save(self, path: str, what: Do) -> None:
        target = self.laptop.folder / path
        if not target.parent.is_dir():
            return
        self._count += 1
        text = f"{path} saved by the user, {self._count}"
        if what is Do.SAVE:
            target.write_text(text)
        else:
            aside = self.laptop.place / "aside"
            aside.write_text(text)
            aside.rename(target)
        self.saved.add(text)

    def write_to(self, path: str, file: TextIO) -> None:
        """To an open file, wherever it stands by now."""
        file.seek(0)
        self._old.add(file.read())
        self._note(path)
        self._count += 1
        text = f"{path} written by a program, {self._count}"
        file.seek(0)
        file.write(text)
        file.truncate()
        file.flush()
        self.saved.add(text)

    def _note(self, path: str) -> None:
        self.touched.add(unmarked(path))
        self.touched.update(str(parent) for parent in Path(path).parents)

    def check(self, rehearsal: Rehearsal) -> None:
        """All that was saved is in the tree, and nothing else is another than it should be."""
        found, expected = canonical(self.laptop.tree()), rehearsal.story.expected
        shown = {_text(content) for contents in found.values() for content in contents}
        lost = self.saved - shown
        assert not lost, f"not in the folder: {lost}"
        free = self.touched | {
            path
            for path, contents in (*expected.items(), *rehearsal.start.items())
            if self._old & set(map(_text, contents))
        }
        for path in (found.keys() | expected.keys()) - free:
            if path not in expected and set(map(_text, found[path])) <= self._old:
                continue  # a whole directory was moved, and the user's new file with it
            assert found.get(path) == expected.get(path), f"{path}: {found.get(path)}"
        rehearsal.world.check(None)

    def check_no_conflict(self, rehearsal: Rehearsal) -> None:
        """What was saved where nobody else changes anything stands alone at its path."""
        found = canonical(self.laptop.tree())
        for path in self.touched & rehearsal.start.keys():
            expected = rehearsal.story.expected.get(path, [])
            if len(expected) == 1 and _text(expected[0]) in self._old:
                contents = found.get(path, [])
                assert len(contents) <= 1, f"{path}: {contents}"


def _text(content: object) -> str:
    return str(content[0] if isinstance(content, tuple) else content)


def files_of(laptop: Laptop) -> list[str]:
    """Paths of all files of a folder."""
    paths = sorted(path for path in laptop.folder.rglob("*") if path.is_file())
    names = [path.relative_to(laptop.folder).as_posix() for path in paths]
    return [name for name in names if not name.startswith(".firnline/")]


def _rehearse(place: Path, story: Story) -> Rehearsal:
    """These users mean what they do, also where they delete all that there is."""
    rehearsal = Rehearsal(place, story)
    for laptop in rehearsal.world.laptops.values():
        laptop.delete_unasked = True
    return rehearsal


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
    rehearsal = _rehearse(memory_disk, story)
    where = rehearsal.passes[number]
    laptop = rehearsal.laptop(where)
    for step in range(1, len(where.steps) + 1):
        for what, paths in _choices(rehearsal, where, step):
            death = rehearsal.kill(where, step)
            user = User(laptop)
            for path in paths:
                user.do(what, path)
            _forget_what_nobody_took_in(rehearsal.world)
            tally["edits after a kill"] += len(paths)
            with after(death, f"{what} of {', '.join(paths)}"):
                rehearsal.carry_on(where)
                user.check(rehearsal)
                if where.number in story.sends:
                    user.check_no_conflict(rehearsal)


def _choices(rehearsal: Rehearsal, where: Pass, step: int) -> Iterator[tuple[Do, list[str]]]:
    """All that can be done to all files at once where a commit was just missed, to any single
    file else; or, unless all are asked for, one of that at every fourth step."""
    rehearsal.kill(where, step)
    paths = files_of(rehearsal.laptop(where))
    if ALL or where.steps[step - 1] in ("commit confirm event", "commit applied"):
        yield from ((what, paths) for what in Do)
    if ALL:
        yield from ((what, [path]) for what in Do for path in paths)
    elif paths and step % 4 == 0:
        yield tuple(Do)[step // 4 % len(Do)], [paths[step * 7 % len(paths)]]


def _forget_what_nobody_took_in(world: World) -> None:
    """What a user threw away before any pass had kept it is lost, and rightly so."""
    world.written &= set(everything_of(world.laptops.values()))


# --- saves that slip in ---------------------------------------------------------------------------

RENAMES = {"keep", "place", "rename", "replace", "take away", "move", "move directory"}
"""Steps between the last look at a file and what is done to it."""
CHANGES = RENAMES | {
    "set executable", "touch", "make directory", "remove directory",
    "commit intents", "barrier", "commit applied",
}  # fmt: skip

slips = pytest.mark.parametrize(
    ("story", "number"),
    [(MIXED, 1), (MIXED, 2), (DIRECTORIES, 1), (DIRECTORIES, 2)],
    ids=["mixed-1", "mixed-2", "directories-1", "directories-2"],
)


class Meanwhile:
    """Steps before some of which (from 1 on) something else happens."""

    def __init__(self, actions: Mapping[int, Callable[[], None]], death: Steps = no_steps) -> None:
        self._actions = actions
        self._death = death
        self._number = 0

    def __call__(self, name: str) -> None:
        self._death(name)
        self._number += 1
        self._actions.get(self._number, _nothing)()


def _nothing() -> None:
    pass


class Slip:
    """A user who does the same to every file that a pass touches, in the middle of it."""

    def __init__(self, rehearsal: Rehearsal, where: Pass, what: Do) -> None:
        self.user = User(rehearsal.laptop(where))
        self._world, self._paths, self._what = rehearsal.world, where.touched, what

    def __call__(self) -> None:
        for path in self._paths:
            self.user.do(self._what, path)
        _forget_what_nobody_took_in(self._world)


@slips
@pytest.mark.parametrize("what", Do)
def test_saves_that_slip_in(
    memory_disk: Path, tally: Counter[str], story: Story, number: int, what: Do
) -> None:
    """Whatever is saved, replaced, deleted or moved while a pass brings the folder in line with
    the log, in the last moment before a file is replaced even, is not lost."""
    rehearsal = _rehearse(memory_disk, story)
    where = rehearsal.passes[number]
    for step, name in enumerate(where.steps, 1):
        if name in CHANGES or ALL:
            rehearsal.world.go_back(where.moment)
            slip = Slip(rehearsal, where, what)
            tally["saves that slipped in"] += len(where.touched)
            with after(f"step {step} ({name})"):
                rehearsal.laptop(where).sync(steps=Meanwhile({step: slip}))
                rehearsal.world.settle()
                slip.user.check(rehearsal)


@slips
@pytest.mark.parametrize("what", [Do.SAVE, Do.REPLACE])
def test_saves_that_slip_in_before_a_crash(
    memory_disk: Path, tally: Counter[str], story: Story, number: int, what: Do
) -> None:
    """Nor is what somebody saves once more at the next step, or just before the pass dies."""
    rehearsal = _rehearse(memory_disk, story)
    where = rehearsal.passes[number]
    renames = [step for step, name in enumerate(where.steps, 1) if name in RENAMES or ALL]
    for step, again, dies in product(renames, (0, 1), (0, 1)):
        if again != dies or (again and ALL):
            rehearsal.world.go_back(where.moment)
            slip = Slip(rehearsal, where, what)
            death = KillAt(step + again + 1 if dies else None)
            tally["saves that slipped in"] += len(where.touched) * (1 + again)
            with after(f"step {step} ({where.steps[step - 1]})", f"{again=}", f"{dies=}"):
                with suppress(Killed):
                    saves = {step: slip, step + again: slip}
                    rehearsal.laptop(where).sync(steps=Meanwhile(saves, death))
                rehearsal.world.settle()
                slip.user.check(rehearsal)


class OpenFiles:
    """A program that has all files open which a pass touches, and writes to them in the middle."""

    def __init__(self, rehearsal: Rehearsal, where: Pass, stack: ExitStack) -> None:
        self.user = User(rehearsal.laptop(where))
        self._world = rehearsal.world
        paths = sorted(set(files_of(self.user.laptop)) & set(where.touched))
        self._files = [
            (path, stack.enter_context((self.user.laptop.folder / path).open("r+")))
            for path in paths
        ]

    def __call__(self) -> None:
        for path, file in self._files:
            if os.fstat(file.fileno()).st_nlink:
                self.user.write_to(path, file)
        _forget_what_nobody_took_in(self._world)


@slips
def test_programs_that_keep_files_open(
    memory_disk: Path, tally: Counter[str], story: Story, number: int
) -> None:
    """What a program writes to a file that it has open is not lost, even when the file has been
    replaced or taken away meanwhile, as long as the pass has not looked at it for the last time."""
    rehearsal = _rehearse(memory_disk, story)
    where = rehearsal.passes[number]
    for step, name in enumerate(where.steps, 1):
        if name in CHANGES:
            rehearsal.world.go_back(where.moment)
            with ExitStack() as stack, after(f"step {step} ({name})"):
                program = OpenFiles(rehearsal, where, stack)
                tally["saves that slipped in"] += len(where.touched)
                rehearsal.laptop(where).sync(steps=Meanwhile({step: program}))
                rehearsal.world.settle()
                program.user.check(rehearsal)
