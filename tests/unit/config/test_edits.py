"""Changing `config.toml`: what was asked for, and nothing else."""

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from tests.unit.config import strategies

from firnline.config import edits
from firnline.config.edits import (
    add_folder,
    add_store,
    edit_folder,
    edit_store,
    remove_folder,
    remove_store,
    set_option,
)
from firnline.config.errors import (
    BadValueError,
    ConfigSyntaxError,
    ConfigUnwritableError,
    NameTakenError,
    NoSuchNameError,
    UnknownKeyError,
)
from firnline.config.locations import STORE_OPTIONS
from firnline.config.schema import PROGRAM_KEYS
from firnline.config.settings import FolderSettings, StoreSettings, load

NAS = StoreSettings("nas", "/mnt/nas", "0123456789abcdef", 50, False, {})
STICK = StoreSettings("USB stick", "/media/stick", "fedcba9876543210", 10, True, {})
PHOTOS = FolderSettings("photos", "a" * 16, Path("/home/ann/Photos"), ("nas",), False)

HANDWRITTEN = """\
# Ann's.
format = 1   # keep

# The laptop in the kitchen.
[device]
name = 'frost' # as on its sticker

# The box in the cellar.
[stores.nas]   # slow
location = "/mnt/nas"
  store_id = "0123456789abcdef"
# rating = 20 was too low
rating = 30  # better

# Goes on journeys.
[stores."USB stick"]
store_id = "fedcba9876543210"
location = '/media/stick'

# Pictures of us.
[folders.photos]
folder_id = "aaaaaaaaaaaaaaaa"
path = "/home/ann/Photos"
stores = [
    "nas",       # always
    "USB stick", # sometimes
]
# The end.
"""


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text(HANDWRITTEN)
    path.chmod(0o600)
    return path


def _changed_lines(path, before=HANDWRITTEN):
    """The lines that went and that came, when no other line changed or moved."""
    old, new = before.splitlines(), path.read_text().splitlines()
    start = 0
    while start < min(len(old), len(new)) and old[start] == new[start]:
        start += 1
    end = 0
    while end < min(len(old), len(new)) - start and old[-1 - end] == new[-1 - end]:
        end += 1
    return old[start : len(old) - end], new[start : len(new) - end]


def _add_all(path, wanted):
    for key in PROGRAM_KEYS:
        set_option(path, key.name, str(getattr(wanted, key.field)))
    for store in wanted.stores:
        add_store(path, store)
    for folder in wanted.folders:
        add_folder(path, folder)


@examples(max_examples=40)
@given(strategies.settings())
def test_what_was_written_is_what_is_loaded(wanted):
    """Any settings, written piece by piece, are loaded as they were."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "config.toml"
        _add_all(path, wanted)
        assert load(path) == wanted


@examples(max_examples=40)
@given(wanted=strategies.settings(), data=st.data())
def test_what_was_edited_is_what_is_loaded(wanted, data):
    """Stores and folders, edited in every way and removed in any order, are loaded as asked."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "config.toml"
        _add_all(path, wanted)
        for store in wanted.stores:
            new = data.draw(strategies.stores())
            new = new._replace(name=store.name, store_id=store.store_id)
            assert edit_store(path, new).store(store.name) == new
        names = [store.name for store in wanted.stores]
        for folder in wanted.folders:
            new = data.draw(strategies.folders(names))
            new = new._replace(name=folder.name, folder_id=folder.folder_id, path=folder.path)
            assert edit_folder(path, new).folder(folder.name) == new
        for store in data.draw(st.permutations(wanted.stores)):
            left = remove_store(path, store.name)
            assert store.name not in {each.name for each in left.stores}
            assert all(store.name not in folder.stores for folder in left.folders)
            assert load(path) == left
        for folder in data.draw(st.permutations(wanted.folders)):
            remove_folder(path, folder.name)
        assert load(path) == wanted._replace(stores=(), folders=())


