"""What the user set: `config.toml`, read and typed.

The file is meant to be read and edited by people, so a mistake in it is told with its key and its
line, and nothing in it is passed over in silence. What `load` returns is whole: every default is
filled in, every name that a folder gives stands for a store, no two stores or folders are the
same.
"""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from firnline.config.errors import (
    BadValueError,
    ConfigError,
    ConfigFormatError,
    UnknownKeyError,
)
from firnline.config.key_paths import KeyPath, dotted, quoted
from firnline.config.locations import STORE_OPTIONS, scheme_of
from firnline.config.names import check_folder_name, check_store_name
from firnline.config.schema import (
    FOLDER_KEYS,
    FORMAT,
    PROGRAM_KEYS,
    STORE_KEYS,
    HomeKeep,
    Key,
    LogLevel,
    read_value,
)
from firnline.config.settings_file import SettingsText, read


class StoreSettings(NamedTuple):
    """A store that this device uses."""

    name: str
    """How this device calls it; unique, whatever the case of its letters."""
    location: str
    store_id: str
    """Its STOREHASH, 16 characters; written when the store is added."""
    rating: int
    """0 to 100; high is good to read from."""
    minor: bool
    options: Mapping[str, str]


class FolderSettings(NamedTuple):
    """A folder that this device keeps."""

    name: str
    """How this device calls it; unique."""
    folder_id: str
    path: Path
    """Absolute."""
    stores: tuple[str, ...]
    """Names of stores; the home store is always one of its stores and is not named."""
    paused: bool


class Settings(NamedTuple):
    """The whole of `config.toml`. The fields but the last two are the rows of PROGRAM_KEYS."""

    device_name: str
    home_keep: HomeKeep
    poll_interval: int
    """Seconds."""
    copier_grace: int
    """As `poll_interval`."""
    upload_limit: int
    """Bytes a second, over all stores; 0: no limit."""
    download_limit: int
    """As `upload_limit`."""
    log_level: LogLevel
    log_size: int
    """Bytes."""
    log_count: int
    stores: tuple[StoreSettings, ...]
    """In the order of the file."""
    folders: tuple[FolderSettings, ...]
    """In the order of the file."""

    def store(self, name: str) -> StoreSettings | None:
        """The store of this name."""
        return next((store for store in self.stores if store.name == name), None)

    def folder(self, name: str) -> FolderSettings | None:
        """The folder of this name."""
        return next((folder for folder in self.folders if folder.name == name), None)


def load(path: Path) -> Settings:
    """The settings in the file at `path`; a file that is not there has none, so all is default.

    Raises a ConfigError (see `config.errors`) when it cannot be read or anything in it is wrong.
    """
    source = read(path)
    return settings_of(source, source.parse())


def settings_of(source: SettingsText, raw: dict[str, Any]) -> Settings:
    """The settings in `raw`, which `source` or a change of it was parsed to.

    Raises a ConfigError, with the line that `source` has for the key.
    """
    return _Reading(source).settings(raw)


def program_key(name: str) -> Key:
    """The row of a key of `firnline config`. Raises UnknownKeyError."""
    for key in PROGRAM_KEYS:
        if key.name == name:
            return key
    known = [key.name for key in PROGRAM_KEYS]
    raise UnknownKeyError(f"no key is called {quoted(name)}. {_advice(name, known)}", key=name)


def get_option(settings: Settings, name: str) -> str | int:
    """The value of a key of `firnline config`. Raises UnknownKeyError."""
    value: str | int = getattr(settings, program_key(name).field)
    return value


