"""What can be wrong with the configuration, as exceptions that carry the facts.

    ConfigError
    ├── ConfigUnreadableError     it is there, and cannot be read: rights, kind, size, encoding
    ├── ConfigUnsafeError         somebody else could have written it
    ├── ConfigSyntaxError         it is not TOML
    ├── ConfigFormatError         a newer Firnline wrote it
    ├── UnknownKeyError           a key that means nothing here
    ├── BadValueError             of the wrong type, out of range, missing, at odds with another
    ├── NameTakenError            a store or folder of this name is there already
    ├── NoSuchNameError           a store or folder of this name is not there
    ├── ConfigChangedError        somebody changed the file while it was being changed here
    └── ConfigUnwritableError     rights, space, or a layout that only a person can edit

The message of each says where it is and what to do about it.
"""

from pathlib import Path


class ConfigError(Exception):
    """Something about the configuration that a person has to look at.

    `path` is the file, None when no file is concerned. `line` counts from 1, None when no line
    can be named. `key` is the dotted key as the file would have it, None when it is not about one.
    """

    def __init__(
        self,
        reason: str,
        path: Path | None = None,
        line: int | None = None,
        key: str | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.path = path
        self.line = line
        self.key = key

    def __str__(self) -> str:
        if self.path is None:
            return self.reason
        place = str(self.path) if self.line is None else f"{self.path}, line {self.line}"
        return f"{place}: {self.reason}"


class ConfigUnreadableError(ConfigError):
    """The file is there, but cannot be read, or is nothing that could be a configuration."""


class ConfigUnsafeError(ConfigError):
    """Another user could have written the file, so what it says is not this user's word."""


class ConfigSyntaxError(ConfigError):
    """The file is not TOML."""


class ConfigFormatError(ConfigError):
    """The file is of a later format than this program knows."""


class UnknownKeyError(ConfigError):
    """A key that this program does not know."""


class BadValueError(ConfigError):
    """A value that its key cannot have."""


class NameTakenError(ConfigError):
    """There is a store or folder of this name already."""


class NoSuchNameError(ConfigError):
    """There is no store or folder of this name."""


class ConfigChangedError(ConfigError):
    """The file changed between reading and replacing it; nothing was written."""


class ConfigUnwritableError(ConfigError):
    """The file could not be written; it is as it was."""
