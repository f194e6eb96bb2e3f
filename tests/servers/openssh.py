"""OpenSSH's sshd, with keys of its own, for the user who runs the tests.

Only keys log in: passwords of system users are nobody's business here (`rclone_sftp` has them).
"""

import getpass
import os
import shutil
import subprocess
from pathlib import Path

from tests.servers.process import HOST, ServerProcess, free_port

SSHD = "/usr/sbin/sshd"
PASSPHRASE = "open sesame"


class OpenSsh:
    """A server over one directory for its files and keys. `start` it, and `stop` it."""

    def __init__(self, place: Path, extra: str = "") -> None:
        self.place = place
        self.user = getpass.getuser()
        self.host_key = make_key(place / "host_key")
        self.key = make_key(place / "user_key")
        self.sealed_key = make_key(place / "sealed_key", PASSPHRASE)
        self.strange_key = make_key(place / "strange_key")
        keys = [f"{key}.pub" for key in (self.key, self.sealed_key)]
        authorized = place / "authorized_keys"
        authorized.write_text("".join(Path(key).read_text() for key in keys))
        port = free_port()
        config = place / "sshd_config"
        config.write_text(
            f"ListenAddress {HOST}\nPort {port}\nHostKey {self.host_key}\n"
            f"AuthorizedKeysFile {authorized}\nPidFile {place / 'pid'}\n"
            "UsePAM no\nStrictModes no\nPasswordAuthentication no\n"
            "KbdInteractiveAuthentication no\nPermitRootLogin yes\nMaxStartups 100\n"
            f"UseDNS no\nPrintMotd no\nSubsystem sftp internal-sftp\n{extra}"
        )
        command = [SSHD, "-D", "-e", "-f", str(config)]
        self._server = ServerProcess(command, port, place / "log")
        self.port = port

    def start(self) -> None:
        if os.geteuid() == 0:
            # Where the system did not start its own server since it came up; .ci/run makes it, too.
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        self._server.start()

    def stop(self) -> None:
        self._server.stop()

    @property
    def fingerprint(self) -> str:
        return fingerprint_of(self.host_key)

    def known_hosts(self, file: Path, port: int | None = None) -> Path:
        """A file of known hosts that has this server."""
        key = " ".join(Path(f"{self.host_key}.pub").read_text().split()[:2])
        file.write_text(f"[{HOST}]:{port or self.port} {key}\n")
        return file

    def change_host_key(self) -> None:
        """From the next start on it is another server, as far as anybody can tell."""
        for name in (self.host_key, f"{self.host_key}.pub"):
            Path(name).unlink()
        make_key(Path(self.host_key))


def make_key(file: Path, passphrase: str = "") -> str:
    """The path of a new ed25519 key; the public one is beside it."""
    keygen = shutil.which("ssh-keygen") or "ssh-keygen"
    command = [keygen, "-q", "-t", "ed25519", "-N", passphrase, "-C", "test", "-f", str(file)]
    subprocess.run(command, check=True)
    return str(file)


def fingerprint_of(key: str) -> str:
    """Of a key, as ssh-keygen writes it."""
    done = subprocess.run(["ssh-keygen", "-l", "-f", f"{key}.pub"], capture_output=True, check=True)
    return done.stdout.decode().split()[1]
