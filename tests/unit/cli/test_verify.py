"""`firnline verify`."""

from pathlib import Path

import pytest
from tests.unit.cli.conftest import Shell

from firnline.config.profile_lock import ProfileLock


@pytest.fixture
def damaged(docs: Shell, tmp_path: Path) -> Path:
    """The one event of `docs` in its store, with another content."""
    (event,) = tmp_path.glob("nas/docs-*/events/*/*")
    event.write_text("f1rst\n")
    return event


def test_sound_store(docs: Shell) -> None:
    """What was read, in words and as a document, also while another process holds the profile."""
    with ProfileLock(docs.profile.places.lock_file):
        assert (
            docs("verify")
            == "nas: 2 files read, 11 B; all right\nhome: 0 files read, 0 B; all right\n"
        )
    assert docs.document("verify", "docs", "--store", "nas") == [
        {"store": "nas", "checked": 2, "bytes": 11, "bad": [], "errors": []}
    ]


def test_damage_is_told_and_repaired(docs: Shell, damaged: Path) -> None:
    """1 while something is bad; the folder's file repairs it, and then all is right."""
    shown = docs("verify", "--store", "nas", code=1)
    assert f"docs: {damaged.name}: not the content that its name promises\n" in shown
    assert "--repair" in docs.err
    (store, home) = docs.document("verify", "--repair")
    (bad,) = store["bad"]
    assert set(bad) >= {"name", "why", "repaired"}
    assert (bad["name"], bad["repaired"]) == (damaged.name, True)
    (kept,) = docs.profile.places.state.glob("set-aside/nas/*")
    assert kept.read_text() == "f1rst\n"
    assert str(kept) in bad["note"]
    assert home["bad"] == []
    assert damaged.read_text() == "first\n"
    assert docs.document("verify", "--store", "nas")[0]["bad"] == []


def test_what_was_replaced_is_told(docs: Shell, damaged: Path) -> None:
    """A line of its own says where it is."""
    shown = docs("verify", "--repair", "--store", "nas")
    (kept,) = docs.profile.places.state.glob("set-aside/nas/*")
    assert f"{damaged.name} was not what it has to be; what stood there is kept as {kept}" in shown


def test_what_cannot_be_repaired_is_told(docs: Shell, damaged: Path) -> None:
    """No file here has the right bytes any more."""
    (docs.profile.folder / "a.txt").unlink()
    shown = docs("verify", "--repair", code=1)
    assert "repaired" not in shown
    assert "could not be repaired" in docs.err
    assert damaged.read_text() == "f1rst\n"


def test_store_out_of_reach(docs: Shell, tmp_path: Path) -> None:
    """1, with the reason; what is named wrongly is 2."""
    (tmp_path / "nas").rename(tmp_path / "away")
    assert "home" in docs("verify", "--json", code=1)
    assert docs.err.count("cannot be reached") == docs.out.count("cannot be reached") == 1
    docs("verify", "nope", code=2)
    docs("verify", "--store", "nope", code=2)
    docs("store", "add", "other", str(tmp_path / "other"))
    docs("verify", "docs", "--store", "other", code=2)


def test_folder_that_is_away_and_one_that_cannot_be_opened(docs: Shell) -> None:
    """Stores are looked at without the folder, and not without this device's state."""
    docs.profile.folder.rename(docs.profile.base / "gone")
    assert "nas: 2 files read" in docs("verify")
    for file in docs.profile.places.state.glob("*.db*"):
        file.write_text("no database")
    docs("verify", code=1)
    assert "state" in docs.err
