"""GNOME's keyring under a D-Bus of its own, with a home of its own: nobody's secrets are touched.

The bus starts nothing by itself: where the keyring has died there is none, and where it is locked
nobody is asked to unlock it.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from tests.servers.process import ServerError

PASSWORD = b"canary-3b1f-keyring"
_PATIENCE = 20.0
_STEP = 0.02
_CONFIG = """\
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""


class GnomeKeyring:
    """A bus with a keyring. `start` it, and `stop` it; the keyring alone may die and come back."""

    def __init__(self, place: Path) -> None:
        """`place` has a short name: it holds sockets."""
        self.place = place
        self._bus: subprocess.Popen[bytes] | None = None
        self._keyring: subprocess.Popen[bytes] | None = None
        self.environment = {
            "DBUS_SESSION_BUS_ADDRESS": f"unix:path={place / 'bus'}",
            "XDG_RUNTIME_DIR": str(place / "run"),
        }

    def start(self) -> None:
        """Both, unlocked. Raises ServerError."""
        (self.place / "run").mkdir(mode=0o700)
        config = self.place / "bus.conf"
        config.write_text(_CONFIG.format(socket=self.place / "bus"))
        self._bus = self._run(["dbus-daemon", f"--config-file={config}", "--nofork", "--nopidfile"])
        self._until((self.place / "bus").exists, self._bus)
        self.revive()

    def stop(self) -> None:
        """Both, and all that they left."""
        self.die()
        bus, self._bus = self._bus, None
        if bus is not None:
            bus.kill()
            bus.wait()
        shutil.rmtree(self.place, ignore_errors=True)

    def revive(self, *, locked: bool = False) -> None:
        """Start the keyring, with what it kept before. Raises ServerError."""
        command = ["gnome-keyring-daemon", "--foreground", "--components=secrets"]
        if not locked:
            command.append("--unlock")
        self._keyring = self._run(command, subprocess.PIPE)
        assert self._keyring.stdin is not None
        with self._keyring.stdin as stdin:
            stdin.write(b"" if locked else PASSWORD)
        self._until(self._answers, self._keyring)

    def die(self) -> None:
        """The keyring is gone at once; the bus stays."""
        keyring, self._keyring = self._keyring, None
        if keyring is not None:
            keyring.kill()
            keyring.wait()

    def forget(self) -> None:
        """All that it kept, while it does not run."""
        shutil.rmtree(self.place / "data")

    @contextmanager
    def silent(self) -> Iterator[None]:
        """Inside, the keyring is there and answers nobody."""
        assert self._keyring is not None
        self._keyring.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._keyring.send_signal(signal.SIGCONT)

    def entries(self) -> dict[str, str]:
        """What is in it: secrets by the user name of the entry."""
        import secretstorage

        with self._connection() as connection:
            collection = secretstorage.get_default_collection(connection)
            items = list(collection.get_all_items())
            return {item.get_attributes()["username"]: item.get_secret().decode() for item in items}

    def _answers(self) -> bool:
        import secretstorage
        from secretstorage.exceptions import SecretStorageException

        with suppress(OSError, SecretStorageException), self._connection() as connection:
            return secretstorage.check_service_availability(connection)
        return False

    @contextmanager
    def _connection(self) -> Iterator[object]:
        from jeepney.io.blocking import open_dbus_connection

        connection = open_dbus_connection(self.environment["DBUS_SESSION_BUS_ADDRESS"])
        try:
            yield connection
        finally:
            connection.close()

    def _run(
        self, command: list[str], stdin: int = subprocess.DEVNULL
    ) -> "subprocess.Popen[bytes]":
        with open(self.place / "log", "ab") as log:
            return subprocess.Popen(
                command,
                stdin=stdin,
                stdout=log,
                stderr=log,
                env={
                    "PATH": os.environ["PATH"],
                    "HOME": str(self.place),
                    "XDG_DATA_HOME": str(self.place / "data"),
                    **self.environment,
                },
                start_new_session=True,
            )

    def _until(self, condition: object, process: "subprocess.Popen[bytes]") -> None:
        assert callable(condition)
        end = time.monotonic() + _PATIENCE
        while not condition():
            if process.poll() is not None or time.monotonic() > end:
                said = (self.place / "log").read_text(errors="replace")
                self.stop()
                raise ServerError(f"the keyring: {said}")
            time.sleep(_STEP)


@pytest.fixture(scope="session")
def _gnome_keyring() -> Iterator[GnomeKeyring]:
    keyring = GnomeKeyring(Path(tempfile.mkdtemp(prefix="fkr-")))
    keyring.start()
    yield keyring
    keyring.stop()


@pytest.fixture
def gnome_keyring(_gnome_keyring: GnomeKeyring) -> Iterator[GnomeKeyring]:
    """GNOME's keyring, running, unlocked and empty. A test may let it die, or lock it."""
    yield _gnome_keyring
    _gnome_keyring.die()
    _gnome_keyring.forget()
    _gnome_keyring.revive()