class _Reading:
    """Turns parsed TOML into settings; every method may raise a ConfigError."""

    def __init__(self, source: SettingsText) -> None:
        self._source = source

    def settings(self, raw: dict[str, Any]) -> Settings:
        self._check_format(raw)
        sections: dict[str, list[Key]] = {}
        for key in PROGRAM_KEYS:
            sections.setdefault(key.name.partition(".")[0], []).append(key)
        self._check_known(raw, ["format", *sections, "stores", "folders"], ())
        values: dict[str, Any] = {}
        for section, keys in sections.items():
            values |= self._fields(raw.get(section, {}), keys, (section,))
        stores = tuple(self._store(*each) for each in self._tables(raw, "stores"))
        self._check_stores(stores)
        folders = tuple(self._folder(*each) for each in self._tables(raw, "folders"))
        self._check_folders(folders, {store.name for store in stores})
        return Settings(stores=stores, folders=folders, **values)

    def _check_format(self, raw: dict[str, Any]) -> None:
        number = raw.get("format", FORMAT)
        if type(number) is not int or number < 1:
            raise self._bad(("format",), f"must be {FORMAT}")
        if number > FORMAT:
            reason = f"format {number}: a newer Firnline wrote this file, so install that one"
            raise self._source.error(ConfigFormatError, ("format",), reason)

    def _store(self, name: str, table: object) -> StoreSettings:
        at = ("stores", name)
        self._check_name(at, name, check_store_name)
        store = StoreSettings(name=name, **self._fields(table, STORE_KEYS, at))
        known = STORE_OPTIONS[scheme_of(store.location)]
        self._check_known(store.options, sorted(known), (*at, "options"))
        return store

    def _check_stores(self, stores: Sequence[StoreSettings]) -> None:
        names: dict[str, str] = {}
        ids: dict[str, str] = {}
        for store in stores:
            at: KeyPath = ("stores", store.name)
            reason = "differs from another store's name only in the case of its letters"
            self._check_new(names, store.name.casefold(), store.name, at, reason)
            reason = "is that of another store of this file too, and one store counts once"
            self._check_new(ids, store.store_id, store.name, (*at, "store_id"), reason)

    def _folder(self, name: str, table: object) -> FolderSettings:
        at = ("folders", name)
        self._check_name(at, name, check_folder_name)
        return FolderSettings(name=name, **self._fields(table, FOLDER_KEYS, at))

    def _check_folders(self, folders: Sequence[FolderSettings], stores: set[str]) -> None:
        ids: dict[str, str] = {}
        paths: dict[str, str] = {}
        for folder in folders:
            at: KeyPath = ("folders", folder.name)
            reason = "is that of another folder of this file too"
            self._check_new(ids, folder.folder_id, folder.name, (*at, "folder_id"), reason)
            place = os.path.normcase(os.path.normpath(folder.path))
            self._check_new(paths, place, folder.name, (*at, "path"), reason)
            for index, store in enumerate(folder.stores):
                if store not in stores:
                    reason = f"no store is called {quoted(store)}: add it, or take the name away"
                    raise self._bad((*at, "stores", index), reason)

    def _tables(self, raw: dict[str, Any], section: str) -> Iterable[tuple[str, object]]:
        tables = raw.get(section, {})
        if not isinstance(tables, dict):
            raise self._bad((section,), f"must be tables, each [{section}.NAME]")
        return tables.items()

    def _fields(self, table: object, keys: Sequence[Key], at: KeyPath) -> dict[str, Any]:
        """The fields that `keys` stand for, all of them, from a table of the file."""
        if not isinstance(table, dict):
            raise self._bad(at, "must be a table")
        rows = {key.name.rpartition(".")[2]: key for key in keys}
        self._check_known(table, list(rows), at)
        fields: dict[str, Any] = {}
        for name, key in rows.items():
            value = table[name] if name in table else key.default_value()
            if value is None:
                raise self._bad((*at, name), f"is missing. {key.description}")
            try:
                fields[key.field] = read_value(key, value)
            except ValueError as error:
                raise self._bad((*at, name), str(error)) from error
        return fields

    def _check_known(self, names: Iterable[str], known: Sequence[str], at: KeyPath) -> None:
        for name in names:
            if name not in known:
                path = (*at, name)
                reason = f"unknown key {dotted(path)}. {_advice(name, known)}"
                raise self._source.error(UnknownKeyError, path, reason)

    def _check_name(self, at: KeyPath, name: str, check: Callable[[str], str]) -> None:
        try:
            check(name)
        except ValueError as error:
            raise self._bad(at, str(error)) from error

    def _check_new(
        self, seen: dict[str, str], value: str, owner: str, at: KeyPath, reason: str
    ) -> None:
        if value in seen:
            raise self._bad(at, f"{reason} ({quoted(seen[value])})")
        seen[value] = owner

    def _bad(self, at: KeyPath, reason: str) -> ConfigError:
        return self._source.error(BadValueError, at, f"{dotted(at)}: {reason}")


def _advice(name: str, known: Sequence[str]) -> str:
    import difflib

    if not known:
        return "There are none here: take it away"
    near = difflib.get_close_matches(name, known, n=1)
    guess = f"Did you mean {near[0]}? " if near else ""
    return f"{guess}Known here: {', '.join(known)}"
