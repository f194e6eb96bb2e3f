"""What `firnline store` says."""

from pathlib import Path
from unittest.mock import patch

from tests.unit.cli.conftest import Shell, Shells

from firnline.stores.base import Store
from firnline.stores.probe import Finding, Report


def test_new_and_known_stores(anna: Shell, shells: Shells, tmp_path: Path) -> None:
    """Which of the two it was, and what comes next."""
    assert "nas is a new store" in anna("store", "add", "nas", str(tmp_path / "nas"))
    assert "folder create" in anna.err
    bert = shells("bert")
    assert "there already" in bert("store", "add", "shared", str(tmp_path / "nas"))
    assert "folder available" in bert.err


def test_abilities_are_shown_with_what_a_missing_one_means(anna: Shell, tmp_path: Path) -> None:
    """One line each; a store that can keep nothing is exit code 1."""
    anna("store", "add", "nas", str(tmp_path / "nas"))

    def poor(store: Store, *_: object) -> Report:
        found = (Finding("write and read", False, "nothing can be kept there (\x1b)"),)
        return Report(found, store.capabilities, usable=False)

    with patch("tests.unit.cli.conftest.believed", poor):
        shown = anna("store", "test", "nas", code=1)
    assert shown == " no  write and read: nothing can be kept there (\\x1b)\n"


def test_list_for_people_and_programs(anna: Shell, tmp_path: Path) -> None:
    """A table with a line each; nothing of it when there is none."""
    assert anna("store", "list") == ""
    assert "store add" in anna.err
    anna("store", "add", "nas", str(tmp_path / "nas"), "--rating", "70", "--minor")
    anna("store", "add", "usb", str(tmp_path / "usb"))
    (tmp_path / "usb").rename(tmp_path / "away")
    heads, nas, usb = anna("store", "list").splitlines()
    assert heads.split()[:3] == ["NAME", "STATE", "RATING"]
    assert nas.split()[:4] == ["nas", "connected", "70", "minor"]
    assert "not reached" in usb
    first, second = anna.document("store", "list")
    assert (first["state"], first["message"]) == ("connected", "")
    assert second["state"] == "offline"
    assert "usb" in second["message"]


def test_edit_says_what_holds_now(anna: Shell, tmp_path: Path) -> None:
    """Without a change it is wrong usage."""
    anna("store", "add", "nas", str(tmp_path / "nas"))
    assert "minor, rating 7" in anna("store", "edit", "nas", "--rating", "7", "--minor")
    assert "minor" not in anna("store", "edit", "nas", "--no-minor")
    anna("store", "edit", "nas", code=2)
    anna("store", "edit", "nas", "--option", "x", code=2)
    anna("store", "edit", "nas", "--option", "x=1", code=2)


def test_errors_of_a_store_name_it(anna: Shell, tmp_path: Path) -> None:
    """With what to do about it."""
    anna("store", "add", "nas", str(tmp_path / "nas"))
    (tmp_path / "nas").rename(tmp_path / "away")
    anna("store", "test", "nas", code=1)
    assert anna.err.startswith("firnline: store nas cannot be reached")


def test_remove_says_what_stays(docs: Shell) -> None:
    """Where the contents are."""
    assert "only in nas" in (docs("store", "remove", "nas", code=1) or docs.err)
    assert "stays at" in docs("store", "remove", "nas", "--force")
