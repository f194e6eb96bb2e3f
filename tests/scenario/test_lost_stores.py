"""Stores that are wiped, replaced, not mounted or set back, and the three answers to that."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.doubles.profile import Profile
from tests.scenario.owners import (
    back_up,
    check_invariants,
    empty,
    files,
    live,
    mount,
    owners,
    remove,
    set_back,
    settle,
    sync,
    tree,
    unmount,
)
from tests.scenario.store_contents import event_files

from firnline.engine.errors import RefusedError
from firnline.engine.replaced_stores import detach_store, refill_store, renew_store
from firnline.stores.layout import is_id
from firnline.sync.connection import ReplacedError


@pytest.fixture
def stores(tmp_path: Path) -> list[Path]:
    return [tmp_path / "s1", tmp_path / "s2"]


def generation(store: Path) -> tuple[str, str]:
    """STOREHASH and generation of the store that this is."""
    (current,) = store.glob("stores/*/is_current")
    return current.parent.name, current.read_text()


def refill(device: Profile, name: str) -> None:
    with device.engine() as engine:
        refill_store(engine, name)


def renew(device: Profile, name: str) -> None:
    with device.engine() as engine:
        renew_store(engine, name)


def detach(device: Profile, name: str) -> None:
    with device.engine() as engine:
        detach_store(engine, name)


@pytest.mark.parametrize("loss", [remove, empty])
def test_wiped_store_is_left_alone_until_it_is_refilled(
    tmp_path: Path, stores: list[Path], loss: Callable[[Path], None]
) -> None:
    """Nothing is written there before. Then it is the same store in a new generation, and has the
    whole log again; the other device is asked as well, and makes no third generation."""
    a, b = owners(tmp_path, stores)
    texts = live(a, b)
    before = generation(stores[0])
    loss(stores[0])
    a.write("meanwhile.txt", "meanwhile")
    b.write("elsewhere.txt", "elsewhere")
    for outcome in sync(a, b):
        assert [unreached.name for unreached in outcome.unreached] == ["s1"]
    assert not stores[0].exists() or list(stores[0].iterdir()) == []
    refill(a, "s1")
    sync(a)
    assert generation(stores[0])[0] == before[0]
    refilled = generation(stores[0])
    assert refilled != before
    (outcome,) = sync(b)
    (unreached,) = outcome.unreached
    assert isinstance(unreached.why, ReplacedError)
    assert unreached.why.refilled
    refill(b, "s1")
    assert generation(stores[0]) == refilled
    check_invariants([a, b], stores, texts | {"meanwhile", "elsewhere"})


def test_wiped_store_can_be_a_new_one(tmp_path: Path, stores: list[Path]) -> None:
    """It gets another STOREHASH, and the other device takes it over under that."""
    a, b = owners(tmp_path, stores)
    texts = live(a, b)
    before = generation(stores[0])
    empty(stores[0])
    renew(a, "s1")
    sync(a)
    assert generation(stores[0])[0] != before[0]
    (outcome,) = sync(b)
    assert isinstance(outcome.unreached[0].why, ReplacedError)
    renew(b, "s1")
    check_invariants([a, b], stores, texts)


@pytest.mark.parametrize("loss", [remove, empty])
def test_detached_store_is_never_touched_again(
    tmp_path: Path, stores: list[Path], loss: Callable[[Path], None]
) -> None:
    """All goes on through the others, and nothing of it is waited for."""
    a, b = owners(tmp_path, stores)
    texts = live(a, b)
    loss(stores[0])
    sync(a, b)
    detach(a, "s1")
    detach(b, "s1")
    a.write("after.txt", "after")
    check_invariants([a, b], stores[1:], texts | {"after"})
    assert files(stores[:1]) == {}
    with a.engine() as engine:
        assert [store.name for store in engine.settings.stores] == ["s2"]


def test_mount_that_comes_back_needs_no_answer(tmp_path: Path, stores: list[Path]) -> None:
    """While it is away nothing is written into its mount point, and afterwards all is as if it had
    been switched off."""
    a, b = owners(tmp_path, stores)
    texts = live(a, b)
    aside = unmount(stores[0])
    a.write("meanwhile.txt", "meanwhile")
    sync(a, b)
    assert list(stores[0].iterdir()) == []
    mount(stores[0], aside)
    check_invariants([a, b], stores, texts | {"meanwhile"})


def test_all_stores_wiped(tmp_path: Path, stores: list[Path]) -> None:
    """What the folders still have comes from them; what no device has is told, and holds nothing
    back."""
    a, b = owners(tmp_path, stores)
    live(a, b)
    names = event_files(stores[0]).keys()
    for store in stores:
        empty(store)
        for device in (a, b):
            refill(device, store.name)
    sync(a, b)
    c = owners(tmp_path, [], "c")[0]
    for store in stores:
        c.add_store(store.name, store)
    with c.engine() as engine:
        from firnline.engine.folder_commands import join_folder

        place = c.base / "joined"
        join_folder(engine, "docs", str(place), "joined", [])
    c.sync("joined")
    c.folder = place
    assert tree(c) == tree(a) == tree(b)
    assert {path.name for path in stores[0].glob("docs-*/events/*/*")} <= set(names)
    a.write("d/1.txt", "goes on")
    sync(a, b, c)
    assert b.read("d/1.txt") == "goes on"


def test_another_store_with_folders_is_not_refilled(tmp_path: Path, stores: list[Path]) -> None:
    """Whoever's it is, it is not written over; it can be taken as what it is."""
    a, b = owners(tmp_path, stores)
    texts = live(a, b)
    (stranger,) = owners(tmp_path / "strangers", [tmp_path / "s3"], "s")
    stranger.write("theirs.txt", "theirs")
    settle(stranger)
    remove(stores[0])
    (tmp_path / "s3").rename(stores[0])
    before = files(stores[:1])
    sync(a, b)
    with pytest.raises(RefusedError, match="another store, with folders"):
        refill(a, "s1")
    assert files(stores[:1]) == before
    renew(a, "s1")
    renew(b, "s1")
    settle(a, b)
    assert len(list(stores[0].glob("docs-*"))) == 2
    assert before.items() <= files(stores[:1]).items() | {
        (path, body) for path, body in before.items() if path.name == "config"
    }
    assert texts


