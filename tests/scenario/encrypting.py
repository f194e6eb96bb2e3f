"""A laptop whose files malware encrypts, and who else is there."""

import os
from collections.abc import Iterable
from pathlib import Path

from tests.scenario.laptops import Laptop, settle

from firnline.state.questions import Question
from firnline.sync.folder_pass import PassReport

FILES = [f"d{number % 7}/{number:03}.txt" for number in range(120)]
REST = [f"rest/{number:03}.txt" for number in range(150)]
"""Files that nobody touches: so the encrypted ones are less than half of the folder."""


def text(name: str) -> str:
    """What people write, in length and in compressibility."""
    return "".join(f"{name}: line {line} of what somebody wrote down\n" for line in range(20))


def noise() -> bytes:
    """What an encrypted file looks like."""
    return os.urandom(900)


def fill(laptop: Laptop, files: Iterable[str] = (*FILES, *REST)) -> None:
    for name in files:
        laptop.write(name, text(name))


def make_laptops(place: Path, names: str = "ab") -> list[Laptop]:
    """Laptops with one store that have all the files."""
    stores = [place / "store"]
    found = [Laptop(place / name, name * 8, stores) for name in names]
    fill(found[0])
    settle(*found)
    return found


def encrypt(laptop: Laptop, files: Iterable[str] = FILES, ending: str = ".locked") -> None:
    """As malware does it: the content is noise, and the name has another ending. What is deleted
    there is told at once."""
    laptop.delete_unasked = True
    for name in files:
        laptop.write(name + ending, noise())
        if ending:
            laptop.delete(name)


def only_burst(report: PassReport, files: int) -> Question:
    """The one question of a pass, about so many paths."""
    (question,) = report.questions
    assert (question.kind, question.details["files"]) == ("held-back burst", files)
    assert not report.complete
    return question
