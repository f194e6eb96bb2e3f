"""`s3://bucket/prefix` and its options, taken apart; keys and URLs put together. Pure."""

import re
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import quote, unquote, urlsplit

from firnline.stores.errors import LocationError, OptionsError

REGION = "us-east-1"
"""Where nobody says another; servers that are not Amazon's seldom mind."""
_FORM = "s3://bucket/prefix"
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]")
_REGION = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,62}")
_LOOPBACK = re.compile(r"localhost|127(?:\.\d{1,3}){3}|::1")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_LONGEST = 400
"""Bytes of a prefix; a key has 1,024 at most."""


class S3Place(NamedTuple):
    """What a LOCATION says."""

    bucket: str
    prefix: str
    """Without slashes at the ends; '' for the whole bucket."""


class S3Address(NamedTuple):
    """Where a bucket is, and what of it is the store's."""

    scheme: str
    """`http` or `https`."""
    server: str
    """Host and port, as people write them."""
    root: str
    """The path of the bucket on that server, quoted; '' where its host names the bucket."""
    bucket: str
    prefix: str
    region: str

    @property
    def is_sealed(self) -> bool:
        """Nobody on the way can read along: TLS, or it does not leave this computer."""
        return self.scheme == "https" or is_loopback(self.server)

    @property
    def is_by_host(self) -> bool:
        """The host names the bucket (*virtual-hosted style*), and not the path."""
        return not self.root.endswith(f"/{quote(self.bucket)}")

    @property
    def endpoint(self) -> str:
        """Without the bucket, unless the host names it."""
        root = self.root if self.is_by_host else self.root[: -len(quote(self.bucket)) - 1]
        return f"{self.scheme}://{self.server}{root}"

    def key(self, path: str) -> str:
        """Of a file in the store."""
        return f"{self.prefix}/{path}" if self.prefix else path

    def directory_key(self, directory: str) -> str:
        """What the keys below a directory begin with; '' for a whole bucket."""
        key = self.key(directory) if directory else self.prefix
        return f"{key}/" if key else ""

    def target(self, key: str) -> str:
        """The path of a URL: of an object, or of the bucket for ''."""
        return f"{self.root}/{quote(key, safe='/')}" if key else self.root or "/"


def parse_s3(text: str) -> S3Place:
    """Raises LocationError, which never repeats the location: it may hold a secret."""
    try:
        parts = urlsplit(text)
        prefix = unquote(parts.path, errors="strict").strip("/")
        port = parts.port
    except ValueError as error:
        raise LocationError(f"an address of this form is needed: {_FORM}") from error
    if "@" in parts.netloc:
        raise LocationError("a location holds no keys: --option key_id=ID, and the secret is asked")
    if port is not None or not _is_bucket(parts.netloc):
        raise LocationError(
            f"an address of this form is needed: {_FORM} (the server is --option endpoint=URL)"
        )
    if parts.query or parts.fragment or text.endswith(("?", "#")):
        raise LocationError("? and # in a prefix are written as %3F and %23")
    if prefix and not _is_prefix(prefix):
        raise LocationError("a prefix has no empty part, no . or .., and no control characters")
    return S3Place(parts.netloc, prefix)


def _is_bucket(text: str) -> bool:
    return _BUCKET.fullmatch(text) is not None and ".." not in text


def _is_prefix(text: str) -> bool:
    if len(text.encode()) > _LONGEST or _CONTROL.search(text):
        return False
    return all(part not in ("", ".", "..") for part in text.split("/"))


def is_loopback(server: str) -> bool:
    """It does not leave this computer."""
    host = re.sub(r":\d+\Z", "", server).strip("[]")
    return _LOOPBACK.fullmatch(host) is not None


def resolve(place: S3Place, options: Mapping[str, str]) -> S3Address:
    """The bucket as `endpoint`, `region` and `path_style` of a store's settings say.

    Raises OptionsError for options that say nothing sensible, and for a line that everybody on the
    way could read, unless the user said with `unencrypted` that it may be one.
    """
    region = options.get("region") or REGION
    if not _REGION.fullmatch(region):
        raise OptionsError("", "the option region is no name of a region")
    given = options.get("endpoint")
    scheme, server, root = _endpoint(given or f"https://s3.{region}.amazonaws.com")
    by_path = _yes(options, "path_style", given is not None or "." in place.bucket)
    if by_path:
        root = f"{root}/{quote(place.bucket)}"
    elif not server.startswith(f"{place.bucket}."):
        server = f"{place.bucket}.{server}"
    address = S3Address(scheme, server, root, place.bucket, place.prefix, region)
    if not address.is_sealed and not _yes(options, "unencrypted", False):
        raise OptionsError(
            "",
            "an endpoint with http:// sends all content readable for everybody on the way:"
            " use https://, or say --option unencrypted=yes",
        )
    return address


def _endpoint(text: str) -> tuple[str, str, str]:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise OptionsError("", "the option endpoint is no URL") from None
    wrong = parts.username is not None or parts.query or parts.fragment
    if parts.scheme not in ("http", "https") or not parts.hostname or wrong:
        raise OptionsError("", "the option endpoint is to be https://host or https://host:port")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    plain = port is None or port == {"http": 80, "https": 443}[parts.scheme]
    return parts.scheme, host if plain else f"{host}:{port}", parts.path.rstrip("/")


def _yes(options: Mapping[str, str], name: str, default: bool) -> bool:
    text = options.get(name)
    if text not in (None, "yes", "no"):
        raise OptionsError("", f"the option {name} is yes or no")
    return default if text is None else text == "yes"
