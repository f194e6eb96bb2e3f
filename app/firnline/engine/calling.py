"""Stores on servers, as this program calls them: with what is known of each in this process, and
what this device remembers of logins that were refused."""

import json
import logging
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from firnline.engine.identity import write_private
from firnline.stores.base import Store
from firnline.stores.calling.caller import Caller
from firnline.stores.calling.logins import MOST, Logins, Refused
from firnline.stores.calling.shared import shared_of
from firnline.stores.calling.store import CallingStore
from firnline.stores.errors import CredentialsError
from firnline.stores.registry import Secret
from firnline.sync.context import CancelledError

if TYPE_CHECKING:
    from firnline.engine.surroundings import Surroundings

FILE = "refused-logins.json"
"""Below the device's state: by location, what was refused there."""
_logger = logging.getLogger(__name__)


class Login(NamedTuple):
    """A place and the credentials for it."""

    location: str
    options: Mapping[str, str]
    secret: Secret

    def credentials(self) -> str:
        """All that decides whether a server lets this device in, as text. May block."""
        files = [self.options["key"]] if "key" in self.options else []
        if "profile" in self.options:
            files += [os.environ.get(variable) or place for variable, place in _PROFILES]
        versions = [_version(file) for file in files]
        return json.dumps([sorted(self.options.items()), versions, self._secret()])

    def _secret(self) -> str | None:
        """None where it is not at hand: a key may need none."""
        try:
            return self.secret()
        except CredentialsError:
            return None


_PROFILES = (
    ("AWS_CONFIG_FILE", "~/.aws/config"),
    ("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials"),
)
"""Where Amazon's programs keep theirs."""


def _version(file: str) -> tuple[int, int] | None:
    """Of a file that holds a key; None when it is not there."""
    try:
        found = os.stat(os.path.expanduser(file))
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns


def connect_calling(
    state: Path, outside: "Surroundings", login: Login, opening: Callable[[], Store]
) -> CallingStore:
    """Open a store. Raises StoreError, and CancelledError while it waits."""

    def go_on() -> None:
        if outside.cancelled():
            raise CancelledError

    shared = shared_of(login.location, outside.clock, outside.random)
    logins = Logins(RefusedLogins(state / FILE, login.location), login.credentials)
    return CallingStore.connect(opening, Caller(shared, logins, go_on))


def _refused(fields: object) -> Refused | None:
    """None for what this program did not write."""
    try:
        found = Refused(**fields) if isinstance(fields, dict) else None
        if found is None or not isinstance(found.detail, str):
            return None
        bytes.fromhex(found.salt)
        return found._replace(times=int(found.times))
    except (TypeError, ValueError):
        return None


class RefusedLogins:
    """See `stores.calling.logins.Memory`. Any process of this user may write it: who does so last
    holds, which costs a try at most."""

    def __init__(self, file: Path, location: str) -> None:
        self._file = file
        self._location = location

    def load(self) -> Refused | None:
        return _refused(self._all().get(self._location))

    def save(self, refused: Refused | None) -> None:
        found = self._all()
        found.pop(self._location, None)
        if refused is not None:
            found[self._location] = refused._asdict()
        try:
            write_private(self._file, json.dumps(found, sort_keys=True).encode() + b"\n")
        except OSError as error:
            _logger.info("%s: %s", self._file, error)

    def _all(self) -> dict[str, Any]:
        try:
            found = json.loads(self._file.read_bytes())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def try_once_more(self) -> None:
        """The user asks for it: what was refused too often may be shown one more time."""
        known = self.load()
        if known is not None and known.is_spent:
            self.save(known._replace(times=MOST - 1))
