"""`rclone serve sftp`: a weak store on purpose, where nothing is exclusive. It takes a password."""

import sysconfig
from pathlib import Path

from tests.servers.openssh import fingerprint_of, make_key
from tests.servers.process import HOST, ServerProcess, free_port

USER = "somebody"
PASSWORD = "canary-9f2e-sftp"


def program() -> str:
    """The program that the development dependencies bring."""
    return str(Path(sysconfig.get_path("scripts")) / "rclone")


class RcloneSftp:
    """A server over one directory, `files` below `place`. `start` it, and `stop` it."""

    def __init__(self, place: Path, password: str = PASSWORD) -> None:
        self.place = place
        self.files = place / "files"
        self.files.mkdir()
        self.port = free_port()
        self.host_key = make_key(place / "host_key")
        command = [
            *(program(), "serve", "sftp", str(self.files), "--addr", f"{HOST}:{self.port}"),
            *("--user", USER, "--pass", password, "--config", "/dev/null"),
            *(
                "--key",
                self.host_key,
                "--cache-dir",
                str(place / "cache"),
            ),
        ]
        env = {"HOME": str(place), "PATH": "/usr/bin:/bin"}
        self._server = ServerProcess(command, self.port, place / "log", env)

    def start(self) -> None:
        self._server.start()

    def stop(self) -> None:
        self._server.stop()

    @property
    def fingerprint(self) -> str:
        return fingerprint_of(self.host_key)
