"""What people do to a folder, at any moment, also in the middle of a pass."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random

from tests.scenario.laptops import Laptop

NAMES = ("a", "b", "c", "Report.txt", "report.txt", "naïve.txt", "run.sh", "x.skip", "y.skip")
DIRECTORIES = ("d", "e", "Photos", "photos", "d/e", "d/e/f", "e/g")
IGNORE_FILE = ".firnlineignore"
HIDDEN = ".skip"
_SAME = "the same"
_PATTERNS = ("*.skip\n", "# nothing\n")
COMMON = (_SAME, *_PATTERNS)
"""Texts that several people write."""
_LONG = "longer than what fits a batch here; " * 4
_MASS = 8
"""Few enough that nobody is asked whether they mean it."""


class People:
    """Everybody, drawn from one generator. Nothing here fails: what cannot be done is not done."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self._texts = 0
        self._acts: list[tuple[int, Callable[[Laptop], str | None]]] = [
            (6, self._create),
            (7, self._edit),
            (2, self._append),
            (3, self._delete),
            (4, self._move),
            (2, self._move_directory),
            (1, self._move_onto),
            (1, self._delete_directory),
            (1, self._make_directory),
            (1, self._link),
            (2, self._mode),
            (1, self._swap),
            (1, self._turn_into_directory),
            (1, self._turn_into_file),
            (1, self._respell),
            (1, self._touch),
            (1, self._many),
            (1, self._same),
            (1, self._ignore),
        ]

    def act(self, laptop: Laptop) -> str | None:
        """One thing that somebody does; what it was, None when it could not be done. In brackets
        the number of the last text that it wrote."""
        weights = [weight for weight, _ in self._acts]
        (_, chosen), *_ = self._chance.choices(self._acts, weights)
        texts = self._texts
        try:
            done = chosen(laptop)
            return f"{done} [{self._texts}]" if done and self._texts > texts else done
        except (FileNotFoundError, FileExistsError, NotADirectoryError, IsADirectoryError):
            # A path that goes through a file, or ends on a directory.
            return None

    # --- files ----------------------------------------------------------------------------------

    def _text(self) -> str:
        self._texts += 1
        return f"text {self._texts}" + (_LONG if self._chance.random() < 0.1 else "")

    def _create(self, laptop: Laptop) -> str | None:
        path = self._new_path()
        return self._write(laptop, path, self._text())

    def _write(self, laptop: Laptop, path: str, text: str) -> str | None:
        target = laptop.folder / path
        if os.path.lexists(target) and (target.is_symlink() or target.is_dir()):
            return None
        executable = self._chance.random() < 0.1
        laptop.write(path, text, executable=executable)
        return f"write {path}: {text[:12]!r}" + " x" * executable

    def _edit(self, laptop: Laptop) -> str | None:
        path = self._file(laptop)
        if path is None:
            return None
        if self._chance.random() < 0.5:
            return self._write(laptop, path, self._text())
        # As most editors save: a new file takes the old one's name.
        text = self._text()
        aside = f"{path}.{self._texts}~"
        laptop.write(aside, text)
        (laptop.folder / aside).replace(laptop.folder / path)
        return f"replace {path}: {text[:12]!r}"

    def _append(self, laptop: Laptop) -> str | None:
        path = self._file(laptop)
        if path is None:
            return None
        body = (laptop.folder / path).read_bytes()[:300]
        laptop.write(path, body + self._text().encode())
        return f"append to {path}"

    def _same(self, laptop: Laptop) -> str | None:
        return self._write(laptop, self._new_path(), _SAME)

    def _delete(self, laptop: Laptop) -> str | None:
        path = self._entry(laptop)
        if path is None:
            return None
        laptop.delete(path)
        return f"delete {path}"

    def _move(self, laptop: Laptop) -> str | None:
        source, target = self._entry(laptop), self._new_path()
        if source is None or os.path.lexists(laptop.folder / target):
            return None
        laptop.move(source, target)
        return f"move {source} to {target}"

    def _move_onto(self, laptop: Laptop) -> str | None:
        source, target = self._file(laptop), self._file(laptop)
        if source is None or target is None or source == target:
            return None
        laptop.move(source, target)
        return f"move {source} onto {target}"

    def _swap(self, laptop: Laptop) -> str | None:
        one, other = self._file(laptop), self._file(laptop)
        if one is None or other is None or one == other:
            return None
        laptop.move(one, f"{one}.aside~")
        laptop.move(other, one)
        laptop.move(f"{one}.aside~", other)
        return f"swap {one} and {other}"

    def _mode(self, laptop: Laptop) -> str | None:
        path = self._file(laptop)
        if path is None:
            return None
        target = laptop.folder / path
        target.chmod(target.stat().st_mode ^ 0o111)
        return f"chmod {path}"

    def _touch(self, laptop: Laptop) -> str | None:
        path = self._file(laptop)
        if path is None:
            return None
        laptop._settle(laptop.folder / path)
        return f"touch {path}"

    def _link(self, laptop: Laptop) -> str | None:
        path = self._new_path()
        target = laptop.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        self._texts += 1
        target.symlink_to(f"somewhere-{self._texts}")
        return f"link {path}"

    def _respell(self, laptop: Laptop) -> str | None:
        path = self._entry(laptop)
        if path is None:
            return None
        directory, slash, leaf = path.rpartition("/")
        target = f"{directory}{slash}{leaf.swapcase()}"
        if target.endswith(HIDDEN.swapcase()) or os.path.lexists(laptop.folder / target):
            return None
        laptop.move(path, target)
        return f"respell {path} as {target}"

    def _many(self, laptop: Laptop) -> str | None:
        directory = self._chance.choice(DIRECTORIES)
        for number in range(_MASS):
            if not os.path.lexists(laptop.folder / directory / f"many-{number}"):
                laptop.write(f"{directory}/many-{number}", self._text())
        return f"write many to {directory}"

    def _ignore(self, laptop: Laptop) -> str | None:
        text = self._chance.choice(_PATTERNS)
        laptop.write(IGNORE_FILE, text)
        return f"ignore {text.strip()}"

    # --- directories ------------------------------------------------------------------------------

    def _make_directory(self, laptop: Laptop) -> str | None:
        path = self._chance.choice(DIRECTORIES)
        (laptop.folder / path).mkdir(parents=True, exist_ok=False)
        return f"mkdir {path}"

    def _move_directory(self, laptop: Laptop) -> str | None:
        source, target = self._directory(laptop), self._chance.choice(DIRECTORIES)
        if source is None or os.path.lexists(laptop.folder / target):
            return None
        if f"{target}/".startswith(f"{source}/"):
            return None
        laptop.move(source, target)
        return f"move directory {source} to {target}"

    def _delete_directory(self, laptop: Laptop) -> str | None:
        path = self._directory(laptop)
        if path is None or sum(1 for _ in (laptop.folder / path).rglob("*")) > _MASS:
            return None
        shutil.rmtree(laptop.folder / path)
        return f"delete directory {path}"

    def _turn_into_directory(self, laptop: Laptop) -> str | None:
        path = self._file(laptop)
        if path is None:
            return None
        laptop.delete(path)
        laptop.write(f"{path}/inner", self._text())
        return f"{path} becomes a directory"

    def _turn_into_file(self, laptop: Laptop) -> str | None:
        path = self._directory(laptop)
        if path is None or sum(1 for _ in (laptop.folder / path).rglob("*")) > _MASS:
            return None
        shutil.rmtree(laptop.folder / path)
        laptop.write(path, self._text())
        return f"{path} becomes a file"

    # --- what there is ----------------------------------------------------------------------------

    def _new_path(self) -> str:
        name = self._chance.choice(NAMES)
        if self._chance.random() < 0.4:
            return name
        return f"{self._chance.choice(DIRECTORIES)}/{name}"

    def _file(self, laptop: Laptop) -> str | None:
        return self._one([path for path, kind in everything(laptop.folder) if kind == "file"])

    def _entry(self, laptop: Laptop) -> str | None:
        return self._one([path for path, kind in everything(laptop.folder) if kind != "directory"])

    def _directory(self, laptop: Laptop) -> str | None:
        return self._one([path for path, kind in everything(laptop.folder) if kind == "directory"])

    def _one(self, paths: list[str]) -> str | None:
        return self._chance.choice(paths) if paths else None


def everything(folder: Path) -> list[tuple[str, str]]:
    """Paths of people's own, in order, and what stands there: `file`, `link`, `directory`."""
    found: list[tuple[str, str]] = []
    _walk(str(folder), "", found)
    return found


def _walk(directory: str, prefix: str, found: list[tuple[str, str]]) -> None:
    with os.scandir(directory) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            if not prefix and entry.name in (".firnline", IGNORE_FILE):
                continue
            if entry.is_symlink():
                found.append((prefix + entry.name, "link"))
            elif entry.is_dir():
                found.append((prefix + entry.name, "directory"))
                _walk(entry.path, f"{prefix}{entry.name}/", found)
            else:
                found.append((prefix + entry.name, "file"))
