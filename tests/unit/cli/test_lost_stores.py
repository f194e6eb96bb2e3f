"""A store that was wiped, as a user meets it: what is said, asked, and answered."""

import shutil
from pathlib import Path

import pytest
from tests.unit.cli.conftest import Shell, Shells


@pytest.fixture
def nas(tmp_path: Path, docs: Shell) -> Path:
    """The store of `docs`."""
    return tmp_path / "nas"


def events(store: Path) -> int:
    return len(list(store.glob("docs-*/events/*/*")))


def wipe(store: Path) -> None:
    shutil.rmtree(store)
    store.mkdir()


@pytest.mark.parametrize("how", ["refill", "answer"])
def test_wiped_store_waits_for_the_user_and_is_filled_again(
    docs: Shell, nas: Path, shells: Shells, how: str
) -> None:
    """Exit code 3 and a next step while nothing is decided; afterwards the store has everything,
    and the other device is asked as well."""
    bert = shells("bert")
    bert("store", "add", "shared", str(nas))
    bert("folder", "join", "docs", str(bert.profile.folder))
    bert("sync")
    wipe(nas)
    docs("sync", code=3)
    assert "nothing at its place says that it is this store" in docs.err
    assert "firnline store refill nas" in docs.err
    assert list(nas.iterdir()) == []
    (question,) = docs.document("questions")
    assert set(question) == {"id", "folder", "kind", "text", "choices", "since", "details"}
    assert (question["kind"], question["folder"]) == ("wiped store", "docs")
    assert question["choices"] == ["refill", "new", "detach"]
    assert question["details"]["store"] == "nas"
    docs("sync", code=3)
    assert docs.document("questions") == [question]
    if how == "refill":
        assert "docs: 1 event sent again" in docs("store", "refill", "nas")
    else:
        docs("answer", question["id"], "refill")
    assert docs.document("questions") == []
    assert events(nas) == 1
    bert("sync", code=3)
    assert "filled again since" in bert.err
    (asked,) = bert.document("questions")
    assert asked["kind"] == "replaced store"
    bert("answer", asked["id"], "refill")
    bert.profile.write("b.txt", "b")
    bert("sync")
    docs("sync")
    assert docs.profile.read("b.txt") == "b"
    assert docs("sync") == "docs: up to date\n"


def test_status_says_what_waits(docs: Shell, nas: Path) -> None:
    """The folder waits, and the store's line has the next step."""
    wipe(nas)
    (folder,) = docs.document("status")["folders"]
    assert folder["state"] == "waiting"
    assert folder["stores"][0]["state"] == "error"
    assert "firnline store refill nas" in folder["stores"][0]["message"]


def test_mounted_again_asks_nothing(docs: Shell, nas: Path) -> None:
    """The question goes with its cause, without a sync, and so while nobody can tell."""
    nas.rename(nas.with_name("aside"))
    nas.mkdir()
    docs("sync", code=3)
    assert len(docs.document("questions")) == 1
    nas.rmdir()
    assert docs.document("questions") == []
    nas.with_name("aside").rename(nas)
    assert docs.document("questions") == []
    assert docs("sync") == "docs: up to date\n"


@pytest.mark.parametrize("choice", ["new", "detach"])
def test_other_answers(docs: Shell, nas: Path, choice: str) -> None:
    """`new` makes another store of it; after `detach` nothing is asked or written any more, and
    the home store has what the folder has."""
    wipe(nas)
    docs("sync", code=3)
    (question,) = docs.document("questions")
    docs("answer", question["id"], "maybe", code=2)
    docs("answer", question["id"], choice)
    assert docs.document("questions") == []
    docs("sync")
    if choice == "new":
        assert events(nas) == 1
        return
    assert list(nas.iterdir()) == []
    assert docs.document("store", "list") == []
    assert events(docs.profile.places.home_store) == 1


def test_store_of_several_folders_is_asked_about_once(docs: Shell, nas: Path) -> None:
    """And one answer is for all of them; a paused one is filled when it goes on."""
    other = docs.profile.base / "other"
    docs("folder", "create", str(other))
    (other / "o.txt").write_text("o")
    docs("sync")
    docs("folder", "pause", "other")
    wipe(nas)
    docs("sync", code=3)
    (question,) = docs.document("questions")
    assert question["folder"] is None
    assert question["details"]["folders"] == ["docs", "other"]
    docs("store", "refill", "nas")
    assert "other: paused" in docs.err
    assert docs.document("questions") == []
    docs("folder", "resume", "other")
    docs("sync")
    assert len(list(nas.glob("*/events/*/*"))) == 2


def test_refill_of_a_store_whose_directory_is_missing(docs: Shell, nas: Path) -> None:
    """It is made again when only that is missing; further up it is a disk that is away."""
    shutil.rmtree(nas)
    docs("sync", code=1)
    assert "cannot be reached" in docs.err
    docs("store", "refill", "nas")
    assert events(nas) == 1
    docs("store", "refill", "nope", code=2)
