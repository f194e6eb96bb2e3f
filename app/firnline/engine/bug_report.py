"""A bundle for a bug report: logs, how everything is, versions, settings.

Everything in it is text that went through `config.redaction`. It holds no contents of files, and
names only where the log, the problems or the settings do. It can be made whatever is broken: what
cannot be told has its reason in place.
"""

import json
import os
import platform
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from firnline import __version__
from firnline.config.errors import ConfigError
from firnline.config.logs import FILE_NAME
from firnline.config.places import Places
from firnline.config.private_files import private_opener
from firnline.config.profile_lock import ProfileBusy
from firnline.config.redaction import redact
from firnline.engine.errors import RefusedError
from firnline.engine.identity import IdentityError
from firnline.engine.problems import explain
from firnline.engine.runtime import Engine
from firnline.engine.status import status
from firnline.engine.surroundings import Surroundings
from firnline.stores.errors import StoreError

MOST_OF_A_FILE = 64 * 2**20
"""Bytes of one log or of the settings; of a longer file, its end."""
_LIBRARIES = ("blake3", "cryptography", "keyring", "platformdirs", "tomlkit", "tqdm")
_READ_ME = """\
Made by `firnline export-logs` for a bug report.

It holds no contents of files. Passwords, keys and the like were replaced by [redacted]. Names of
files, folders, stores and devices may stand in it: look through it before you give it to anybody.
"""


def export_logs(places: Places, outside: Surroundings, target: Path) -> dict[str, str]:
    """Make the bundle at `target`, a new file that only this user can read.

    Returns its parts by name, each with what it is. Raises RefusedError when something stands at
    `target`, and OSError.
    """
    moment = outside.clock.now().timetuple()[:6]
    parts: dict[str, str] = {}
    outside.steps("bug report")
    try:
        descriptor = private_opener(str(target), os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    except FileExistsError as error:
        raise RefusedError(f"{target} exists already", "name a new file") from error
    try:
        with os.fdopen(descriptor, "wb") as file, ZipFile(file, "w", ZIP_DEFLATED) as bundle:
            for name, what, text in _parts(places, outside):
                info = ZipInfo(f"firnline-report/{name}", moment)
                info.compress_type = ZIP_DEFLATED
                info.external_attr = 0o600 << 16
                bundle.writestr(info, redact(text).encode("utf-8", "backslashreplace"))
                parts[name] = what
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return parts


def _parts(places: Places, outside: Surroundings) -> Iterator[tuple[str, str, str]]:
    """Name, meaning and text of each part."""
    yield "READ-ME.txt", "what this is", _READ_ME
    yield "versions.json", "this program, its libraries and this system", _json(_versions())
    yield (
        "status.json",
        "how everything is, with counts and problems",
        _json(_status(places, outside)),
    )
    yield "sizes.json", "sizes of the files that hold this device's state", _json(_sizes(places))
    if places.config_file.is_file():
        yield "config.toml", "the settings", _text(places.config_file)
    for log in sorted(places.logs.glob(f"{FILE_NAME}*")):
        yield f"logs/{log.name}", "what happened", _text(log)


def _json(value: object) -> str:
    return json.dumps(value, indent=2) + "\n"


def _versions() -> dict[str, str]:
    from importlib.metadata import PackageNotFoundError, version

    found = {
        "firnline": __version__,
        "python": sys.version,
        "sqlite": sqlite3.sqlite_version,
        "system": platform.platform(),
        "file system encoding": sys.getfilesystemencoding(),
    }
    for library in _LIBRARIES:
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            found[library] = "unknown"
    return found


def _status(places: Places, outside: Surroundings) -> dict[str, object]:
    try:
        with Engine.open(places, outside, lock=False) as engine:
            return status(engine).to_json()
    except (ConfigError, IdentityError, ProfileBusy, StoreError, OSError) as error:
        return {"error": explain(error).line}


def _sizes(places: Places) -> dict[str, int]:
    found = sorted(path for path in places.state.glob("*") if path.is_file())
    return {path.name: path.lstat().st_size for path in found}


def _text(path: Path) -> str:
    """The text of a file of the profile, or why it cannot be had."""
    try:
        with open(path, "rb", opener=private_opener) as file:
            size = os.fstat(file.fileno()).st_size
            file.seek(max(0, size - MOST_OF_A_FILE))
            return file.read(MOST_OF_A_FILE).decode("utf-8", "backslashreplace")
    except OSError as error:
        return f"{explain(error).line}\n"
