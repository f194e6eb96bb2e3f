"""The links of a profile."""

from pathlib import Path

import pytest
from tests.doubles.profile import Profile
from tests.unit.engine.live.linked_store import Heard

from firnline.engine.folder_commands import create_folder
from firnline.engine.live.links import make_links

RUN = "r" * 16


@pytest.fixture
def anna(tmp_path: Path) -> Profile:
    """A device with a folder in two stores, and a third store that no folder is kept in."""
    anna = Profile(tmp_path / "anna")
    for name in ("nas", "usb", "spare"):
        anna.add_store(name, tmp_path / name)
    with anna.engine() as engine:
        create_folder(engine, str(anna.folder), "docs", ["nas", "usb"])
    return anna


def test_each_store_has_one(anna: Profile) -> None:
    """By its STOREHASH; each connects, and leads where it is alone."""
    heard = Heard()
    with anna.engine() as engine:
        links = make_links(engine, heard, RUN)
        assert set(links) == {store.store_id for store in engine.settings.stores}
        for link in links.values():
            link.step()
            assert link.standing.leads
            link._end()
    assert heard.words() == ["connected"] * 3


def test_a_kind_of_store_that_is_not_known_is_told(anna: Profile) -> None:
    """Of a later version, for example: it is not in reach, and hides no other."""
    heard = Heard()
    with anna.engine() as engine:
        stores = tuple(
            store._replace(location="sftp://host/path") if store.name == "nas" else store
            for store in engine.settings.stores
        )
        engine.settings = engine.settings._replace(stores=stores)
        for link in make_links(engine, heard, RUN).values():
            link.step()
            link._end()
    assert sorted(heard.words()) == ["connected", "connected", "lost: UnavailableError"]


def test_what_is_told_names_the_folders_of_the_store(anna: Profile) -> None:
    """A store that no folder is kept in has no news."""
    heard = Heard()
    with anna.engine() as engine:
        links = {
            link.standing.reached.name: link for link in make_links(engine, heard, RUN).values()
        }
        for link in links.values():
            link.step()
            link.wake()
            link.step()
            link._end()
        (folder,) = engine.settings.folders
    news = [told for told in heard.words() if isinstance(told, dict)]
    assert news == [{folder.folder_id: None}] * 2
