"""The part of the folder where everybody writes at the same time: conflicts, and what they leave.

What must be there is not known beforehand, only that every device must have the same, and that no
content is lost. Firnline changes files here while people do.
"""

import random
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tests.soak.diary import Diary
from tests.soak.hands import EDITS, replace
from tests.soak.ledger import Standing
from tests.soak.trees import Node, look

MANY = 60
_NAMES = tuple(
    f"shared/{place}{name}" for place in ("", "x/", "x/y/") for name in ("1.txt", "2", "3.d")
)
_DIRECTORIES = ("shared/x", "shared/x/y", "shared/z", "shared/3.d")


class SharedArea:
    """What `person` does below `folder/shared`."""

    def __init__(
        self, folder: Path, person: str, standing: Standing, diary: Diary, dice: random.Random
    ) -> None:
        self._name = person
        self._folder = folder
        self._standing = standing
        self._diary = diary
        self._dice = dice

    def act(self) -> None:
        """One thing; it fails where Firnline was quicker, and that is nobody's fault."""
        acts = _TIDYING if len(self._present()) > MANY else _ACTS
        with suppress(OSError):
            self._dice.choice(acts)(self)

    def _write(self) -> None:
        path = self._dice.choice((*_NAMES, *self._present()))
        # Written through a link, what another path was left with would change unnoticed.
        hand = replace if self._at(path).is_symlink() else self._dice.choice(EDITS)
        self._lift(hand.__name__, path)
        self._at(path).parent.mkdir(parents=True, exist_ok=True)
        content = hand(self._at(path), self._dice)
        if content is not None:
            self._standing.put(path, Node("file", content))

    def _delete(self) -> None:
        path = self._some()
        self._lift("delete", path)
        self._at(path).unlink()

    def _move(self) -> None:
        source, target = self._some(), self._dice.choice(_NAMES)
        lifted = self._lift("move", source, target)
        self._at(target).parent.mkdir(parents=True, exist_ok=True)
        self._at(source).rename(self._at(target))
        if source in lifted:
            self._standing.put(target, lifted[source])

    def _move_directory(self) -> None:
        source, target = self._dice.sample(_DIRECTORIES, 2)
        lifted = self._lift("move directory", source, target)
        self._at(source).rename(self._at(target))
        for path, node in lifted.items():
            if path.startswith(f"{source}/"):
                self._standing.put(target + path.removeprefix(source), node)

    def _chmod(self) -> None:
        path = self._some()
        self._diary.note(self._name, "chmod", path=path)
        self._at(path).chmod(self._at(path).stat().st_mode ^ 0o111)

    def _make_directory(self) -> None:
        path = self._dice.choice(_DIRECTORIES)
        self._lift("mkdir", path)
        self._at(path).mkdir(parents=True)

    def _link(self) -> None:
        path = self._dice.choice(_NAMES)
        self._lift("link", path)
        self._at(path).unlink(missing_ok=True)
        self._at(path).symlink_to(f"somewhere {self._dice.getrandbits(64):016x}")
        self._standing.put(path, look(self._at(path)))

    def _some(self) -> str:
        found = self._present()
        if not found:
            raise FileNotFoundError("shared")
        return self._dice.choice(found)

    def _present(self) -> list[str]:
        found = sorted(self._at("shared").rglob("*"))
        files = [path for path in found if path.is_symlink() or path.is_file()]
        return [path.relative_to(self._folder).as_posix() for path in files]

    def _lift(self, what: str, *paths: str) -> dict[str, Node]:
        self._diary.note(self._name, what, path=paths[0], to=paths[-1])
        return {path: left.node for path, left in self._standing.lift(*paths).items()}

    def _at(self, path: str) -> Path:
        return self._folder / path


_ACTS: tuple[Callable[[SharedArea], None], ...] = (
    *[SharedArea._write] * 8,
    *[SharedArea._delete] * 2,
    *[SharedArea._move] * 2,
    SharedArea._move_directory,
    SharedArea._chmod,
    SharedArea._make_directory,
    SharedArea._link,
)
_TIDYING: tuple[Callable[[SharedArea], None], ...] = (SharedArea._delete,)