def test_two_stores_that_changed_places(tmp_path: Path, stores: list[Path]) -> None:
    """Neither is written into, and neither can be taken for the other."""
    a, b = owners(tmp_path, stores)
    texts = live(a, b)
    aside = tmp_path / "aside"
    for source, target in ((stores[0], aside), (stores[1], stores[0]), (aside, stores[1])):
        source.rename(target)
    before = files(stores)
    a.write("meanwhile.txt", "meanwhile")
    sync(a)
    assert files(stores) == before
    for answer in (refill, renew):
        with pytest.raises(RefusedError):
            answer(a, "s1")
    for source, target in ((stores[0], aside), (stores[1], stores[0]), (aside, stores[1])):
        source.rename(target)
    check_invariants([a, b], stores, texts | {"meanwhile"})


def test_new_empty_store_takes_the_place_of_a_dead_one(tmp_path: Path, stores: list[Path]) -> None:
    """A new disk that was made a store already, by a device that has nothing to do with this."""
    a, b = owners(tmp_path, stores)
    texts = live(a, b)
    remove(stores[0])
    Profile(tmp_path / "other").add_store("new", stores[0])
    made = generation(stores[0])
    refill(a, "s1")
    renew(b, "s1")
    check_invariants([a, b], stores, texts)
    assert generation(stores[0]) == made
    with a.engine() as engine:
        assert engine.store_settings("s1").store_id == made[0]


def test_store_that_was_set_back_before_its_refill_asks_again(
    tmp_path: Path, stores: list[Path]
) -> None:
    """An old copy has the old generation: what the tables say holds of neither."""
    a, b = owners(tmp_path, stores)
    texts = live(a, b)
    copy = back_up(stores[0])
    empty(stores[0])
    for device in (a, b):
        refill(device, "s1")
    settle(a, b)
    a.write("later.txt", "later")
    settle(a, b)
    set_back(stores[0], copy)
    before = files(stores[:1])
    for outcome in sync(a, b):
        assert isinstance(outcome.unreached[0].why, ReplacedError)
    assert files(stores[:1]) == before
    for device in (a, b):
        refill(device, "s1")
    check_invariants([a, b], stores, texts | {"later"})


def test_refilling_a_store_that_is_well_makes_no_new_generation(
    tmp_path: Path, stores: list[Path]
) -> None:
    """It is looked through, and gets what it lacks; nobody else is asked."""
    a, b = owners(tmp_path, stores)
    texts = live(a, b)
    before = generation(stores[0])
    next(iter(event_files(stores[0]).values())).unlink()
    refill(a, "s1")
    check_invariants([a, b], stores, texts)
    assert generation(stores[0]) == before
    assert is_id(before[0])
