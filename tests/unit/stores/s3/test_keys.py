"""Who asks: keys from the settings, and from the profiles of Amazon's programs."""

from pathlib import Path

import pytest

from firnline.stores.errors import CredentialsError, OptionsError
from firnline.stores.s3.address import S3Place
from firnline.stores.s3.keys import Keys, keys_by, read_profile
from firnline.stores.s3.store import Account

CANARY = "canary-5e1d"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """With both files."""
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "credentials").write_text(
        f"[work]\naws_access_key_id = ID\naws_secret_access_key = {CANARY}%/\n"
        f"[guest]\naws_access_key_id=G\naws_secret_access_key=g\naws_session_token=T\n"
    )
    (tmp_path / ".aws" / "config").write_text(
        "[default]\nregion = x\n[profile work]\nregion = eu-west-1\n"
        "[profile sso]\nsso_session = s\n"
    )
    return tmp_path


def test_pair(home):
    """A key_id goes with the store's secret."""
    assert keys_by({"key_id": "ID"}, lambda: "secret", None) == Keys("ID", "secret")


def test_profiles(home):
    """Keys and the region come from the two files; keys that run out are refused."""
    work = read_profile("work", {}, home)
    assert work["region"] == "eu-west-1"
    assert keys_by({"profile": "work"}, lambda: None, work) == Keys("ID", f"{CANARY}%/")
    guest = read_profile("guest", {}, home)
    with pytest.raises(CredentialsError, match="run out"):
        keys_by({"profile": "guest"}, lambda: None, guest)


def test_files_elsewhere(home, tmp_path):
    """Where they are can be said, as to Amazon's programs."""
    other = tmp_path / "other"
    other.write_text("[p]\naws_access_key_id=1\naws_secret_access_key=2\n")
    found = read_profile("p", {"AWS_SHARED_CREDENTIALS_FILE": str(other)}, home)
    assert found["aws_access_key_id"] == "1"


def test_what_is_missing(home):
    """No secret, no profile of that name, one without keys, nothing said at all."""
    with pytest.raises(CredentialsError, match="not known"):
        keys_by({"key_id": "ID"}, lambda: None, None)
    with pytest.raises(CredentialsError, match="no profile"):
        read_profile("nobody", {}, home)
    with pytest.raises(CredentialsError, match="no pair of keys"):
        keys_by({"profile": "sso"}, lambda: None, read_profile("sso", {}, home))
    with pytest.raises(OptionsError, match="who asks"):
        keys_by({}, lambda: "secret", None)


def test_a_broken_file(home):
    """Its lines are not repeated: one of them may be a secret."""
    (home / ".aws" / "credentials").write_text(f"[work\n{CANARY}\n")
    with pytest.raises(CredentialsError, match="cannot be read") as caught:
        read_profile("work", {}, home)
    assert CANARY not in str(caught.value)


def test_what_a_profile_says_of_the_server(home, monkeypatch):
    """Its region and endpoint are used where the store's options name no other."""
    config = home / "config"
    config.write_text(
        "[profile nas]\naws_access_key_id = ID\naws_secret_access_key = s\nregion = here\n"
        "endpoint_url = https://nas.example\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(home / "none"))
    place = S3Place("bucket", "")
    said = Account(place, {"profile": "nas"}, lambda: None)
    assert (said.address.endpoint, said.address.region) == ("https://nas.example", "here")
    assert said.keys == Keys("ID", "s")
    other = Account(place, {"profile": "nas", "region": "there"}, lambda: None)
    assert (other.address.endpoint, other.address.region) == ("https://nas.example", "there")
