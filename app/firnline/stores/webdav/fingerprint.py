"""SHA-256 fingerprints of certificates, as people compare them. Pure."""

import re

from firnline.stores.errors import DeniedError

_PREFIX = "SHA256:"


def show_fingerprint(digest: bytes) -> str:
    """As `openssl x509 -fingerprint -sha256` and browsers write it."""
    return _PREFIX + digest.hex(":").upper()


def parse_fingerprint(text: str) -> bytes:
    """With or without `SHA256:`, colons and spaces, in any case. Raises DeniedError."""
    plain = text.strip()
    if plain.upper().startswith(_PREFIX):
        plain = plain[len(_PREFIX) :]
    plain = re.sub(r"[:\s]", "", plain)
    if not re.fullmatch(r"[0-9A-Fa-f]{64}", plain):
        raise DeniedError("", "the option fingerprint is not a SHA-256 in hexadecimal")
    return bytes.fromhex(plain)
