"""Takes secrets out of what is written for people to read or to send along.

Programs and libraries put the address of a request, its headers, or their whole configuration into
messages and tracebacks. Whatever looks like a secret there is replaced, rather too much than too
little. Everything that leaves the program as a log goes through `redact`.
"""

import functools
import os
import re
from collections.abc import Iterator, Mapping

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


def redact(text: str, environment: Mapping[str, str] = os.environ) -> str:
    """`text` with the secrets in it replaced by MARK: passwords in addresses, Authorization and
    cookie headers, X-Amz-* parameters, private keys, values named password or the like, and the
    secrets of stores in the environment, wherever they stand."""
    for secret in _secrets_of(environment):
        text = text.replace(secret, MARK)
    if "://" in text and "@" in text:
        text = re.sub(r"\S+", _without_user, text)
    for pattern, mark in _patterns():
        text = pattern.sub(mark, text)
    return text


def _secrets_of(environment: Mapping[str, str]) -> Iterator[str]:
    """The longest first, each as it is and as an address would hold it."""
    found = {
        value
        for name, value in environment.items()
        if name.startswith(SECRET_VARIABLE) and len(value) >= _SHORTEST
    }
    if not found:
        return
    from urllib.parse import quote

    both = found | {quote(value, safe="", errors="surrogateescape") for value in found}
    yield from sorted(both, key=lambda secret: (-len(secret), secret))


def _without_user(word: re.Match[str]) -> str:
    """user:password@ of an address, where the password may hold "/" or "@"; and user@.

    Only what has an @ behind it is looked at, so that each start finds its end at once.
    """
    end = word[0].rfind("@") + 1
    pattern = r"://(?:[^/?#@:]*:.*@|[^/?#@]+@)"
    return re.sub(pattern, f"://{MARK}@", word[0][:end]) + word[0][end:]
