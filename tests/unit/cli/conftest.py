"""A command line in this process: quicker than a new one for each command."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from tests.doubles.profile import Profile, believed

from firnline.cli.main import main


class Shell:
    """Commands on the profile of `profile`; what they write is kept until it is asked for."""

    def __init__(self, profile: Profile, capsys: pytest.CaptureFixture[str]) -> None:
        self.profile = profile
        self._capsys = capsys
        self.out = ""
        self.err = ""

    def __call__(self, *arguments: str, code: int = 0) -> str:
        """Standard output of one command; its exit code has to be `code`."""
        self._capsys.readouterr()
        place = str(self.profile.base / "profile")
        with patch("firnline.engine.store_commands.probe", believed):
            found = main(["--profile", place, *arguments])
        self.out, self.err = self._capsys.readouterr()
        assert found == code, (arguments, self.out, self.err)
        return self.out

    def document(self, *arguments: str) -> Any:
        return json.loads(self(*arguments, "--json"))


Shells = Callable[[str], Shell]


@pytest.fixture
def shells(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shells:
    """A device of that name, without stores or folders."""

    def make(name: str) -> Shell:
        shell = Shell(Profile(tmp_path / name), capsys)
        shell("config", "set", "device.name", name)
        return shell

    return make


@pytest.fixture
def anna(shells: Shells) -> Shell:
    return shells("anna")


@pytest.fixture
def docs(anna: Shell, tmp_path: Path) -> Shell:
    """Anna, with the synced folder `docs` of one file, a.txt, in the store `nas`."""
    anna("store", "add", "nas", str(tmp_path / "nas"))
    anna("folder", "create", str(anna.profile.folder), "--name", "docs")
    anna.profile.write("a.txt", "first\n")
    anna("sync")
    return anna
