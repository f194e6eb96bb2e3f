"""How a request proves who asks: *Signature Version 4* of Amazon, in its headers. Pure.

The secret itself is never sent.
"""

import hashlib
import hmac
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import quote

from firnline.stores.s3.keys import Keys

_METHOD = "AWS4-HMAC-SHA256"
EMPTY = hashlib.sha256(b"").hexdigest()


class Request(NamedTuple):
    """What is signed; its body is empty."""

    method: str
    host: str
    target: str
    """The path, quoted."""
    query: Mapping[str, str]
    headers: Mapping[str, str]
    """Those beyond what signing adds; names in small letters."""

    @property
    def encoded_query(self) -> str:
        """As it is sent, and signed."""
        pairs = (
            (quote(name, safe=""), quote(value, safe="")) for name, value in self.query.items()
        )
        return "&".join(f"{name}={value}" for name, value in sorted(pairs))


def sign(request: Request, keys: Keys, region: str, moment: str) -> dict[str, str]:
    """All headers to be sent. `moment`: UTC, as `20261123T003126Z`."""
    headers = {
        **request.headers,
        "host": request.host,
        "x-amz-content-sha256": EMPTY,
        "x-amz-date": moment,
    }
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{' '.join(headers[name].split())}\n" for name in sorted(headers))
    whole = "\n".join((request.method, request.target, request.encoded_query, lines, names, EMPTY))
    scope = f"{moment[:8]}/{region}/s3/aws4_request"
    text = "\n".join((_METHOD, moment, scope, hashlib.sha256(whole.encode()).hexdigest()))
    key = f"AWS4{keys.secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    proof = f"Credential={keys.key_id}/{scope}, SignedHeaders={names}, Signature={signature}"
    return {**headers, "authorization": f"{_METHOD} {proof}"}
