"""A line to a WebDAV server that breaks in the middle of a large body."""

import pytest
from tests.servers.relay import relay
from tests.servers.webdav import WebDavServer
from tests.servers.webdav_stores import new_base, on_webdav

from firnline.stores.errors import UnavailableError

BODY = bytes(range(256)) * 4096 * 8
HALF = len(BODY) // 2


def test_cut_on_the_way_up(apache: WebDavServer):
    """Half a body stands nowhere, and the same store writes it once the line is back."""
    with relay(apache.port) as line:
        store = on_webdav(apache.location(new_base(apache), line.port), "0" * 16)
        store.create("a", b"before")
        line.cut_up = line.up + HALF
        with store.upload() as upload:
            upload.write(BODY)
            with pytest.raises(UnavailableError):
                upload.commit("a")
        line.cut_up = None
        assert store.read_small("a", 10) == b"before"
        with store.upload() as upload:
            upload.write(BODY)
            upload.commit("a")
        assert store.size("a") == len(BODY)
        store.close()


def test_cut_on_the_way_down(apache: WebDavServer):
    """A body that breaks off raises, and the same store reads it once the line is back."""
    with relay(apache.port) as line:
        store = on_webdav(apache.location(new_base(apache), line.port), "0" * 16)
        with store.upload() as upload:
            upload.write(BODY)
            upload.commit("a")
        line.cut_down = line.down + HALF
        with store.open("a") as reader, pytest.raises(UnavailableError):
            reader.read(len(BODY))
        line.cut_down = None
        with store.open("a") as reader:
            assert reader.read(len(BODY) + 1) == BODY
        store.close()
