"""A folder, opened: its place in each store, and which stores of it can be used."""

from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.doubles.profile import Profile

from firnline.config import edits
from firnline.engine.folder_commands import create_folder
from firnline.engine.open_folder import keeps_all, open_folder
from firnline.stores.errors import FutureFormatError
from firnline.sync.context import FolderContext


@pytest.fixture
def docs(anna: Profile, nas: Path, tmp_path: Path) -> Profile:
    """Anna, with the folder `docs` in two stores."""
    anna.add_store("nas", nas)
    anna.add_store("usb", tmp_path / "usb")
    with anna.engine() as engine:
        create_folder(engine, str(anna.folder), "docs", [])
    return anna


def opened(stack: ExitStack, profile: Profile, *, lock: bool = True) -> FolderContext:
    engine = stack.enter_context(profile.engine(lock=lock))
    return stack.enter_context(open_folder(engine, engine.folder("docs")))


def test_folder_of_a_later_format_is_not_used_in_that_store(docs: Profile, nas: Path) -> None:
    """Nothing is read or written there; the other store goes on."""
    (config,) = nas.glob("docs-*/config")
    config.write_text('{"format": 2}')
    with ExitStack() as stack:
        context = opened(stack, docs)
        assert [each.name for each in context.stores] == ["usb"]
        assert isinstance(context.unreached[0].why, FutureFormatError)
    assert config.read_text() == '{"format": 2}'


def test_lost_home_store_takes_its_place_from_another(docs: Profile, nas: Path) -> None:
    """The directory's name is found again in the stores, whatever the folder is called here."""
    text = docs.places.config_file.read_text()
    docs.places.config_file.write_text(text.replace("[folders.docs]", "[folders.renamed]"))
    (home,) = docs.places.home_store.glob("docs-*")
    home.rename(docs.base / "away")
    with docs.engine() as engine, open_folder(engine, engine.folder("renamed")) as context:
        assert context.layout.slug == "docs"
    assert len(list(docs.places.home_store.glob("docs-*/config"))) == 1


def test_folder_that_is_nowhere_is_registered_anew(docs: Profile, nas: Path) -> None:
    """A store that lost the folder's config gets it again."""
    (config,) = nas.glob("docs-*/config")
    before = config.read_bytes()
    config.unlink()
    with ExitStack() as stack:
        assert len(opened(stack, docs).stores) == 2
    assert config.read_bytes() == before


def test_folder_that_no_place_knows_is_named_by_its_settings(docs: Profile, nas: Path) -> None:
    """With no store and no home store that knows it, its name here is what there is."""
    for config in [
        *docs.places.home_store.glob("docs-*/config"),
        *nas.parent.glob("*/docs-*/config"),
    ]:
        config.unlink()
    with ExitStack() as stack:
        assert opened(stack, docs).layout.slug == "docs"


def test_damaged_store_config_stops_only_the_exchange(docs: Profile, nas: Path) -> None:
    """What the stores say of one another waits; the folder is synced all the same."""
    (config,) = nas.glob(f"stores/{store_of(docs, 'nas')}/config")
    config.write_text('{"format": 2}')
    docs.add_store("third", nas.parent / "third")
    with ExitStack() as stack:
        context = opened(stack, docs)
        assert "usb" in [each.name for each in context.stores]


def store_of(profile: Profile, name: str) -> str:
    with profile.engine(lock=False) as engine:
        return engine.store_settings(name).store_id


def test_reading_changes_nothing(docs: Profile, nas: Path) -> None:
    """A command that only reads writes into no store."""
    before = {path: path.stat().st_mtime_ns for path in nas.parent.rglob("nas/**/*")}
    edits.set_option(docs.places.config_file, "device.name", "another name")
    with ExitStack() as stack:
        assert len(opened(stack, docs, lock=False).stores) == 2
    assert {path: path.stat().st_mtime_ns for path in nas.parent.rglob("nas/**/*")} == before


def test_renamed_device_is_announced(docs: Profile, nas: Path) -> None:
    """The next opening tells the stores."""
    edits.set_option(docs.places.config_file, "device.name", "another name")
    with ExitStack() as stack:
        context = opened(stack, docs)
        record = nas / "devices" / context.device
    assert "another name" in record.read_text()


def test_store_that_left_the_settings_is_detached(docs: Profile) -> None:
    """Also when somebody edited the file; it is attached again when it comes back."""
    text = docs.places.config_file.read_text()
    changed = text.replace('["nas", "usb"]', '["usb"]')
    assert changed != text
    for settings, count in ((text, 2), (changed, 1), (text, 2)):
        docs.places.config_file.write_text(settings)
        with ExitStack() as stack:
            assert len(opened(stack, docs).state.stores.ids()) == count


def test_home_store_keeps_all_where_nobody_else_does(docs: Profile) -> None:
    """With minor stores only, or when the user wants it."""
    with docs.engine() as engine:
        assert not keeps_all(engine, engine.folder("docs"))
    text = docs.places.config_file.read_text()
    for section in ("[stores.nas]\n", "[stores.usb]\n"):
        text = text.replace(section, f"{section}minor = true\n")
    docs.places.config_file.write_text(text)
    with docs.engine() as engine:
        assert keeps_all(engine, engine.folder("docs"))
    docs.places.config_file.write_text(text.replace("minor = true\n", ""))
    edits.set_option(docs.places.config_file, "home.keep", "all")
    with docs.engine() as engine:
        assert keeps_all(engine, engine.folder("docs"))
