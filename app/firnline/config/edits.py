"""Changing `config.toml` for the commands: add, edit, remove a store or a folder, set an option.

Each function reads the file, changes what was asked for and nothing else, and replaces the file
atomically and durably. The caller holds the profile's lock. What is written was first read back
and found to mean exactly what was asked for; so a mistake is refused before anything is written,
and a layout of the file that this program cannot edit is left for the person who chose it.

All raise the ConfigErrors of reading, BadValueError (without a line) for a value that cannot be,
ConfigChangedError and ConfigUnwritableError; then the file is as it was. All return the new
settings.
"""

import copy
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from firnline.config import settings_file
from firnline.config.errors import (
    BadValueError,
    ConfigError,
    ConfigUnwritableError,
    NameTakenError,
    NoSuchNameError,
)
from firnline.config.key_paths import dotted, quoted
from firnline.config.schema import (
    FOLDER_KEYS,
    FORMAT,
    STORE_KEYS,
    Key,
    Value,
    file_value,
)
from firnline.config.settings import (
    FolderSettings,
    Settings,
    StoreSettings,
    program_key,
    settings_of,
)
from firnline.config.settings_file import SettingsText
from firnline.config.toml_editing import NamePath, with_value, without
from firnline.core.steps import Steps, no_steps

_NEW_FILE = f"""\
# Firnline's settings on this device, made to be read and edited by people.
# `firnline config list` tells the keys. Passwords do not belong here.
format = {FORMAT}
"""


class _Change(NamedTuple):
    path: NamePath
    value: Value | None
    """None: the key or table goes."""


def add_store(path: Path, store: StoreSettings, steps: Steps = no_steps) -> Settings:
    """Add `store`. Raises NameTakenError when its name is in use."""
    return _File(path, steps).add("stores", store.name, store, STORE_KEYS)


def edit_store(path: Path, store: StoreSettings, steps: Steps = no_steps) -> Settings:
    """Make the store of this name be `store`. Raises NoSuchNameError when there is none."""
    return _File(path, steps).edit("stores", store.name, store, STORE_KEYS)


def remove_store(path: Path, name: str, steps: Steps = no_steps) -> Settings:
    """Remove the store `name`, from the folders that go to it too. Raises NoSuchNameError."""
    file = _File(path, steps)
    changes = [file.removal("stores", name)]
    for folder in file.settings.folders:
        if name in folder.stores:
            left = [store for store in folder.stores if store != name]
            changes.append(_Change(("folders", folder.name, "stores"), left))
    return file.write(changes)


def add_folder(path: Path, folder: FolderSettings, steps: Steps = no_steps) -> Settings:
    """Add `folder`. Raises NameTakenError when its name is in use."""
    return _File(path, steps).add("folders", folder.name, folder, FOLDER_KEYS)


def edit_folder(path: Path, folder: FolderSettings, steps: Steps = no_steps) -> Settings:
    """Make the folder of this name be `folder`. Raises NoSuchNameError when there is none."""
    return _File(path, steps).edit("folders", folder.name, folder, FOLDER_KEYS)


def remove_folder(path: Path, name: str, steps: Steps = no_steps) -> Settings:
    """Remove the folder `name`. Raises NoSuchNameError when there is none."""
    file = _File(path, steps)
    return file.write([file.removal("folders", name)])


def set_option(path: Path, name: str, text: str, steps: Steps = no_steps) -> Settings:
    """Set a key of `firnline config`, its value as typed. Raises UnknownKeyError."""
    key = program_key(name)
    value: Value = text
    if key.kind is int:
        try:
            value = int(text)
        except ValueError as error:
            reason = f"{name}: must be a whole number, not {quoted(text)}"
            raise BadValueError(reason, key=name) from error
    section, _, last = name.partition(".")
    return _File(path, steps).write([_Change((section, last), value)])


class _File:
    """The file as it is now, and the way to its successor."""

    def __init__(self, path: Path, steps: Steps) -> None:
        self._steps = steps
        self._read = settings_file.read(path)
        self._raw = self._read.parse()
        self.settings = settings_of(self._read, self._raw)

    def add(self, section: str, name: str, new: object, keys: Sequence[Key]) -> Settings:
        if name in self._raw.get(section, {}):
            reason = f"{section}: the name {quoted(name)} is in use: choose another"
            raise NameTakenError(reason, self._read.path, key=dotted((section, name)))
        at = (section, name)
        tables: list[_Change] = []
        values: dict[str, Any] = {}
        for key in keys:
            value = file_value(getattr(new, key.field))
            if isinstance(value, dict):
                tables += [_Change((*at, key.name), value)] if value else []
            elif value != key.default:
                values[key.name] = value
        return self.write([_Change(at, values), *tables])

    def edit(self, section: str, name: str, new: object, keys: Sequence[Key]) -> Settings:
        table = self._existing(section, name)
        changes: list[_Change] = []
        for key in keys:
            before: Any = table.get(key.name, key.default)
            after = file_value(getattr(new, key.field))
            at = (section, name, key.name)
            if isinstance(after, dict):
                changes += _differences(before, after, at)
            elif after != before:
                changes.append(_Change(at, after))
        return self.write(changes)

    def removal(self, section: str, name: str) -> _Change:
        self._existing(section, name)
        return _Change((section, name), None)

    def write(self, changes: Sequence[_Change]) -> Settings:
        raw = copy.deepcopy(self._raw)
        for change in changes:
            _apply(raw, change)
        if raw == self._raw:
            return self.settings
        wanted = settings_of(SettingsText(self._read.path, "", None), raw)
        text = self._read.text if self._read.identity else _NEW_FILE
        for change in changes:
            text = _edited(text, change)
        self._check_meaning(text, wanted)
        settings_file.replace(self._read, text, self._steps)
        return wanted

    def _existing(self, section: str, name: str) -> dict[str, Any]:
        tables: dict[str, dict[str, Any]] = self._raw.get(section, {})
        if name not in tables:
            known = ", ".join(quoted(each) for each in tables) or "none yet"
            reason = f"{section}: there is none called {quoted(name)}. There: {known}"
            raise NoSuchNameError(reason, self._read.path, key=dotted((section, name)))
        return tables[name]

    def _check_meaning(self, text: str, wanted: Settings) -> None:
        path = self._read.path
        try:
            meant = settings_of(SettingsText(path, text, None), tomllib.loads(text))
        except (ConfigError, tomllib.TOMLDecodeError):
            meant = None
        if meant != wanted:
            raise ConfigUnwritableError("is laid out so that only a person can change this", path)


def _differences(before: dict[str, str], after: dict[str, str], at: NamePath) -> list[_Change]:
    gone = [_Change((*at, name), None) for name in before if name not in after]
    new = [_Change((*at, name), after[name]) for name in after if after[name] != before.get(name)]
    return gone + new


def _apply(raw: dict[str, Any], change: _Change) -> None:
    *parents, name = change.path
    for parent in parents:
        raw = raw.setdefault(parent, {})
    if change.value is None:
        del raw[name]
    else:
        raw[name] = copy.copy(change.value)


def _edited(text: str, change: _Change) -> str:
    if change.value is None:
        return without(text, change.path)
    return with_value(text, change.path, change.value)
