"""How a server wants to be told who asks (RFC 7617 *Basic*, RFC 7616 *Digest*). Pure."""

import base64
import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

_HASHES: Mapping[str, Callable[[bytes], str]] = {
    "SHA-256": lambda data: hashlib.sha256(data).hexdigest(),
    "MD5": lambda data: hashlib.md5(data, usedforsecurity=False).hexdigest(),
}
"""The best first."""
_SCHEME = re.compile(r"\s*([A-Za-z][A-Za-z0-9-]*)(?:\s+|\s*$)(?!=)")
_FIELD = re.compile(
    r'\s*([A-Za-z][A-Za-z0-9-]*)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*))\s*(?:,|$)'
)
_LONGEST = 8_192


class Challenge(NamedTuple):
    """One of the ways that a server offers."""

    scheme: str
    """In lower case."""
    fields: Mapping[str, str]
    """Names in lower case."""


def parse_challenges(headers: Iterable[str]) -> list[Challenge]:
    """All that the `WWW-Authenticate` headers offer; what cannot be read is left out."""
    found: list[Challenge] = []
    for header in headers:
        if len(header) <= _LONGEST:
            found += _parse(header)
    return found


def _parse(header: str) -> list[Challenge]:
    found: list[Challenge] = []
    fields: dict[str, str] = {}
    position = 0
    while position < len(header):
        if match := _FIELD.match(header, position):
            value = match[3] if match[2] is None else re.sub(r"\\(.)", r"\1", match[2])
            fields[match[1].lower()] = value
        elif match := _SCHEME.match(header, position):
            fields = {}
            found.append(Challenge(match[1].lower(), fields))
        else:
            break
        position = match.end()
    return found


class Basic:
    """User and password as they are: only over a line that nobody reads along."""

    def __init__(self, user: str, password: str) -> None:
        token = base64.b64encode(f"{user}:{password}".encode()).decode()
        self._header = f"Basic {token}"

    def header(self, method: str, target: str) -> str:
        """What `Authorization` says, for any request."""
        return self._header


class Digest:
    """Proves that the password is known, without telling it."""

    def __init__(
        self, user: str, password: str, fields: Mapping[str, str], random: Callable[[int], bytes]
    ) -> None:
        """`fields`: of a challenge that `choose` found usable."""
        algorithm = fields.get("algorithm", "MD5")
        self._hash = _HASHES[_plain(algorithm)]
        self._fields = {"realm": fields.get("realm", ""), "nonce": fields["nonce"]}
        self._extra = f", algorithm={algorithm}" if "algorithm" in fields else ""
        if "opaque" in fields:
            self._extra += f', opaque="{_quoted(fields["opaque"])}"'
        self._with_qop = "qop" in fields
        self._user = user
        self._cnonce = random(8).hex()
        first = self._digest(user, self._fields["realm"], password)
        session = algorithm.lower().endswith("-sess")
        self._first = self._digest(first, fields["nonce"], self._cnonce) if session else first
        self._count = 0

    def _digest(self, *parts: str) -> str:
        return self._hash(":".join(parts).encode())

    def header(self, method: str, target: str) -> str:
        """What `Authorization` says; `target` is the path of the URL, as it is sent."""
        self._count += 1
        second, nonce, extra = self._digest(method, target), self._fields["nonce"], self._extra
        if self._with_qop:
            count = f"{self._count:08x}"
            answer = self._digest(self._first, nonce, count, self._cnonce, "auth", second)
            extra += f', qop=auth, nc={count}, cnonce="{self._cnonce}"'
        else:
            answer = self._digest(self._first, nonce, second)
        fields = {"username": self._user, **self._fields, "uri": target, "response": answer}
        named = ", ".join(f'{name}="{_quoted(value)}"' for name, value in fields.items())
        return f"Digest {named}{extra}"


Proof = Basic | Digest


def choose(
    challenges: list[Challenge],
    user: str,
    password: str,
    random: Callable[[int], bytes],
    *,
    sealed: bool,
) -> Proof | None:
    """The best of what is offered: Digest, else Basic where the line is `sealed`."""
    digests = [each.fields for each in challenges if each.scheme == "digest" and _usable(each)]
    for name in _HASHES:
        for fields in digests:
            if _plain(fields.get("algorithm", "MD5")) == name:
                return Digest(user, password, fields, random)
    if sealed and any(each.scheme == "basic" for each in challenges):
        return Basic(user, password)
    return None


def is_stale(challenges: list[Challenge]) -> bool:
    """The password was right, only the server's number is used up."""
    return any(each.fields.get("stale", "").lower() == "true" for each in challenges)


def _usable(challenge: Challenge) -> bool:
    fields = challenge.fields
    offered = [each.strip().lower() for each in fields.get("qop", "auth").split(",")]
    known = _plain(fields.get("algorithm", "MD5")) in _HASHES
    return bool(fields.get("nonce")) and "auth" in offered and known


def _plain(algorithm: str) -> str:
    return algorithm.upper().removesuffix("-SESS")


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
