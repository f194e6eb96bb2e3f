"""Profiles, and what a command imports."""

import subprocess
import sys
from pathlib import Path

from tests.scenario.commands.device import Device


def test_option_beats_environment(anna: Device, tmp_path: Path) -> None:
    """--profile names the profile, whatever the environment says."""
    other = tmp_path / "other"
    assert anna.text("--profile", str(other), "folder", "list") == ""
    assert other.is_dir()
    assert anna.document("folder", "list") != []


def test_first_command_makes_a_private_profile(anna: Device, tmp_path: Path) -> None:
    """Nobody else can look into it."""
    anna.run("--profile", str(tmp_path / "new"), "status")
    made = [tmp_path / "new", *(tmp_path / "new").rglob("*")]
    assert [path for path in made if path.stat().st_mode & 0o077] == []


def test_nothing_to_do_imports_little(anna: Device) -> None:
    """A pass without work starts quickly, since it leaves out what only other work needs."""
    anna.run("sync")
    code = (
        "import sys; from firnline.cli.main import main; assert main(['sync']) == 0;"
        "print(*sorted(m for m in sys.modules if '.' not in m))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=anna.environment, capture_output=True, timeout=25
    )
    loaded = set(done.stdout.decode().splitlines()[-1].split())
    assert not loaded & {
        *("tomlkit", "tqdm", "platformdirs", "pathspec", "asyncio", "ctypes", "difflib"),
        *("ssl", "socket", "subprocess", "tempfile", "email", "PySide6"),
        *("keyring", "secretstorage", "cryptography", "getpass"),
    }


def test_unusual_python_warnings_are_none(anna: Device) -> None:
    """Nothing leaks: no file is left open, nothing old is used."""
    anna.write("a.txt", "a")
    done = anna.run("sync", PYTHONWARNINGS="error", PYTHONDEVMODE="1")
    assert done.stderr == b""
    assert anna.run("cat", "docs:a.txt", PYTHONWARNINGS="error", PYTHONDEVMODE="1").stderr == b""
