"""Files that everybody has had and somebody deleted: none may come back.

`graves/` changes only at moments of rest, so what must be there is known to the byte, also when a
store that was away all the time comes back and still has the old state.
"""

import random
from pathlib import Path

from tests.soak.device import Device
from tests.soak.diary import Diary
from tests.soak.trees import Node, look

_NEW = 6


class Graves:
    """What stands in `graves/`, and what was deleted there."""

    def __init__(self, diary: Diary, dice: random.Random) -> None:
        self._diary = diary
        self._dice = dice
        self._made = 0
        self.expected: dict[str, Node] = {}
        self.deleted: set[str] = set()

    def dig(self, makes: Device, deletes: Device) -> None:
        """At rest: `deletes` deletes half of what is there, `makes` makes something new."""
        for path in self._dice.sample(sorted(self.expected), len(self.expected) // 2):
            self._diary.note(deletes.name, "delete for ever", path=path)
            (deletes.folder / path).unlink()
            self.deleted.add(path)
            del self.expected[path]
        for _ in range(_NEW):
            self._make(makes.folder)

    def _make(self, folder: Path) -> None:
        self._made += 1
        path = f"graves/{self._made}"
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(f"{path} {self._dice.random()}")
        self.expected[path] = look(folder / path)
