"""Where a store may be."""

import pytest

from firnline.config.locations import check_location, scheme_of


@pytest.mark.parametrize("location", ["/mnt/nas", "/a b/%20", "file:///mnt/nas", "FILE:///mnt/nas"])
def test_a_path_and_a_file_url_are_locations(location):
    """A path and a file URL are taken as they are, and are of the same kind."""
    assert check_location(location) == location
    assert scheme_of(location) == "file"


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("", "absolute path"),
        ("mnt/nas", "absolute path"),
        ("~/nas", "absolute path"),
        ("file:/mnt", "absolute path"),
        ("/mnt/\0", "NUL"),
        ("file:///mnt/\0", "NUL"),
        ("gopher://user:canary@host/x", "gopher:// stores, only a path or file://"),
    ],
)
def test_other_locations_are_refused_without_repeating_secrets(location, reason):
    """A location that cannot be used is refused with the reason, and no password is repeated."""
    with pytest.raises(ValueError, match=reason) as caught:
        check_location(location)
    assert "canary" not in str(caught.value)
