"""Reading `config.toml`: what it means, and what is said about mistakes in it."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firnline.config.errors import (
    BadValueError,
    ConfigError,
    ConfigFormatError,
    ConfigSyntaxError,
    UnknownKeyError,
)
from firnline.config.locations import STORE_OPTIONS
from firnline.config.names import default_device_name
from firnline.config.schema import FOLDER_KEYS, PROGRAM_KEYS, STORE_KEYS, HomeKeep, LogLevel
from firnline.config.settings import (
    FolderSettings,
    Settings,
    StoreSettings,
    get_option,
    load,
    settings_of,
)
from firnline.config.settings_file import SettingsText

FULL = """\
# Mine.
format = 1

[device]
name = "frost"  # the laptop

[home]
keep = "all"

[log]
level = "debug"
size = 20000
count = 7

[stores.nas]
location = "/mnt/nas"
store_id = "0123456789abcdef"
rating = 90

[stores."USB stick"]
location = "file:///media/stick"
store_id = "fedcba9876543210"
minor = true

[folders.photos]
folder_id = "aaaaaaaaaaaaaaaa"
path = "/home/ann/Photos"
stores = [
    "nas",
    "USB stick",
]

[folders.notes]
folder_id = "bbbbbbbbbbbbbbbb"
path = "/home/ann/notes"
paused = true

[copier]
grace = 5

[poll]
interval = 60

