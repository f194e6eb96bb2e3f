"""Every key of `config.toml`, in three tables: the program's, a store's, a folder's.

A row says what a key is called, what it may hold and what it means; reading, writing,
`firnline config` and the messages about mistakes all go by these rows, and a further key is a
further row and a field of its dataclass in `config.settings`.
"""

import os
from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

from firnline.config.key_paths import quoted
from firnline.config.locations import check_location
from firnline.config.names import check_device_name, check_random_id, default_device_name

FORMAT = 1
"""The format of `config.toml` that this program writes, and the highest that it reads."""

LEAST_RATE = 1000
"""Bytes a second: the lowest limit."""

Value = str | int | bool | list[str] | dict[str, str]
"""What a key holds in the file."""


class HomeKeep(StrEnum):
    """Which contents the home store keeps (docs/design.md section 4, *the home store*)."""

    AUTO = "auto"
    ALL = "all"


class LogLevel(StrEnum):
    """The least weighty messages that the log file takes."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Key(NamedTuple):
    """One key."""

    name: str
    """As in the file; for the program's own keys with its section: `home.keep`."""
    field: str
    """The field of the dataclass that gets the value."""
    kind: type
    """The type in the file."""
    default: Value | Callable[[], Value] | None
    """None: the key must be there."""
    check: Callable[[Any], Any]
    """From the value in the file to the one in the dataclass; ValueError with the reason."""
    description: str

    def default_value(self) -> Value | None:
        """What holds when the file does not have the key; None when it must."""
        return self.default() if callable(self.default) else self.default


def whole(low: int, high: int) -> Callable[[int], int]:
    """A check for a whole number between two bounds, both included."""

    def check(number: int) -> int:
        if not low <= number <= high:
            raise ValueError(f"must be from {low} to {high}")
        return number

    return check


def limit_of_rate(number: int) -> int:
    """A check for bytes a second; 0: no limit. What is nearly nothing was meant as something else,
    most likely as KiB, and nothing would ever come to an end."""
    if number != 0 and not LEAST_RATE <= number <= 10**12:
        raise ValueError(f"must be 0 (no limit), or bytes a second from {LEAST_RATE} on")
    return number


def one_of(words: type[StrEnum]) -> Callable[[str], StrEnum]:
    """A check for one of a few words."""

    def check(word: str) -> StrEnum:
        if word not in list(words):
            raise ValueError(f"must be one of {', '.join(words)}")
        return words(word)

    return check


def absolute_path(text: str) -> Path:
    """A check for an absolute path."""
    if "\0" in text:
        raise ValueError("must not hold a NUL character")
    if not os.path.isabs(text):
        raise ValueError("must be an absolute path, without ~")
    return Path(text)


def without_repeats(texts: list[str]) -> tuple[str, ...]:
    """A check for a list of texts, each there once."""
    for text in texts:
        if texts.count(text) > 1:
            raise ValueError(f"has {quoted(text)} twice")
    return tuple(texts)


PROGRAM_KEYS = (
    Key(
        "device.name",
        "device_name",
        str,
        default_device_name,
        check_device_name,
        "The name by which other devices and the log call this one.",
    ),
    Key(
        "home.keep",
        "home_keep",
        str,
        HomeKeep.AUTO.value,
        one_of(HomeKeep),
        "Whether the home store keeps every version (all) or, where other stores have them, "
        "only what is on its way (auto).",
    ),
    Key(
        "poll.interval",
        "poll_interval",
        int,
        300,
        whole(5, 86_400),
        "The most seconds between two looks at a store that cannot be watched.",
    ),
    Key(
        "copier.grace",
        "copier_grace",
        int,
        30,
        whole(0, 86_400),
        "The seconds that what another device wrote is left to it, before this one copies it.",
    ),
    Key(
        "limits.upload",
        "upload_limit",
        int,
        0,
        limit_of_rate,
        "The most bytes a second that go into the stores, all together; 0: no limit.",
    ),
    Key(
        "limits.download",
        "download_limit",
        int,
        0,
        limit_of_rate,
        "The most bytes a second that come out of the stores, all together; 0: no limit.",
    ),
    Key(
        "log.level",
        "log_level",
        str,
        LogLevel.INFO.value,
        one_of(LogLevel),
        "The least weighty messages that the log file takes: debug, info, warning or error.",
    ),
    Key(
        "log.size",
        "log_size",
        int,
        1_000_000,
        whole(10_000, 1_000_000_000),
        "The bytes after which a new log file is begun.",
    ),
    Key(
        "log.count",
        "log_count",
        int,
        3,
        whole(1, 100),
        "How many earlier log files are kept.",
    ),
)

STORE_KEYS = (
    Key("location", "location", str, None, check_location, "Where the store is: a path or a URL."),
    Key("store_id", "store_id", str, None, check_random_id, "Which store it is, moved or not."),
    Key("rating", "rating", int, 50, whole(0, 100), "How good it is to read from."),
    Key("minor", "minor", bool, False, bool, "Whether others do not wait for this store."),
    Key("options", "options", dict, {}, dict, "What its kind of store needs to be told."),
)

FOLDER_KEYS = (
    Key("folder_id", "folder_id", str, None, check_random_id, "Which folder of the stores it is."),
    Key("path", "path", str, None, absolute_path, "Where it is on this device."),
    Key("stores", "stores", list, [], without_repeats, "The names of the stores it goes to."),
    Key("paused", "paused", bool, False, bool, "Whether it is left alone for now."),
)

_KIND_WORDS = {
    str: 'a text in quotes ("…")',
    int: "a whole number",
    bool: "true or false",
    list: 'a list of texts (["…", "…"])',
    dict: "a table of texts",
}


def read_value(key: Key, value: object) -> Any:
    """The value for the dataclass, from the one in the file.

    Raises ValueError with the reason when it has the wrong type or is none that `key` can have.
    """
    if type(value) is not key.kind or not all(isinstance(text, str) for text in _parts(value)):
        raise ValueError(f"must be {_KIND_WORDS[key.kind]}")
    for text in _parts(value):
        _check_unicode(text)
    return key.check(value)


def file_value(value: object) -> Value:
    """The value for the file, from one of a dataclass; what `read_value` turns back."""
    match value:
        case bool() | int():
            return value
        case tuple():
            return [str(each) for each in value]
        case Mapping():
            return {str(name): str(each) for name, each in value.items()}
        case _:
            return str(value)


def _parts(value: object) -> list[Any]:
    """The texts that `value` is made of, or what stands where they should."""
    match value:
        case str():
            return [value]
        case list():
            return value
        case dict():
            return list(value.values())
        case _:
            return []


def _check_unicode(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError("holds bytes that are not valid UTF-8, which TOML cannot hold") from error
