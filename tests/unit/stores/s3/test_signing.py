"""Signatures, by the examples that Amazon gives for S3."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firnline.stores.s3.keys import Keys
from firnline.stores.s3.signing import Request, sign

KEYS = Keys("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
HOST = "examplebucket.s3.amazonaws.com"
MOMENT = "20130524T000000Z"


@pytest.mark.parametrize(
    ("target", "query", "headers", "signature"),
    [
        (
            "/test.txt",
            {},
            {"range": "bytes=0-9"},
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
        ),
        (
            "/",
            {"lifecycle": ""},
            {},
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
        ),
        (
            "/",
            {"prefix": "J", "max-keys": "2"},
            {},
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
        ),
    ],
)
def test_examples(target, query, headers, signature):
    """*Signature Calculations for the Authorization Header*, with empty bodies."""
    signed = sign(Request("GET", HOST, target, query, headers), KEYS, "us-east-1", MOMENT)
    assert signed["authorization"].endswith(f"Signature={signature}")


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
def test_the_secret_stays_here(value: str):
    """Whatever is asked, no header has the secret, and each is one line."""
    request = Request("GET", HOST, "/", {"prefix": value}, {})
    signed = sign(request, KEYS, "us-east-1", MOMENT)
    for text in (*signed.values(), request.encoded_query):
        assert KEYS.secret not in text
        assert text.isprintable()
        assert text.isascii()
