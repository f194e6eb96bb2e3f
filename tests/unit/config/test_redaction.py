"""Secrets are taken out of what is written for people."""

import json
from base64 import b64encode, urlsafe_b64encode
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firnline.config import redaction
from firnline.config.redaction import MARK, learn, redact

KEY = """-----BEGIN OPENSSH PRIVATE KEY-----
canary
canary
-----END OPENSSH PRIVATE KEY-----"""


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("sftp://ann:canary@host/x", f"sftp://{MARK}@host/x"),
        ("webdavs://ann:can@ry/canary@host/x", f"webdavs://{MARK}@host/x"),
        ("https://canary@host/x?a=b", f"https://{MARK}@host/x?a=b"),
        ("https://:canary@host", f"https://{MARK}@host"),
        ("two: a://u:canary@b and c://u:canary@d", f"two: a://{MARK}@b and c://{MARK}@d"),
        ("Authorization: Basic canary==", f"Authorization: {MARK}"),
        ("authorization=Bearer canary, canary\nnext", f"authorization={MARK}\nnext"),
        ("{'Authorization': 'Basic canary', 'a': 1}", f"{{'Authorization': {MARK}, 'a': 1}}"),
        ('{"Proxy-Authorization":"Basic canary"}', f'{{"Proxy-Authorization":{MARK}}}'),
        ("[(b'authorization', b'Basic canary')]", f"[(b'authorization', b{MARK})]"),
        ('{\\"Cookie\\": \\"a=canary\\"}', f'{{\\"Cookie\\": {MARK}'),
        ("Cookie: a=canary; b=canary", f"Cookie: {MARK}"),
        ("Set-Cookie: sid=canary; Path=/", f"Set-Cookie: {MARK}"),
        ("'Cookie': 'quo\\'canary' x", f"'Cookie': {MARK} x"),
        (
            "?X-Amz-Credential=canary%2Fus&X-Amz-Signature=canary&a=b",
            f"?X-Amz-Credential={MARK}&X-Amz-Signature={MARK}&a=b",
        ),
        ("x-amz-security-token: canary", f"x-amz-security-token: {MARK}"),
        ("password=canary user=ann", f"password={MARK} user=ann"),
        ("connect(password='can ary', port=22)", f"connect(password={MARK}, port=22)"),
        ('{"secret_key": "canary", "a": 1}', f'{{"secret_key": {MARK}, "a": 1}}'),
        ("FIRNLINE_SECRET_NAS=canary", f"FIRNLINE_SECRET_NAS={MARK}"),
        ("api_key: canary", f"api_key: {MARK}"),
        ("Passphrase: canary", f"Passphrase: {MARK}"),
        (f"key\n{KEY}\nrest", f"key\n{MARK}\nrest"),
        (repr(KEY), f"'{MARK}'"),
        (KEY[:45], MARK),
        (KEY.replace("OPENSSH ", ""), MARK),
    ],
)
def test_secrets_are_replaced(text, redacted):
    """What gives a secret away is replaced, what stands around it stays."""
    assert redact(text) == redacted
    assert "canary" not in redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "copied /home/ann/a@b.txt to nas",
        "sftp://host/dir, then file:///mnt/nas",
        "2026-11-22T08:26:00.123456Z INFO firnline.sync: pass ended: 3 up, 4 down",
        "mail ann@example.org about https://example.org/x",
        "-----BEGIN CERTIFICATE-----",
        "the password was refused",
    ],
)
def test_what_is_no_secret_stays(text):
    """Ordinary messages are not touched."""
    assert redact(text) == text


@given(
    st.text(st.characters(exclude_categories=["Z", "C"]), min_size=1),
    st.sampled_from(
        [
            "sftp://ann:{}@host/x",
            "'url': 'sftp://ann:{}@host/x'",
            "Authorization: Basic {}",
            "Authorization: Basic {} {}",
            "cookie={}",
            "-----BEGIN PRIVATE KEY-----\n{}",
        ]
    ),
)
def test_no_part_of_a_secret_is_left(secret, form):
    """Whatever characters a secret has, its form gives it away and nothing of it is left."""
    marked = f"canary{secret}canary"
    assert "canary" not in redact(form.replace("{}", marked))


def test_secrets_of_the_environment():
    """The values of FIRNLINE_SECRET_* are hidden wherever they stand, as they are and quoted for
    an address; a value of three letters is not, since it stands in every text."""
    environment = {
        "FIRNLINE_SECRET_NAS": "canary/1 ä",
        "FIRNLINE_SECRET_USB": "canary/1 ä and more",
        "FIRNLINE_SECRET_S": "abc",
        "HOME": "/home/ann",
    }
    text = "<canary/1 ä and more> <canary/1 ä> <canary%2F1%20%C3%A4> abc /home/ann"
    assert redact(text, environment) == f"<{MARK}> <{MARK}> <{MARK}> abc /home/ann"


@pytest.mark.parametrize(
    "text",
    [
        "://a:",
        "@://a:",
        "://a/@",
        "password",
        "x-amz-",
        "cookie='",
        "-----BEGIN ",
        "a@b",
        "secret=",
    ],
)
def test_long_texts_are_redacted_in_passing(text):
    """A megabyte of beginnings costs its length, not its square: else it would take hours."""
    long = text * (1_000_000 // len(text))
    assert 0 < len(redact(long)) < 2 * len(long)


@pytest.fixture
def nothing_learnt(monkeypatch):
    monkeypatch.setattr(redaction, "_learned", ())


@pytest.mark.usefixtures("nothing_learnt")
@pytest.mark.parametrize(
    "secret", ["canary", "can/ary+ä %", "c\"an'a\\ry", "ca\tnary", "canary\udcff", "  canary  "]
)
def test_what_was_learnt_is_replaced_in_every_form(secret):
    """As it is, and as addresses, headers, JSON, dumps and Python write it."""
    data = secret.encode("utf-8", "surrogateescape")
    texts = [
        secret,
        quote(data, safe=""),
        quote(data, safe="").lower(),
        quote_plus(data),
        data.hex(),
        data.hex().upper(),
        json.dumps(secret)[1:-1],
        repr(secret)[1:-1],
        repr(data)[2:-1],
    ]
    learn(secret)
    learn(secret)
    for text in texts:
        shown = redact(f"before {text}, after", {})
        assert shown == f"before {MARK}, after"


@pytest.mark.usefixtures("nothing_learnt")
@given(st.text(st.characters(exclude_categories=["C"]), max_size=5), st.text(max_size=5))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_learnt_secret_is_found_in_base64(before, after):
    """Wherever it begins in what was encoded: a header has the user before it."""
    learn("canary of a password")
    for encode in (b64encode, urlsafe_b64encode):
        text = encode(f"{before}canary of a password{after}".encode()).decode()
        shown = redact(text, {})
        # Three letters at each end at most hold a part of it, and of what stands beside it.
        assert MARK in shown
        assert len(shown) - len(MARK) <= len(text) - 24


@pytest.mark.usefixtures("nothing_learnt")
def test_a_short_secret_is_not_learnt():
    """It would stand in every text, and tell itself by what is missing there."""
    learn("a")
    learn("")
    assert redact("a man", {}) == "a man"


@pytest.mark.usefixtures("nothing_learnt")
def test_the_longer_of_two_secrets_is_replaced_first():
    """Nothing is left of one that begins with another."""
    learn("canary")
    learn("canary and more")
    assert redact("<canary and more> <canary>", {}) == f"<{MARK}> <{MARK}>"
