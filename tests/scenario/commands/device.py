"""A device as a user or a script meets it: real processes on a real profile.

No Qt can be imported in these processes: a `sitecustomize` in their path refuses it.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import firnline

APP = Path(firnline.__file__).parent.parent
NO_QT = """\
import sys


class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("PySide6", "shiboken6", "qasync"):
            raise ImportError(f"{name} is refused")
        return None


sys.meta_path.insert(0, Refuse())
"""


class Device:
    """A profile, a folder, and the command line."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.folder = base / "docs"
        self.folder.mkdir(parents=True)
        (base / "site").mkdir()
        (base / "site" / "sitecustomize.py").write_text(NO_QT)
        self.environment = {
            key: value for key, value in os.environ.items() if not key.startswith("COV")
        } | {
            "PYTHONPATH": f"{base / 'site'}{os.pathsep}{APP}",
            "FIRNLINE_PROFILE": str(base / "profile"),
            "TZ": "IST-5:30",
        }

    def run(
        self, *arguments: str, code: int = 0, **environment: str
    ) -> "subprocess.CompletedProcess[bytes]":
        """One command; its exit code has to be `code`."""
        done = subprocess.run(
            self.command(*arguments),
            env=self.environment | environment,
            cwd=self.base,
            capture_output=True,
            timeout=25,
        )
        assert done.returncode == code, (arguments, done.stdout, done.stderr)
        return done

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "firnline", *arguments]

    def text(self, *arguments: str, code: int = 0) -> str:
        return self.run(*arguments, code=code).stdout.decode()

    def complaint(self, *arguments: str, code: int) -> str:
        """What a command that fails says; its standard output has to be empty."""
        done = self.run(*arguments, code=code)
        assert done.stdout == b"", done.stdout
        return done.stderr.decode()

    def document(self, *arguments: str) -> Any:
        return json.loads(self.text(*arguments, "--json"))

    def records(self, *arguments: str) -> list[Any]:
        return [json.loads(line) for line in self.text(*arguments, "--json").splitlines()]

    def write(self, path: str, text: str) -> None:
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def read(self, path: str) -> str:
        return (self.folder / path).read_text()