def test_a_new_file_greets_its_reader(tmp_path):
    """The first change makes a file that says what it is and names its format."""
    path = tmp_path / "profile" / "config.toml"
    add_store(path, NAS)
    assert path.read_text() == (
        "# Firnline's settings on this device, made to be read and edited by people.\n"
        "# `firnline config list` tells the keys. Passwords do not belong here.\n"
        "format = 1\n"
        "\n"
        "[stores.nas]\n"
        'location = "/mnt/nas"\n'
        'store_id = "0123456789abcdef"\n'
    )


def test_the_new_settings_are_returned(config):
    """Each change returns what a load would."""
    assert set_option(config, "log.level", "debug") == load(config)
    assert add_store(config, NAS._replace(name="b", store_id="b" * 16)) == load(config)


def test_a_set_option_changes_its_line_only(config):
    """A value is replaced where it stands; the comment beside it stays."""
    set_option(config, "device.name", "firn")
    assert _changed_lines(config) == (
        ["name = 'frost' # as on its sticker"],
        ['name = "firn" # as on its sticker'],
    )


def test_a_new_option_does_not_come_between_a_comment_and_its_table(config):
    """A section that is new goes to the end."""
    set_option(config, "log.size", "20000")
    set_option(config, "log.count", "5")
    assert _changed_lines(config) == ([], ["", "[log]", "size = 20000", "count = 5"])


def test_a_new_key_of_a_store_stands_with_its_others(config):
    """A key that a store did not have comes after its last, before the next one's comment."""
    nas = load(config).stores[0]
    edit_store(config, nas._replace(rating=31, minor=True))
    assert _changed_lines(config) == (
        ["rating = 30  # better"],
        ["rating = 31  # better", "minor = true"],
    )


def test_an_edit_that_changes_nothing_writes_nothing(config):
    """Setting what is set already does not touch the file."""
    before = config.stat()
    steps: list[str] = []
    edit_store(config, load(config).stores[0], steps.append)
    set_option(config, "device.name", "frost")
    assert steps == []
    assert config.stat().st_mtime_ns == before.st_mtime_ns


def test_a_removed_store_leaves_the_comments_of_others(config):
    """A store goes with the comments inside it, and from the folders that had it."""
    remove_store(config, "nas")
    assert config.read_text() == (
        HANDWRITTEN[: HANDWRITTEN.index("[stores.nas]")]
        + HANDWRITTEN[HANDWRITTEN.index("\n# Goes on") :].replace('    "nas",       # always\n', "")
    )


def test_a_removed_folder_leaves_what_is_around_it(config):
    """The last section of a file goes, the comment behind it stays."""
    remove_folder(config, "photos")
    start = HANDWRITTEN.index("[folders.photos]")
    assert config.read_text() == HANDWRITTEN[:start] + "# The end.\n"


def test_a_list_keeps_the_lines_that_stay(config):
    """Elements that stay in a list keep their lines and comments."""
    add_store(config, NAS._replace(name="new", store_id="b" * 16))
    before = config.read_text()
    folder = load(config).folders[0]
    edit_folder(config, folder._replace(stores=("USB stick", "new")))
    gone, come = _changed_lines(config, before)
    assert gone == ['    "nas",       # always', '    "USB stick", # sometimes']
    assert come == ['    "USB stick", # sometimes', '    "new",']


def test_a_list_in_another_order_is_written_anew(config):
    """The order of a list is part of what was asked for."""
    folder = load(config).folders[0]
    wanted = folder._replace(stores=("USB stick", "nas"))
    assert edit_folder(config, wanted).folders == (wanted,)
    assert load(config).folders == (wanted,)


@pytest.mark.parametrize("text", [HANDWRITTEN.rstrip("\n"), HANDWRITTEN.replace("\n", "\r\n")])
def test_line_ends_stay_as_they_are(config, text):
    """A file of another system keeps its line ends; one without a last one gets it."""
    config.write_bytes(text.encode())
    add_store(config, NAS._replace(name="new", store_id="b" * 16))
    set_option(config, "device.name", "firn")
    edit_store(config, load(config).stores[0]._replace(minor=True))
    remove_store(config, "USB stick")
    content = config.read_bytes()
    newline = b"\r\n" if "\r" in text else b"\n"
    assert content.count(b"\n") == content.count(newline)
    assert content.endswith(b'store_id = "bbbbbbbbbbbbbbbb"' + newline)


