"""What waits for the user: `questions`, `answer`, `sync --yes` and exit code 3."""

import os
from pathlib import Path

import pytest
from tests.scenario.commands.device import Device

FILES = [f"{number:02}.txt" for number in range(12)]


@pytest.fixture
def emptied(anna: Device) -> Device:
    """Somebody removed everything from a folder of twelve files."""
    for name in FILES:
        anna.write(name, name)
    anna.run("sync")
    for name in FILES:
        (anna.folder / name).unlink()
    return anna


def files(device: Device) -> list[str]:
    return sorted(path.name for path in device.folder.glob("*.txt"))


def test_mass_deletion_waits_and_is_told(emptied: Device) -> None:
    """Exit code 3; what waits and how to answer stands in every place where people look."""
    told = emptied.run("sync", code=3).stderr.decode()
    (question,) = emptied.document("questions")
    assert list(question) == ["id", "folder", "kind", "text", "choices", "since", "details"]
    assert (question["folder"], question["kind"]) == ("docs", "mass deletion")
    assert question["choices"] == ["delete", "keep"]
    assert question["details"]["files"] == 12
    assert told.count("\n") == 1
    assert f"firnline answer {question['id']} delete" in told
    (folder,) = emptied.document("status")["folders"]
    assert folder["state"] == "waiting"
    assert question["id"] in folder["problems"][0]["message"]
    assert f"firnline answer {question['id']} keep" in emptied.text("questions")


def test_mass_deletion_is_answered_and_undone(emptied: Device) -> None:
    """`keep` has the files back at once; what is no answer to a question is wrong usage."""
    emptied.run("sync", code=3)
    (question,) = emptied.document("questions")
    assert emptied.complaint("answer", "nope", "keep", code=2)
    assert "delete or keep" in emptied.complaint("answer", question["id"], "perhaps", code=2)
    emptied.run("answer", question["id"], "keep")
    assert files(emptied) == FILES
    assert emptied.document("questions") == []
    assert emptied.complaint("answer", question["id"], "delete", code=2)


def test_deletion_that_is_meant_is_asked_on_each_device(emptied: Device, bert: Device) -> None:
    """`--yes` there, an answer here."""
    bert.run("sync")
    emptied.run("sync", "--yes")
    bert.run("sync", code=3)
    assert files(bert) == FILES
    (question,) = bert.document("questions")
    bert.run("answer", question["id"], "delete")
    assert files(bert) == []
    bert.run("sync")


def test_decision_goes_before_a_store_out_of_reach(emptied: Device, nas: Path) -> None:
    """Both are told; the exit code is that of what does not go away by itself."""
    nas.rename(nas.with_name("away"))
    told = emptied.run("sync", code=3).stderr.decode()
    assert "firnline answer" in told
    assert "nas cannot be reached" in told
    (question,) = emptied.document("questions")
    assert (
        "nas cannot be reached"
        in emptied.run("answer", question["id"], "delete", code=1).stderr.decode()
    )
    assert emptied.document("questions") == []


def test_held_back_burst_is_told_and_undone(anna: Device, bert: Device) -> None:
    """What malware encrypted on one device does not reach the other: exit code 3, a question that
    names the device, and one answer that brings everything back."""
    texts = {f"{number:03}.md": f"note {number}\n" * 60 for number in range(110)}
    for name, text in texts.items():
        anna.write(name, text)
    anna.run("sync")
    bert.run("sync")
    for name in texts:
        (anna.folder / name).write_bytes(os.urandom(800))
        (anna.folder / name).rename(anna.folder / f"{name}.locked")
    anna.run("sync", "--yes")
    told = bert.run("sync", code=3).stderr.decode()
    (question,) = bert.document("questions")
    assert (question["kind"], question["choices"]) == ("held-back burst", ["apply", "undo"])
    assert question["details"]["device"] in question["text"]
    assert f"firnline answer {question['id']} undo" in told
    assert {path.name: path.read_text() for path in bert.folder.glob("[0-9]*")} == texts
    bert.run("answer", question["id"], "undo")
    assert bert.document("questions") == []
    anna.run("sync", "--yes")
    assert {path.name: path.read_text() for path in anna.folder.glob("[0-9]*")} == texts