[limits]
upload = 50000
"""


def _settings(text):
    source = SettingsText(Path("/p/config.toml"), text, None)
    return settings_of(source, source.parse())


def test_a_full_file_means_what_it_says():
    """Every key of a file arrives in its field; what is left out has its default."""
    assert _settings(FULL) == Settings(
        device_name="frost",
        home_keep=HomeKeep.ALL,
        poll_interval=60,
        copier_grace=5,
        upload_limit=50_000,
        download_limit=0,
        log_level=LogLevel.DEBUG,
        log_size=20000,
        log_count=7,
        stores=(
            StoreSettings("nas", "/mnt/nas", "0123456789abcdef", 90, False, {}),
            StoreSettings("USB stick", "file:///media/stick", "fedcba9876543210", 50, True, {}),
        ),
        folders=(
            FolderSettings(
                "photos",
                "aaaaaaaaaaaaaaaa",
                Path("/home/ann/Photos"),
                ("nas", "USB stick"),
                False,
            ),
            FolderSettings("notes", "bbbbbbbbbbbbbbbb", Path("/home/ann/notes"), (), True),
        ),
    )


def test_a_missing_file_is_all_default(tmp_path):
    """Without a file there are no stores and no folders, and every key has its default."""
    assert load(tmp_path / "config.toml") == Settings(
        device_name=default_device_name(),
        home_keep=HomeKeep.AUTO,
        poll_interval=300,
        copier_grace=30,
        upload_limit=0,
        download_limit=0,
        log_level=LogLevel.INFO,
        log_size=1_000_000,
        log_count=3,
        stores=(),
        folders=(),
    )


def test_stores_and_folders_are_found_by_name():
    """A name gives its store or folder; an unknown name gives none."""
    settings = _settings(FULL)
    assert settings.store("nas") is settings.stores[0]
    assert settings.store("NAS") is None
    assert settings.folder("notes") is settings.folders[1]
    assert settings.folder("nas") is None


@pytest.mark.parametrize(
    ("keys", "fields", "not_keys"),
    [
        (PROGRAM_KEYS, Settings, {"stores", "folders"}),
        (STORE_KEYS, StoreSettings, {"name"}),
        (FOLDER_KEYS, FolderSettings, {"name"}),
    ],
)
def test_each_key_has_a_field_and_each_field_a_key(keys, fields, not_keys):
    """The tables of keys and the settings are the same, and every key says what it means."""
    wanted = {*fields._fields} - not_keys
    assert {key.field for key in keys} == wanted
    assert len(keys) == len(wanted)
    for key in keys:
        assert key.description.endswith(".")
        assert type(key.default_value()) in (key.kind, type(None))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("device.name", "frost"),
        ("home.keep", "all"),
        ("poll.interval", 60),
        ("copier.grace", 5),
        ("limits.upload", 50_000),
        ("limits.download", 0),
        ("log.level", "debug"),
        ("log.size", 20000),
        ("log.count", 7),
    ],
)
def test_each_option_can_be_got_by_its_name(name, value):
    """`config get` finds every key of the program by the name that the file has for it."""
    assert get_option(_settings(FULL), name) == value


def test_an_unknown_option_is_refused_with_a_guess():
    """A mistyped key of `config get` is answered with the nearest and all that there are."""
    with pytest.raises(UnknownKeyError, match=r"Did you mean home\.keep\?") as caught:
        get_option(_settings(""), "home.keeps")
    assert caught.value.key == "home.keeps"
    assert all(key.name in str(caught.value) for key in PROGRAM_KEYS)


_LINES = FULL.splitlines(keepends=True)
_IN_A_LIST = range(_LINES.index("stores = [\n") + 1, _LINES.index("]\n") + 1)


@given(
    at=st.integers(0, len(_LINES)).filter(lambda at: at not in _IN_A_LIST),
    key=st.sampled_from(["ratng", "x", '"odd key\\u001b"', "'a.b'", "stores2.deep.er", "Format"]),
    value=st.sampled_from(["1", '"x"', "[1,\n2]", "{a = 1}", "'''\na\n'''"]),
)
def test_an_unknown_key_anywhere_is_refused_with_its_line(at, key, value):
    """A key that means nothing is refused wherever it stands, with its name and its own line."""
    text = "".join([*_LINES[:at], f"{key} = {value}\n", *_LINES[at:]])
    with pytest.raises(UnknownKeyError) as caught:
        _settings(text)
    assert caught.value.line == at + 1
    assert caught.value.path == Path("/p/config.toml")
    last = key.partition(".")[0].strip("'\"").partition("\\")[0]
    assert caught.value.key is not None
    assert last in caught.value.key
    assert f"line {at + 1}" in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("before", "after", "line", "key", "reason"),
    [
        ('name = "frost"', "name = 3", 5, "device.name", "text in quotes"),
        ('name = "frost"', 'name = ""', 5, "device.name", "empty"),
        ('"all"', '"some"', 8, "home.keep", "auto, all"),
        ('"debug"', '"loud"', 11, "log.level", "debug, info, warning, error"),
        ("20000", "9999", 12, "log.size", "from 10000 to"),
        ("20000", '"20000"', 12, "log.size", "whole number"),
        ("20000", "20000.5", 12, "log.size", "whole number"),
        ("20000", "true", 12, "log.size", "whole number"),
        ("upload = 50000", "upload = 500", 45, "limits.upload", "0 (no limit), or bytes a second"),
        ("upload = 50000", "upload = -1", 45, "limits.upload", "0 (no limit), or bytes a second"),
        ("count = 7", "count = 0", 13, "log.count", "from 1 to 100"),
        ("rating = 90", "rating = 101", 18, "stores.nas.rating", "from 0 to 100"),
        ("rating = 90", "rating = -1", 18, "stores.nas.rating", "from 0 to 100"),
        ("minor = true", "minor = 1", 23, 'stores."USB stick".minor', "true or false"),
        ('"/mnt/nas"', '"nas"', 16, "stores.nas.location", "absolute path"),
        ('"0123456789abcdef"', '"012"', 17, "stores.nas.store_id", "16 characters"),
        ("rating = 90", "options = 5", 18, "stores.nas.options", "table of texts"),
        ("rating = 90", "options = {a = 5}", 18, "stores.nas.options", "table of texts"),
        ("[stores.nas]", "[stores.home]", 15, "stores.home", "home"),
        ("[stores.nas]", '[stores."a:b"]', 15, 'stores."a:b"', '":"'),
        ("[stores.nas]", '[stores."usb STICK"]', 20, 'stores."USB stick"', "case of its letters"),
        (
            '"fedcba9876543210"',
            '"0123456789abcdef"',
            22,
            'stores."USB stick".store_id',
            'counts once ("nas")',
        ),
        ("[folders.notes]", '[folders."a/b"]', 33, 'folders."a/b"', '"/"'),
        ('"bbbbbbbbbbbbbbbb"', '"aaaaaaaaaaaaaaaa"', 34, "folders.notes.folder_id", '("photos")'),
        ('"/home/ann/notes"', '"/home/x/../ann/Photos/"', 35, "folders.notes.path", '("photos")'),
        ('"/home/ann/notes"', '"~/notes"', 35, "folders.notes.path", "without ~"),
        ('"/home/ann/notes"', '"/home/\\u0000"', 35, "folders.notes.path", "NUL"),
        ('    "USB stick",', "\n    'usb',", 31, "folders.photos.stores[1]", 'called "usb"'),
        ('    "USB stick",', "    'nas',", 28, "folders.photos.stores", '"nas" twice'),
        ('    "USB stick",', "    5,", 28, "folders.photos.stores", "list of texts"),
        ("format = 1", "format = 0", 2, "format", "must be 1"),
        ("format = 1", "format = true", 2, "format", "must be 1"),
        ("format = 1", "format = 1.0", 2, "format", "must be 1"),
        ('store_id = "0123456789abcdef"', "", 15, "stores.nas.store_id", "is missing"),
        ('path = "/home/ann/notes"', "", 33, "folders.notes.path", "is missing"),
        ('[home]\nkeep = "all"', "[[home]]", 7, "home", "must be a table"),
        ("[folders.notes]", "[[folders.notes]]", 33, "folders.notes", "must be a table"),
    ],
)
def test_a_wrong_value_is_refused_with_its_line(before, after, line, key, reason):
    """A value that cannot be is refused with its key, its line and what would be right."""
    assert FULL.count(before) >= 1
    with pytest.raises(BadValueError) as caught:
        _settings(FULL.replace(before, after, 1))
    assert (caught.value.key, caught.value.line) == (key, line)
    assert reason in str(caught.value)
    assert str(caught.value).startswith(f"/p/config.toml, line {line}: {key}: ")


@pytest.mark.parametrize("text", ["stores = 5", "stores = ['nas']", "[[folders]]\nname = 'x'"])
def test_stores_and_folders_are_tables(text):
    """A list where named tables belong is refused with the form that is right."""
    with pytest.raises(BadValueError, match=r"each \[(stores|folders)\.NAME\]"):
        _settings(text)


def test_options_are_those_of_the_kind_of_store(monkeypatch):
    """An option that its kind of store does not have is an unknown key, with its line."""
    text = '[stores.a]\nlocation = "/a"\nstore_id = "0123456789abcdef"\n[stores.a.options]\nx = "y"'
    with pytest.raises(UnknownKeyError, match="none here") as caught:
        _settings(text)
    assert (caught.value.key, caught.value.line) == ("stores.a.options.x", 5)
    monkeypatch.setitem(STORE_OPTIONS, "file", frozenset({"x"}))
    assert _settings(text).stores[0].options == {"x": "y"}


@pytest.mark.parametrize("number", [2, 99999999999999999999])
def test_a_later_format_is_refused_before_anything_else(number):
    """A file of a newer Firnline is told as such, not by the first key that is new in it."""
    with pytest.raises(ConfigFormatError, match="newer Firnline") as caught:
        _settings(f"new_key = 1\n\nformat = {number}\n[[stores]]\n")
    assert (caught.value.key, caught.value.line) == ("format", 3)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a = 1\nb = \n", 2),
        ("a = 1\n\n[b\n", 3),
        ("a = 1\na = 2\n", 2),
        ('a = """\n\n', 3),
        ("[stores.nas]\n[stores.nas]\n", 2),
        ("a = " + "9" * 5000, None),
        ("a = " + "[" * 100_000, None),
    ],
)
def test_broken_toml_is_refused_with_its_line(text, line):
    """What is no TOML is refused with the line that the parser names, if it names one."""
    with pytest.raises(ConfigSyntaxError, match="not valid TOML") as caught:
        _settings(text)
    assert caught.value.line == line


@given(st.text(max_size=60) | st.text("[]{}=.\"'#\n a1", max_size=60))
def test_any_text_is_settings_or_a_config_error(text):
    """Whatever stands in the file, the answer is settings or one of the errors for people."""
    found, error = _settings_or_error(text)
    if error is None:
        assert found is not None
        assert found.stores == ()
    else:
        assert str(error).startswith("/p/config.toml")
        assert error.line is None or 1 <= error.line <= text.count("\n") + 1


def _settings_or_error(text):
    try:
        return _settings(text), None
    except ConfigError as error:
        return None, error
