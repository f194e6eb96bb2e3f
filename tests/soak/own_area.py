"""A part of the folder where one person works alone: what must be there is known exactly.

Everything in it is done as a person with a file manager and a careless program would, while passes
run. Whatever goes wrong here is Firnline's doing.
"""

import random
import unicodedata
from collections.abc import Callable
from pathlib import Path

from tests.soak.diary import Diary
from tests.soak.hands import EDITS, Hand, overwrite, replace, write_big
from tests.soak.ledger import Standing
from tests.soak.trees import Node, look

FEW, MANY = 60, 160
"""Files, below which nobody deletes, and above which nobody makes more."""
_LEAVES = (
    "plain {}.txt",
    "plain {}.txt",
    "{}",
    "grün {} 日本語 🏔.md",
    "e\u0301te\u0301 {}",
    " {} spaces ",
    "-{} --dash",
    "line\nbreak {}",
    "'{}' \"quoted\" $(x) `y`",
    "back\\slash {}",
    "star*{}?<>|:",
    "CON {}.txt",
    "ends {}.",
    "%41 {}%",
    "Case {}.TXT",
    "{} " + "long " * 40,
    ".hidden {}",
)


class OwnArea:
    """What `person` does below `folder/person`."""

    def __init__(
        self, folder: Path, person: str, standing: Standing, diary: Diary, dice: random.Random
    ) -> None:
        self.name = person
        self._folder = folder
        self._standing = standing
        self._diary = diary
        self._dice = dice
        self._made = 0
        self.directories: set[str] = {person}

    def act(self) -> None:
        """One thing; now and then many at once. What fails is a finding."""
        act: Callable[[OwnArea], None]
        count = len(self.files())
        if count < FEW:
            act = OwnArea._burst
        elif count > MANY:
            act = self._dice.choice((OwnArea._delete, OwnArea._delete_directory))
        else:
            (act,) = self._dice.choices([each for each, _ in _ACTS], [often for _, often in _ACTS])
        try:
            act(self)
        except OSError as error:
            self._diary.find(self.name, f"where nobody else works: {error}")

    def files(self) -> list[str]:
        return sorted(p for p in self._standing.now() if p.startswith(f"{self.name}/"))

    def expected(self) -> dict[str, Node]:
        """What must stand in this part of every device's folder; nobody may be at work."""
        left = {path: each.node for path, each in self._standing.now().items()}
        own = {path: node for path, node in left.items() if path.startswith(f"{self.name}/")}
        full = {parent for path in (*own, *self.directories) for parent in _above(path)}
        own |= {path: Node("directory") for path in self.directories - full}
        return {unicodedata.normalize("NFC", path): node for path, node in own.items()}

    # --- what can be done -----------------------------------------------------------------------

    def _create(self) -> None:
        self._edit_with(self._new_path(), self._dice.choice((overwrite, replace)))

    def _create_big(self) -> None:
        self._edit_with(self._new_path(), write_big)

    def _create_empty(self) -> None:
        path = self._new_path()
        self._note("create empty", path)
        self._at(path).touch()
        self._left(path)

    def _burst(self) -> None:
        for _ in range(self._dice.randrange(10, 40)):
            self._edit_with(self._new_path(), overwrite)

    def _edit(self) -> None:
        self._edit_with(self._some_file(), self._dice.choice(EDITS))

    def _edit_with(self, path: str, hand: Hand) -> None:
        self._note(hand.__name__, path)
        self._standing.lift(path)
        content = hand(self._at(path), self._dice)
        if content != self._left(path).content:
            self._diary.find(self.name, f"{path!r} was changed while it was written")

    def _delete(self) -> None:
        path = self._any_leaf()
        self._note("delete", path)
        self._standing.lift(path)
        self._at(path).unlink()

    def _move(self) -> None:
        self._move_to(self._any_leaf(), self._new_path())

    def _move_onto(self) -> None:
        source, target = self._some_file(), self._some_file()
        if source != target:
            self._move_to(source, target)

    def _move_to(self, source: str, target: str) -> None:
        self._note("move", source, to=target)
        self._standing.lift(source, target)
        self._at(source).rename(self._at(target))
        self._left(target)

    def _give_away(self) -> None:
        """To the part of the folder that all share, under a name that nobody else takes."""
        source = self._some_file()
        self._made += 1
        target = f"shared/from {self.name} {self._made}"
        self._note("give away", source, to=target)
        node = look(self._at(source))
        self._standing.lift(source)
        self._at("shared").mkdir(exist_ok=True)
        self._at(source).rename(self._at(target))
        self._standing.put(target, node)

    def _swap(self) -> None:
        one, other, aside = self._some_file(), self._some_file(), self._new_path()
        if one == other:
            return
        self._note("swap", one, to=other)
        self._standing.lift(one, other)
        self._at(one).rename(self._at(aside))
        self._at(other).rename(self._at(one))
        self._at(aside).rename(self._at(other))
        self._left(one)
        self._left(other)

    def _copy(self) -> None:
        source, target = self._some_file(), self._new_path()
        self._note("copy", source, to=target)
        self._at(target).write_bytes(self._at(source).read_bytes())
        self._left(target)

    def _chmod(self) -> None:
        path = self._some_file()
        self._note("chmod", path)
        self._standing.lift(path)
        self._at(path).chmod(self._at(path).stat().st_mode ^ 0o111)
        self._left(path)

    def _link(self) -> None:
        path = self._new_path()
        self._note("link", path)
        self._at(path).symlink_to(f"somewhere {self._dice.getrandbits(64):016x}")
        self._left(path)

    def _make_directory(self) -> None:
        path = self._new_directory()
        self._note("mkdir", path)
        self._at(path).mkdir()
        self.directories.add(path)

    def _move_directory(self) -> None:
        source = self._some_directory()
        target = self._new_directory()
        if source is None or f"{target}/".startswith(f"{source}/"):
            return
        self._note("move directory", source, to=target)
        lifted = self._standing.lift(source)
        self._at(source).rename(self._at(target))
        moved = {d for d in self.directories if f"{d}/".startswith(f"{source}/")}
        self.directories -= moved
        self.directories |= {target + path.removeprefix(source) for path in moved}
        for path, left in lifted.items():
            self._standing.put(target + path.removeprefix(source), left.node)

    def _delete_directory(self) -> None:
        """A small one: nobody here deletes half of a folder."""
        path = self._some_directory()
        below = [] if path is None else [f for f in self.files() if f.startswith(f"{path}/")]
        if path is None or len(below) > 8:
            return
        self._note("delete directory", path, files=len(below))
        self._standing.lift(path)
        for file in below:
            self._at(file).unlink()
        inner = {d for d in self.directories if f"{d}/".startswith(f"{path}/")}
        for directory in sorted(inner, reverse=True):
            self._at(directory).rmdir()
        self.directories -= inner

    def _file_to_directory(self) -> None:
        """A file goes, and a directory of its name with a file in it comes."""
        path = self._some_file()
        self._delete_at(path)
        self._note("mkdir", path)
        self._at(path).mkdir()
        self.directories.add(path)
        self._edit_with(f"{path}/inside", overwrite)

    def _delete_at(self, path: str) -> None:
        self._note("delete", path)
        self._standing.lift(path)
        self._at(path).unlink()

    # --- choosing and noting --------------------------------------------------------------------

    def _some_file(self) -> str:
        """A file, no link."""
        left = self._standing.now()
        return self._dice.choice([p for p in self.files() if left[p].node.kind == "file"])

    def _any_leaf(self) -> str:
        return self._dice.choice(self.files())

    def _some_directory(self) -> str | None:
        inner = sorted(self.directories - {self.name})
        return self._dice.choice(inner) if inner else None

    def _new_path(self) -> str:
        """A name that was never there, in some directory."""
        self._made += 1
        directory = self._dice.choice(sorted(self.directories))
        return f"{directory}/{self._dice.choice(_LEAVES).format(self._made)}"

    def _new_directory(self) -> str:
        """Often below another: trees get deep, up to what a path may be long."""
        self._made += 1
        short = [d for d in self.directories if len(d.encode()) < 400]
        return f"{self._dice.choice(sorted(short))}/d{self._made}"

    def _at(self, path: str) -> Path:
        return self._folder / path

    def _left(self, path: str) -> Node:
        node = look(self._at(path))
        self._standing.put(path, node)
        return node

    def _note(self, what: str, path: str, **details: object) -> None:
        self._diary.note(self.name, what, path=path, **details)


def _above(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts))]


_ACTS: tuple[tuple[Callable[[OwnArea], None], int], ...] = (
    (OwnArea._create, 12),
    (OwnArea._edit, 30),
    (OwnArea._create_big, 1),
    (OwnArea._create_empty, 1),
    (OwnArea._delete, 6),
    (OwnArea._move, 8),
    (OwnArea._move_onto, 2),
    (OwnArea._give_away, 1),
    (OwnArea._swap, 3),
    (OwnArea._copy, 2),
    (OwnArea._chmod, 3),
    (OwnArea._link, 2),
    (OwnArea._make_directory, 3),
    (OwnArea._move_directory, 2),
    (OwnArea._delete_directory, 2),
    (OwnArea._file_to_directory, 1),
)
