"""Servers of S3: SeaweedFS, and rclone as a weak one. Both check who asks."""

import json
import signal
import time
from contextlib import suppress
from pathlib import Path
from sysconfig import get_path

from tests.servers.process import HOST, ServerError, ServerProcess, free_port

from firnline.stores.errors import DeniedError, NotFoundError, UnavailableError
from firnline.stores.s3.address import parse_s3
from firnline.stores.s3.store import Account, require_bucket

KEY_ID = "FIRNLINETESTS"
SECRET = "canary-7d25-s3/secret+key"
BUCKET = "bucket"
_PATIENCE = 20.0
_STEP = 0.05


class S3Server:
    """A server with one bucket. `start` it, and `stop` it."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.port = free_port()
        self._server = ServerProcess(self.command(), self.port, place / "log", end=signal.SIGKILL)

    def command(self) -> list[str]:
        """What starts it in the foreground."""
        raise NotImplementedError

    def start(self) -> None:
        self._server.start()

        end = time.monotonic() + _PATIENCE
        while not self._has_bucket():
            if time.monotonic() > end:
                self.stop()
                raise ServerError("no bucket")
            time.sleep(_STEP)

    def _has_bucket(self) -> bool:
        """Some make it a moment after they take connections."""
        place = parse_s3(f"s3://{BUCKET}")
        with suppress(UnavailableError, NotFoundError, DeniedError):
            require_bucket(Account(place, self.options(), lambda: SECRET))
            return True
        return False

    def stop(self) -> None:
        self._server.stop()

    def options(self, port: int | None = None) -> dict[str, str]:
        """Of a store on it; `port`: of a relay before it."""
        return {"endpoint": f"http://{HOST}:{port or self.port}", "key_id": KEY_ID}


class SeaweedFs(S3Server):
    """Keeps to conditions, and to the limit of 1,000 names."""

    def command(self) -> list[str]:
        identities = self.place / "identities.json"
        credentials = [{"accessKey": KEY_ID, "secretKey": SECRET}]
        rights = ["Admin", "Read", "Write", "List"]
        known = [{"name": "tests", "credentials": credentials, "actions": rights}]
        identities.write_text(json.dumps({"identities": known}))
        # Whatever is not named listens on a fixed port.
        ports = {"s3.port": self.port, "s3.port.iceberg": 0, "s3.port.lance": 0}
        for name in ("master", "volume", "filer", "s3", "admin"):
            ports.setdefault(f"{name}.port", free_port())
            ports[f"{name}.port.grpc"] = free_port()
        return [
            *(_script("weed"), "mini", f"-dir={self.place}", f"-ip={HOST}", f"-ip.bind={HOST}"),
            *(f"-bucket={BUCKET}", "-admin.ui=false", "-webdav=false"),
            f"-s3.config={identities}",
            *(f"-{name}={port}" for name, port in ports.items()),
        ]


class RcloneS3(S3Server):
    """`rclone serve s3`: ignores conditions, and knows nothing of unfinished uploads."""

    def command(self) -> list[str]:
        files = self.place / "files"
        (files / BUCKET).mkdir(parents=True, exist_ok=True)
        return [
            *(_script("rclone"), "serve", "s3", str(files), "--addr", f"{HOST}:{self.port}"),
            *("--auth-key", f"{KEY_ID},{SECRET}", "--config", "/dev/null"),
        ]


def _script(name: str) -> str:
    """A program that the development dependencies bring."""
    return str(Path(get_path("scripts")) / name)
