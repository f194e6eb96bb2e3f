"""Who this device is: its id, and a token that tells this profile from a copy of it.

Both are made once and kept in `state/device.json`, readable by this user only
(docs/design.md section 11, *CONNHASH*).
"""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from firnline.config.private_files import private_opener
from firnline.core.event import DeviceId
from firnline.core.steps import Steps, no_steps
from firnline.stores.layout import random_id

FILE = "device.json"
_DEVICE_LENGTH = 8
_TOKEN_LENGTH = 32
_DEVICE = re.compile("[0-9a-v]{8}")
_TOKEN = re.compile("[0-9a-v]{32}")
_LIMIT = 4096


class IdentityError(Exception):
    """The file is there, and is not what this program wrote. `path` says which."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} cannot be read as the identity of this device")
        self.path = path


class DeviceIdentity(NamedTuple):
    """This device, as its events and connections name it."""

    device: DeviceId
    token: str


def read_identity(state: Path) -> DeviceIdentity | None:
    """The identity kept in the directory `state`; None when none was made yet.

    Raises IdentityError for garbage, and OSError.
    """
    path = state / FILE
    try:
        with open(path, "rb") as file:
            values = json.loads(file.read(_LIMIT))
        device, token = values["device"], values["token"]
        if _DEVICE.fullmatch(device) and _TOKEN.fullmatch(token):
            return DeviceIdentity(DeviceId(device), token)
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise IdentityError(path) from error
    raise IdentityError(path)


def make_identity(
    state: Path, random: Callable[[int], bytes], steps: Steps = no_steps
) -> DeviceIdentity:
    """A new identity, durable when this returns. The caller holds the profile's lock."""
    identity = DeviceIdentity(
        DeviceId(random_id(_DEVICE_LENGTH, random)), random_id(_TOKEN_LENGTH, random)
    )
    body = json.dumps({"device": identity.device, "token": identity.token}) + "\n"
    write_private(state / FILE, body.encode(), steps)
    return identity


def write_private(path: Path, body: bytes, steps: Steps = no_steps) -> None:
    """Replace a small file of the profile, 0600, atomically and durably."""
    temporary = path.with_name(f"{path.name}.new")
    temporary.unlink(missing_ok=True)
    steps(f"write {path.name}")
    with open(temporary, "xb", opener=private_opener) as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())
    steps(f"rename {path.name}")
    os.replace(temporary, path)
