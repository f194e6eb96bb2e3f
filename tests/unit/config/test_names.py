"""Which names stores, folders and devices may have."""

import os
import platform
from types import SimpleNamespace

import pytest

from firnline.config.names import (
    check_device_name,
    check_folder_name,
    check_random_id,
    check_store_name,
    default_device_name,
)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "empty"),
        ("a:b", '":"'),
        ("a/b", '"/"'),
        (" a", "space"),
        ("a ", "space"),
        ("a\nb", "control"),
        ("a\x1b[31m", "control"),
        ("photo\u202egpj", "control"),
        ("\ud800", "control"),
        ("a\u2028b", "control"),
        ("e\u0301", "NFC"),
        ("é" * 128, "255 bytes"),
    ],
)
@pytest.mark.parametrize("check", [check_store_name, check_folder_name])
def test_names_that_would_confuse_are_refused(check, name, reason):
    """A name that a command line, a terminal or another system would misread is refused."""
    with pytest.raises(ValueError, match=reason):
        check(name)


@pytest.mark.parametrize("name", ["nas", "my nas", "-x", "é" * 127, "Füße 2", "a.b", "$(x)", "%s"])
@pytest.mark.parametrize("check", [check_store_name, check_folder_name, check_device_name])
def test_ordinary_names_are_taken_as_they_are(check, name):
    """Any other line of text is a name, and stays as it is."""
    assert check(name) == name


@pytest.mark.parametrize("name", ["home", "Home", "HOME"])
def test_the_home_store_keeps_its_name(name):
    """No store takes the name of the home store, in whatever case; a folder may."""
    with pytest.raises(ValueError, match="home"):
        check_store_name(name)
    assert check_folder_name(name) == name


def test_a_device_may_have_separators_in_its_name():
    """A device's name is never part of a path or an address."""
    assert check_device_name("Ann's laptop: 2/3") == "Ann's laptop: 2/3"


@pytest.mark.parametrize(
    "text", ["", "0" * 15, "0" * 17, "w" * 16, "A" * 16, "٣" * 16, "0" * 15 + "\n"]
)
def test_ids_are_sixteen_characters_of_base32hex(text):
    """What is not 16 of 0-9 a-v is no id."""
    with pytest.raises(ValueError, match="16 characters"):
        check_random_id(text)
    assert check_random_id("0123456789abcuvv") == "0123456789abcuvv"


@pytest.mark.parametrize(
    ("computer", "name"),
    [("frost.example.org", "frost"), ("", "device"), ("\x1b\n", "device"), ("x" * 300, "x" * 63)],
)
def test_the_device_is_called_like_its_computer(monkeypatch, computer, name):
    """The default name is the computer's without its domain, and always one that is allowed."""
    monkeypatch.setattr(os, "uname", lambda: SimpleNamespace(nodename=computer), raising=False)
    assert default_device_name() == name
    monkeypatch.delattr(os, "uname")
    monkeypatch.setattr(platform, "node", lambda: computer)
    assert default_device_name() == name
    assert check_device_name(name) == name
