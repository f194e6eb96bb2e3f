"""The servers of `tests/bench/remote.py`: where a store on each is, for Firnline and for rclone."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from tests.servers import s3, webdav
from tests.servers.openssh import OpenSsh
from tests.servers.process import HOST
from tests.servers.rclone_sftp import program
from tests.servers.s3 import BUCKET, SeaweedFs
from tests.servers.webdav import Apache, Nginx

NAME = "far"
"""What the store is called."""


class Server(Protocol):
    """One that is measured over."""

    @property
    def port(self) -> int: ...

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def location(self, place: Path, port: int) -> tuple[str, Mapping[str, str]]:
        """Of a store of its own for `place`, and its options."""
        ...

    def secret(self) -> str | None:
        """What the store asks for."""
        ...

    def remote(self, place: Path, port: int) -> str:
        """The same for rclone, in another directory."""
        ...


def _fresh() -> str:
    """A directory that nobody has used yet."""
    return os.urandom(8).hex()


class SftpServer:
    """OpenSSH, with a key."""

    def __init__(self, place: Path) -> None:
        self._server = OpenSsh(place)
        self.port = self._server.port
        self.start = self._server.start
        self.stop = self._server.stop

    def location(self, place: Path, port: int) -> tuple[str, Mapping[str, str]]:
        server = self._server
        options = {"key": str(server.key), "fingerprint": server.fingerprint}
        return f"sftp://{server.user}@{HOST}:{port}{place}/store", options

    def secret(self) -> str | None:
        return None

    def remote(self, place: Path, port: int) -> str:
        known = self._server.known_hosts(place / "known_hosts", port)
        return (
            f":sftp,host={HOST},port={port},user={self._server.user},"
            f"key_file={self._server.key},known_hosts_file={known},"
            # Else it starts the user's shell on the server for each file, to hash it there.
            f"disable_hashcheck=true,shell_type=none:{place}/rclone"
        )


class WebDav:
    """Apache with Basic, since rclone knows no Digest; or nginx."""

    def __init__(self, server: webdav.WebDavServer) -> None:
        self._server = server
        self.port = server.port
        self.start = server.start
        self.stop = server.stop

    def location(self, place: Path, port: int) -> tuple[str, Mapping[str, str]]:
        return self._server.location(_fresh(), port), {}

    def secret(self) -> str | None:
        return webdav.PASSWORD

    def remote(self, place: Path, port: int) -> str:
        hidden = [program(), "obscure", webdav.PASSWORD]
        password = subprocess.run(hidden, capture_output=True, text=True, check=True).stdout.strip()
        return f":webdav,url='http://{HOST}:{port}/{_fresh()}',user={webdav.USER},pass={password}:"


class BasicApache(Apache):
    """See WebDav."""

    auth = "basic"


class S3:
    """SeaweedFS."""

    def __init__(self, place: Path) -> None:
        self._server = SeaweedFs(place)
        self.port = self._server.port
        self.start = self._server.start
        self.stop = self._server.stop

    def location(self, place: Path, port: int) -> tuple[str, Mapping[str, str]]:
        return f"s3://{BUCKET}/{_fresh()}", self._server.options(port)

    def secret(self) -> str | None:
        return s3.SECRET

    def remote(self, place: Path, port: int) -> str:
        return (
            f":s3,provider=SeaweedFS,access_key_id={s3.KEY_ID},secret_access_key='{s3.SECRET}',"
            f"endpoint='http://{HOST}:{port}',no_check_bucket=true:{BUCKET}/{_fresh()}"
        )


def make(kind: str, place: Path) -> Server:
    """A server that is not started yet."""
    if kind == "sftp":
        return SftpServer(place)
    if kind == "s3":
        return S3(place)
    return WebDav(BasicApache(place) if kind == "apache" else Nginx(place))


KINDS = ("sftp", "apache", "nginx", "s3")


def environment(server: Server) -> dict[str, str]:
    """Of Firnline, with what the store asks for."""
    secret = server.secret()
    given = {} if secret is None else {f"FIRNLINE_SECRET_{NAME.upper()}": secret}
    return {**os.environ, **given}