LAYOUTS = {
    "sections": """
[stores.nas]
location = "/mnt/nas"
store_id = "0123456789abcdef"
[stores.b]
location = "/b"
store_id = "bbbbbbbbbbbbbbbb"
[folders.photos]
folder_id = "aaaaaaaaaaaaaaaa"
path = "/home/ann/Photos"
stores = ["nas"]
""",
    "out of order": """
[folders.photos]
folder_id = "aaaaaaaaaaaaaaaa"
path = "/home/ann/Photos"
stores = ["nas"]
[stores.nas]
location = "/mnt/nas"
store_id = "0123456789abcdef"
[log]
[folders]
[stores.b]
location = "/b"
store_id = "bbbbbbbbbbbbbbbb"
[stores]
""",
    "inline": """
stores = { nas = { location = "/mnt/nas", store_id = "0123456789abcdef" }, b = \
{ location = "/b", store_id = "bbbbbbbbbbbbbbbb" } }
folders = { photos = { folder_id = "aaaaaaaaaaaaaaaa", path = "/home/ann/Photos", \
stores = ["nas"] } }
device = {}
log = { level = "debug" }
""",
    "inline below a header": """
[stores]
nas = { location = "/mnt/nas", store_id = "0123456789abcdef" }
b = { location = "/b", store_id = "bbbbbbbbbbbbbbbb" }
[folders]
photos = { folder_id = "aaaaaaaaaaaaaaaa", path = "/home/ann/Photos", stores = ["nas"] }
""",
    "dotted": """
log.level = "debug"
stores.nas.location = "/mnt/nas"
stores.nas.store_id = "0123456789abcdef"
stores.b.location = "/b"
stores.b.store_id = "bbbbbbbbbbbbbbbb"
folders.photos.folder_id = "aaaaaaaaaaaaaaaa"
folders.photos.path = "/home/ann/Photos"
folders.photos.stores = ["nas"]
""",
    "dotted below a header": """
[stores]
nas.location = "/mnt/nas"
nas.store_id = "0123456789abcdef"
b.location = "/b"
b.store_id = "bbbbbbbbbbbbbbbb"
[folders]
photos.folder_id = "aaaaaaaaaaaaaaaa"
photos.path = "/home/ann/Photos"
photos.stores = ["nas"]
""",
}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_every_layout_of_a_file_can_be_changed(tmp_path, monkeypatch, layout):
    """However a person laid the file out, every change comes to pass, and comes back as asked."""
    monkeypatch.setitem(STORE_OPTIONS, "file", frozenset({"x", "y"}))
    path = tmp_path / "config.toml"
    path.write_text(layout)
    path.chmod(0o600)
    assert load(path).store("nas") == NAS
    changed = NAS._replace(rating=7, minor=True, options={"x": "1", "y": "2"})
    changed_again = changed._replace(location="/other", options={"y": "3"})
    added = STICK._replace(options={"x": "4"})
    for store in (changed, changed_again):
        assert edit_store(path, store).store("nas") == store
        assert load(path).store("nas") == store
    add_store(path, added)
    set_option(path, "log.size", "12345")
    set_option(path, "device.name", "firn")
    folder = PHOTOS._replace(stores=("nas", "USB stick"), paused=True)
    edit_folder(path, folder)
    second = PHOTOS._replace(name="b c", folder_id="c" * 16, path=Path("/c"))
    add_folder(path, second)
    settings = load(path)
    assert settings.stores[0] == changed_again
    assert settings.stores[-1] == added
    assert settings.folders == (folder, second)
    assert (settings.log_size, settings.device_name) == (12345, "firn")
    remove_store(path, "nas")
    remove_folder(path, "photos")
    settings = load(path)
    assert [store.name for store in settings.stores] == ["b", "USB stick"]
    assert settings.folders == (second._replace(stores=()),)


