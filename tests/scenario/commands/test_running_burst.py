"""Malware on one of two devices that run all the time."""

from contextlib import suppress

import pytest
from tests.scenario.commands.device import Device
from tests.scenario.commands.running import holds, running, until
from tests.scenario.encrypting import FILES, noise, text

REST = [f"d{number % 7}/rest {number:03}.txt" for number in range(150)]
"""Beside them, so that no directory is emptied, about which the first device itself would ask."""


def tree(device: Device) -> dict[str, bytes]:
    """All files of its folder."""
    found = {}
    for path in device.folder.glob("d*/*"):
        # One that goes just now is gone.
        with suppress(FileNotFoundError):
            found[f"{path.parent.name}/{path.name}"] = path.read_bytes()
    return found


def encrypt(device: Device, ending: str) -> None:
    """One file after another."""
    for name in FILES:
        place = device.folder / name
        place.with_name(place.name + ending).write_bytes(noise())
        if ending:
            place.unlink()


@pytest.mark.parametrize(("answer", "ending"), [("undo", ".locked"), ("apply", "")])
def test_burst_while_both_run(anna: Device, bert: Device, answer: str, ending: str) -> None:
    """The other device holds it back and asks, and all else goes both ways meanwhile; the answer,
    given while it runs, makes both equal, and afterwards nothing is written any more."""
    before = {name: text(name).encode() for name in (*FILES, *REST)}
    for name in before:
        anna.write(name, text(name))
    with running(anna) as one, running(bert) as two:
        until(lambda: tree(bert) == before)
        encrypt(anna, ending)
        until(lambda: bert.document("questions"))
        (question,) = bert.document("questions")
        assert (question["kind"], question["choices"]) == ("held-back burst", ["apply", "undo"])
        assert f"firnline answer {question['id']}" in two.said
        anna.write("d0/more.txt", "from anna")
        until(holds(bert, "d0/more.txt", "from anna"))
        bert.write(REST[0], "from bert")
        until(holds(anna, REST[0], "from bert"))
        mine = tree(bert)
        assert sum(mine.get(name) == before[name] for name in FILES) > 0
        assert anna.document("questions") == []

        encrypted = tree(anna)
        wanted = encrypted
        if answer == "undo":
            more = {"d0/more.txt": b"from anna", REST[0]: b"from bert"}
            wanted = before | more
        bert.run("answer", question["id"], answer)
        until(lambda: tree(anna) == tree(bert) == wanted)
        assert bert.document("questions") == []
        assert "mistake" not in one.said + two.said
    for device in (anna, bert):
        assert device.text("sync") == "docs: up to date\n"
