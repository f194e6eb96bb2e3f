"""Reading and replacing the bytes of `config.toml`.

The file belongs to a person: it may be a link into a directory of dotfiles, was perhaps made by an
editor, and may be changed at any moment. Read only when nobody but this user (or root, who can do
all) could have written it; replaced atomically, where the link points, and only when it is still
what was read.
"""

import os
import stat
import sys
import tomllib
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from firnline.config.errors import (
    ConfigChangedError,
    ConfigError,
    ConfigSyntaxError,
    ConfigUnreadableError,
    ConfigUnsafeError,
    ConfigUnwritableError,
)
from firnline.config.key_paths import KeyPath, dotted
from firnline.core.steps import Steps, no_steps

MAX_BYTES = 1 << 20
"""No person writes a larger configuration."""

Identity = tuple[int, int, int, int]
"""Device, inode, size and mtime in ns: equal means the same bytes, as far as a stat can tell."""


class SettingsText(NamedTuple):
    """What was read."""

    path: Path
    text: str
    """Empty when there is no file."""
    identity: Identity | None
    """None when there is no file."""

    def parse(self) -> dict[str, Any]:
        """The values in the text. Raises ConfigSyntaxError with tomllib's reason and line."""
        try:
            return tomllib.loads(self.text)
        except ValueError as error:
            line = _line_in(str(error), self.text)
            raise ConfigSyntaxError(f"not valid TOML: {error}", self.path, line) from error
        except RecursionError as error:
            raise ConfigSyntaxError("not valid TOML: nested too deeply", self.path) from error

    def error(self, kind: type[ConfigError], at: KeyPath, reason: str) -> ConfigError:
        """A mistake at the key `at`, with the line that has it or its table."""
        from firnline.config.key_positions import line_of

        return kind(reason, self.path, line_of(self.text, at), dotted(at))


def read(path: Path) -> SettingsText:
    """The file at `path`; an empty text when there is none.

    Raises ConfigUnreadableError and ConfigUnsafeError.
    """
    try:
        with open(path, "rb", opener=_no_waiting) as file:
            status = os.fstat(file.fileno())
            _check_kind(path, status)
            _check_owner(path, status)
            return SettingsText(path, _decode(path, _read_limited(path, file)), _identity(status))
    except FileNotFoundError as error:
        if path.is_symlink():
            reason = f"a link to {os.readlink(path)}, which is not there: bring it back, or remove"
            raise ConfigUnreadableError(f"{reason} the link", path) from error
        return SettingsText(path, "", None)
    except OSError as error:
        raise ConfigUnreadableError(f"cannot be read: {error.strerror}", path) from error


def replace(read: SettingsText, text: str, steps: Steps = no_steps) -> None:
    """Put `text` in place of what was read, atomically and durably, 0600.

    The caller holds the profile's lock, so a temporary file that is found is a dead one's.
    Raises ConfigChangedError when the file is not what was read any more, ConfigUnwritableError
    when it cannot be written; in both cases the file is as it was.
    """
    from firnline.config.private_files import make_private_directory

    try:
        target = Path(os.path.realpath(read.path))
        make_private_directory(target.parent, steps)
        _sweep(target, steps)
        _replace(read, target, text.encode(), steps)
    except OSError as error:
        reason = f"cannot be written: {error.strerror}"
        raise ConfigUnwritableError(reason, read.path) from error


def _replace(read: SettingsText, target: Path, content: bytes, steps: Steps) -> None:
    from firnline.config.private_files import private_opener

    temporary = target.with_name(f"{_temporary_prefix(target)}{os.urandom(8).hex()}")
    try:
        steps("config.write")
        with open(temporary, "xb", opener=private_opener) as file:
            file.write(content)
            file.flush()
            steps("config.fsync")
            os.fsync(file.fileno())
        _check_unchanged(read)
        steps("config.rename")
        os.replace(temporary, target)
    except (OSError, ConfigError):
        temporary.unlink(missing_ok=True)
        raise
    steps("config.fsync_directory")
    _fsync_directory(target.parent)


def _no_waiting(path: str, flags: int) -> int:
    # A named pipe in place of the file would wait for a writer for ever.
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _check_kind(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise ConfigUnreadableError("not a file: move it away", path)
    if status.st_size > MAX_BYTES:
        raise ConfigUnreadableError(_too_large(status.st_size), path)


def _check_owner(path: Path, status: os.stat_result) -> None:
    if sys.platform == "win32":
        return
    if status.st_uid not in (os.geteuid(), 0):
        reason = f"belongs to another user (number {status.st_uid}): have it given to you (chown)"
        raise ConfigUnsafeError(reason, path)
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise ConfigUnsafeError(f"can be written by others: run chmod go-w '{path}'", path)


def _read_limited(path: Path, file: BinaryIO) -> bytes:
    content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise ConfigUnreadableError(_too_large(len(content)), path)
    return content


def _too_large(size: int) -> str:
    return f"larger ({size} bytes) than any configuration ({MAX_BYTES} bytes): look what it is"


def _decode(path: Path, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigUnreadableError("not UTF-8: save it in that encoding", path, line) from error


def _line_in(reason: str, text: str) -> int | None:
    """The line that a message of tomllib names."""
    _, found, after = reason.rpartition("(at line ")
    if found:
        return int(after.partition(",")[0])
    return text.count("\n") + 1 if "(at end of document)" in reason else None


def _identity(status: os.stat_result) -> Identity:
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


def _check_unchanged(read: SettingsText) -> None:
    try:
        present = _identity(os.stat(read.path))
    except FileNotFoundError:
        present = None
    if present != read.identity:
        raise ConfigChangedError("somebody else changed it just now: try again", read.path)


def _temporary_prefix(target: Path) -> str:
    return f".{target.name}.firnline-tmp-"


def _sweep(target: Path, steps: Steps) -> None:
    """Remove what a write that was killed left behind."""
    for name in os.listdir(target.parent):
        if name.startswith(_temporary_prefix(target)):
            steps("config.unlink")
            (target.parent / name).unlink(missing_ok=True)


def _fsync_directory(directory: Path) -> None:
    if sys.platform == "win32":  # a directory cannot be opened there; NTFS journals the rename
        return
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