def test_options_of_a_store_come_and_go_one_by_one(config, monkeypatch):
    """An option that changes leaves the others of its table, and their comments, alone."""
    monkeypatch.setitem(STORE_OPTIONS, "file", frozenset({"x", "y", "z"}))
    text = HANDWRITTEN + '\n[stores.nas.options]\nx = "1" # one\ny = "2" # two\n'
    config.write_text(text)
    nas = load(config).stores[0]
    edit_store(config, nas._replace(options={"y": "2", "z": "3"}))
    assert _changed_lines(config, text) == (
        ['x = "1" # one', 'y = "2" # two'],
        ['y = "2" # two', 'z = "3"'],
    )


def test_a_name_in_use_is_refused(config):
    """A second store or folder of the same name is refused, and the file stays."""
    with pytest.raises(NameTakenError, match='"nas" is in use') as caught:
        add_store(config, NAS._replace(store_id="b" * 16))
    assert caught.value.key == "stores.nas"
    with pytest.raises(NameTakenError, match='"photos" is in use'):
        add_folder(config, PHOTOS)
    assert config.read_text() == HANDWRITTEN


@pytest.mark.parametrize(
    "change",
    [
        lambda path: edit_store(path, NAS._replace(name="x")),
        lambda path: remove_store(path, "x"),
        lambda path: edit_folder(path, PHOTOS._replace(name="x")),
        lambda path: remove_folder(path, "x"),
    ],
)
def test_a_name_that_is_not_there_is_refused(config, tmp_path, change):
    """Changing what is not there is refused, with the names that are."""
    with pytest.raises(NoSuchNameError, match='called "x"') as caught:
        change(config)
    assert '"nas"' in str(caught.value) or '"photos"' in str(caught.value)
    with pytest.raises(NoSuchNameError, match="none yet"):
        change(tmp_path / "new.toml")
    assert not (tmp_path / "new.toml").exists()


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (lambda path: add_store(path, STICK._replace(name="a:b")), 'stores."a:b"'),
        (
            lambda path: add_store(path, STICK._replace(name="c", rating=101)),
            "stores.c.rating",
        ),
        (
            lambda path: add_store(path, NAS._replace(name="twin")),
            "stores.twin.store_id",
        ),
        (
            lambda path: add_folder(
                path,
                PHOTOS._replace(name="b", folder_id="b" * 16, path=Path(os.fsdecode(b"/caf\xe9"))),
            ),
            "folders.b.path",
        ),
        (
            lambda path: edit_folder(path, PHOTOS._replace(stores=("gone",))),
            "folders.photos.stores[0]",
        ),
        (lambda path: set_option(path, "home.keep", "some"), "home.keep"),
        (lambda path: set_option(path, "log.size", "1"), "log.size"),
        (lambda path: set_option(path, "log.size", "big"), "log.size"),
    ],
)
def test_a_value_that_cannot_be_is_never_written(config, change, key):
    """What could not be loaded again is refused before the file is touched."""
    with pytest.raises(BadValueError) as caught:
        change(config)
    assert caught.value.key == key
    assert caught.value.line is None
    assert config.read_text() == HANDWRITTEN


def test_an_unknown_option_is_refused(config):
    """A key that does nothing cannot be set."""
    with pytest.raises(UnknownKeyError, match="no key"):
        set_option(config, "home", "all")
    assert config.read_text() == HANDWRITTEN


def test_a_broken_file_is_not_written_to(config):
    """A file with a mistake is for its person to mend first."""
    config.write_text("[stores\n")
    with pytest.raises(ConfigSyntaxError):
        add_store(config, NAS)
    assert config.read_text() == "[stores\n"


@pytest.mark.parametrize("outcome", ["", "[", 'device = {name = "another"}'])
def test_a_change_that_would_mean_something_else_is_not_written(config, monkeypatch, outcome):
    """A text that does not read back as what was asked for never gets into the file."""
    monkeypatch.setattr(edits, "with_value", lambda text, path, value: outcome)
    with pytest.raises(ConfigUnwritableError, match="only a person"):
        set_option(config, "device.name", "firn")
    assert config.read_text() == HANDWRITTEN
