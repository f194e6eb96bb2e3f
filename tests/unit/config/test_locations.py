"""Where a store may be."""

import os
from pathlib import Path

import pytest

from firnline.config.locations import StoreKind, check_location, store_directory, store_kind


@pytest.mark.parametrize(
    ("location", "directory"),
    [
        ("/mnt/nas", "/mnt/nas"),
        ("/mnt/with space/%20", "/mnt/with space/%20"),
        ("file:///mnt/nas", "/mnt/nas"),
        ("FILE:///mnt/nas", "/mnt/nas"),
        ("file://localhost/mnt/nas", "/mnt/nas"),
        ("file:///mnt/with%20space/%3F%23", "/mnt/with space/?#"),
        ("file:///mnt/caf%C3%A9", "/mnt/café"),
    ],
)
def test_a_path_and_a_file_url_name_a_directory(location, directory):
    """A path is taken as it is; a file URL is decoded."""
    assert check_location(location) == location
    assert store_kind(location) is StoreKind.DIRECTORY
    assert store_directory(location) == Path(directory)


def test_a_file_url_can_name_what_is_not_unicode():
    """Bytes that are no UTF-8 come through percent-encoding as the system's own file names."""
    assert os.fsencode(store_directory("file:///mnt/%FF")) == b"/mnt/\xff"


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("", "absolute path"),
        ("mnt/nas", "absolute path"),
        ("~/nas", "absolute path"),
        ("file:/mnt", "absolute path"),
        ("/mnt/\x1b[0m", "control"),
        ("/mnt\n", "control"),
        ("file://nas/share", "third slash"),
        ("file:///mnt?x", "%3F"),
        ("file:///mnt#x", "%23"),
        ("file://", "absolute path"),
        ("file:///mnt/%00", "absolute path"),
        ("gopher://user:canary@host/x", "gopher://"),
    ],
)
def test_other_locations_are_refused_without_repeating_secrets(location, reason):
    """A location that cannot be used is refused with the reason, and no password is repeated."""
    with pytest.raises(ValueError, match=reason) as caught:
        check_location(location)
    assert "canary" not in str(caught.value)
