"""Takes secrets out of what is written for people to read or to send along.

Programs and libraries put the address of a request, its headers, or their whole configuration into
messages and tracebacks. Whatever looks like a secret there is replaced, rather too much than too
little. Everything that leaves the program as a log goes through `redact`.
"""

import functools
import os
import re
import threading
from collections.abc import Iterable, Iterator, Mapping

SECRET_VARIABLE = "FIRNLINE_SECRET_"
"""How the names of environment variables begin that hold a store's secret."""
_SHORTEST = 4
"""Characters of a secret that is looked for by itself: a shorter one stands in every text."""
MARK = "[redacted]"

_QUOTED_VALUE = r""""(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'"""
_SEPARATOR = r"""\\?["']?\s*[:=,]\s*(?:b(?=["']))?"""


@functools.cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    """What to look for, and what stands there afterwards. Compiled when first needed: a start
    with nothing to say is to be quick."""
    flags = re.IGNORECASE | re.DOTALL
    words = "passw(?:or)?d|passphrase|secret|token|api[_-]?key|x-amz-"
    sources = (
        # A key file, also where its line ends are escaped or its end was cut off.
        (r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|\Z)", MARK),
        # Headers take the rest of the line, unless they are quoted.
        (
            rf"((?:authorization|cookie){_SEPARATOR})(?:{_QUOTED_VALUE}|[^\r\n]+)",
            rf"\1{MARK}",
        ),
        # name=value, name: value, 'name': 'value'
        (
            rf"((?:{words})[\w-]{{0,40}}{_SEPARATOR})(?:{_QUOTED_VALUE}|[^\s&,;)}}\]]+)",
            rf"\1{MARK}",
        ),
    )
    return tuple((re.compile(source, flags), mark) for source, mark in sources)


_learning = threading.Lock()
_learned: tuple[str, ...] = ()
"""All forms of the secrets that this process has read, the longest first."""


def learn(secret: str) -> None:
    """From now on `redact` replaces this secret wherever it stands: as it is, and as addresses,
    headers, JSON and dumps hold it. From any thread.

    One that is very short is not learnt: it would stand in every text, and tell more if it were
    replaced there.
    """
    global _learned
    if len(secret) < _SHORTEST:
        return
    with _learning:
        if secret not in _learned:
            _learned = tuple(_longest_first({*_learned, *forms_of(secret)}))


def forms_of(secret: str) -> set[str]:
    """`secret` as it is, percent-encoded, in base64 (also in the middle of what was encoded), in
    hexadecimal digits, and escaped as JSON and Python write it."""
    import json
    from urllib.parse import quote, quote_plus

    data = secret.encode("utf-8", "surrogateescape")
    quoted = {quote(data, safe=""), quote(data), quote_plus(data)}
    lower = {re.sub("%..", lambda match: match[0].lower(), each) for each in quoted}
    escaped = {json.dumps(secret)[1:-1], repr(secret)[1:-1], repr(data)[2:-1]}
    digits = {data.hex(), data.hex().upper()}
    found = {secret, *quoted, *lower, *escaped, *digits, *_in_base64(data)}
    return {each for each in found if len(each) >= _SHORTEST}


def _in_base64(data: bytes) -> Iterator[str]:
    """The letters of base64 that hold nothing but `data`, for each place where it may begin: as in
    `user:password` of a header."""
    from base64 import b64encode, urlsafe_b64encode

    for encode in (b64encode, urlsafe_b64encode):
        for before in range(3):
            letters = encode(bytes(before) + data).decode()
            found = letters[-(-before * 8 // 6) : (before + len(data)) * 8 // 6]
            # A part of three bytes is a common word of four letters.
            if len(found) > _SHORTEST:
                yield found


def redact(text: str, environment: Mapping[str, str] = os.environ) -> str:
    """`text` with the secrets in it replaced by MARK: passwords in addresses, Authorization and
    cookie headers, X-Amz-* parameters, private keys, values named password or the like, what was
    learnt, and the secrets of stores in the environment, wherever they stand."""
    for secret in _secrets_of(environment):
        text = text.replace(secret, MARK)
    for secret in _learned:
        text = text.replace(secret, MARK)
    if "://" in text and "@" in text:
        text = re.sub(r"\S+", _without_user, text)
    for pattern, mark in _patterns():
        text = pattern.sub(mark, text)
    return text


@functools.lru_cache(maxsize=64)
def _forms(secret: str) -> frozenset[str]:
    return frozenset(forms_of(secret))


def _secrets_of(environment: Mapping[str, str]) -> list[str]:
    """In all their forms, the longest first."""
    found = {
        form
        for name, value in environment.items()
        if name.startswith(SECRET_VARIABLE) and len(value) >= _SHORTEST
        for form in _forms(value)
    }
    return _longest_first(found)


def _longest_first(secrets: Iterable[str]) -> list[str]:
    return sorted(secrets, key=lambda secret: (-len(secret), secret))


def _without_user(word: re.Match[str]) -> str:
    """user:password@ of an address, where the password may hold "/" or "@"; and user@.

    Only what has an @ behind it is looked at, so that each start finds its end at once.
    """
    end = word[0].rfind("@") + 1
    pattern = r"://(?:[^/?#@:]*:.*@|[^/?#@]+@)"
    return re.sub(pattern, f"://{MARK}@", word[0][:end]) + word[0][end:]
