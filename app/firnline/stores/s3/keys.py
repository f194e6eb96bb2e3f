"""Who asks: a pair of keys, from the store's settings and its secret, or from a profile.

A profile is one of those that Amazon's own programs keep in `~/.aws`. Only lasting pairs of keys
are read from there; roles and single sign-on are not followed. Keys of a session are refused: they
run out within hours, and the library would send their token along wherever a server redirects it.
What the environment says of keys is never used: a store must mean the same in every terminal.
"""

import configparser
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from firnline.stores.errors import CredentialsError, OptionsError

_NO_SECRET = (
    "the secret key that belongs to the key_id is not known (it is given as FIRNLINE_SECRET_ and"
    " the store's name in capitals)"
)
_LARGEST = 1 << 20
"""Bytes of a file with profiles."""


Secret = Callable[[], str | None]
"""Gives the secret key when it is needed; may block. Raises CredentialsError where it says itself
why there is none."""


class Keys(NamedTuple):
    """What requests are signed with."""

    key_id: str
    secret: str

    def __repr__(self) -> str:
        # Objects get into messages of libraries and tracebacks.
        return f"Keys({self.key_id!r})"


Profile = Mapping[str, str]


def read_profile(
    name: str, environment: Mapping[str, str] = os.environ, home: Path | None = None
) -> Profile:
    """What the files of Amazon's programs say of a profile. Raises CredentialsError for one that
    is not there."""
    base = (home or Path.home()) / ".aws"
    found: dict[str, str] = {}
    for variable, default, sections in (
        ("AWS_CONFIG_FILE", "config", (f"profile {name}", name)),
        ("AWS_SHARED_CREDENTIALS_FILE", "credentials", (name,)),
    ):
        parser = _read(Path(environment.get(variable) or base / default))
        for section in sections:
            if parser.has_section(section):
                found |= dict(parser.items(section))
    if not found:
        raise CredentialsError("", f"there is no profile {name!a} in {base}", sent=False)
    return found


def _read(path: Path) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None, strict=False, default_section="\0")
    try:
        with open(path, encoding="utf-8") as file:
            parser.read_string(file.read(_LARGEST))
    except FileNotFoundError:
        pass
    except (OSError, ValueError, configparser.Error) as error:
        # Without the text of the error: it repeats lines, and one of them may be a secret.
        raise CredentialsError(
            "", f"{path} cannot be read ({type(error).__name__})", sent=False
        ) from None
    return parser


def keys_by(
    options: Mapping[str, str], secret: Callable[[], str | None], profile: Profile | None
) -> Keys:
    """As the settings of a store say. Raises CredentialsError when something is missing, and
    OptionsError when nothing is said of them."""
    if options.get("key_id"):
        given = secret()
        if not given:
            raise CredentialsError("", _NO_SECRET, sent=False)
        return Keys(options["key_id"], given)
    if profile is None:
        raise OptionsError("", "who asks? --option key_id=ID or --option profile=NAME")
    try:
        key_id, own = profile["aws_access_key_id"], profile["aws_secret_access_key"]
    except KeyError as error:
        text = "its profile holds no pair of keys, and only those are read"
        raise CredentialsError("", text, sent=False) from error
    if profile.get("aws_session_token"):
        text = "its profile holds keys of a session, which run out: a lasting pair is needed"
        raise CredentialsError("", text, sent=False)
    return Keys(key_id, own)
