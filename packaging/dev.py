"""Sets up a checkout and does its chores, from nothing but Python 3.11 or later.

    python3 packaging/dev.py run [ARGUMENT...]    Firnline, without the tools of developers
    python3 packaging/dev.py test                 every check and all tests, with coverage
    python3 packaging/dev.py test ARGUMENT...     pytest with these arguments, nothing else
    python3 packaging/dev.py lint                 the checks without the tests
    python3 packaging/dev.py bench [ARGUMENT...]  the benchmark of tests/bench
    python3 packaging/dev.py soak [ARGUMENT...]   three devices and three stores for an hour
                                                    (--always-on: with `firnline run`)
    python3 packaging/dev.py simulate [ARGUMENT...]  lives of devices by seed: tests/simulation

Assumes: the standard library (Debian's package pythonX.Y-venv is installed where it is missing and
apt-get may be used), and a network the first time and whenever uv.lock has changed. Promises: all
it makes lies in .venv and .venv-uv in the checkout, in exactly the versions of uv.lock; the exit
code is that of the first check that failed; with `run`, standard output is Firnline's alone.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

UV_VERSION = "0.13.9"
ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
UV_VENV = ROOT / ".venv-uv"
STAMP = VENV / "firnline-setup.json"
WINDOWS = os.name == "nt"

# A program that each part of .venv brings: tells what is there, whoever put it there.
PROBES = {"run": "firnline", "dev": "pytest", "bench": "rclone"}

CHECKS: dict[str, list[str]] = {
    "Lint": ["ruff", "check", "."],
    "Format": ["ruff", "format", "--check", "."],
    "Types": ["mypy"],
    "Layers": ["lint-imports", "--no-logo"],
}
TESTS: dict[str, list[str]] = {
    "Tests": [
        "pytest",
        "--numprocesses=auto",
        "--dist=loadgroup",
        "--cov",
        "--cov-report=term-missing:skip-covered",
    ],
    "Coverage": ["python", "packaging/coverage_gate.py"],
}


def main(arguments: list[str]) -> int:
    """Carry out one verb; returns the exit code."""
    verb, rest = (arguments[0], arguments[1:]) if arguments else ("", [])
    if verb == "run":
        set_up("run")
        return become([program("firnline"), *rest])
    if verb == "bench":
        set_up("run", "bench")
        return become([program("python"), str(ROOT / "tests" / "bench" / "run.py"), *rest])
    if verb == "soak":
        set_up("run")
        return become([program("python"), str(ROOT / "tests" / "soak" / "run.py"), *rest])
    if verb == "simulate":
        set_up("run", "dev")
        return become([program("python"), "-m", "tests.simulation", *rest])
    if verb == "lint" and not rest:
        set_up("run", "dev")
        return check(CHECKS)
    if verb == "test":
        set_up("run", "dev")
        return check({"Tests": ["pytest", *rest]} if rest else {**CHECKS, **TESTS})
    say(__doc__.split("\n\n")[1])
    return 0 if verb in ("-h", "--help", "help") else 2


def check(checks: dict[str, list[str]]) -> int:
    """Run the checks one after another up to the first that fails; its exit code, or 0."""
    for title, (name, *rest) in checks.items():
        print(f"\n===== {title}: {' '.join([name, *rest])}", flush=True)
        code = subprocess.run([program(name), *rest], cwd=ROOT, env=environment()).returncode
        if code != 0:
            say(f"\n{title} failed (exit code {code}).")
            return code
    return 0


def become(command: list[str]) -> int:
    """Run a program in our place: signals and exit code are its own."""
    sys.stdout.flush()
    if not WINDOWS:
        os.execve(command[0], command, environment())
    with subprocess.Popen(command, env=environment()) as process:
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:
                continue  # The program got the Ctrl-C as well and says when it is done.


def set_up(*parts: str) -> None:
    """Bring .venv to what uv.lock says, with the dependency groups of `parts` and those it has.

    Does nothing, and needs no network, when a stamp says that all of it is there.
    """
    stamp = {"root": str(ROOT), "key": fingerprint()}
    done = read_stamp()
    if done.get("root", stamp["root"]) != stamp["root"]:
        shutil.rmtree(VENV)  # Moved or copied with its checkout: its programs name the old place.
    python = Path(program("python"))  # Not there, too, when the Python it points to is gone.
    present = {part for part, probe in PROBES.items() if Path(program(probe)).exists()}
    if done == stamp and python.exists() and present.issuperset(parts):
        return
    say(f"Setting up {VENV} ...")
    STAMP.unlink(missing_ok=True)
    groups = [f"--group={part}" for part in sorted(present.union(parts)) if part != "run"]
    # With another path uv would make .venv anew, under the feet of whatever runs in it.
    interpreter = python if python.exists() else sys.executable
    sync = ["sync", "--locked", "--no-default-groups", f"--python={interpreter}", *groups]
    require([uv(), *sync], "uv could not set up .venv; its message stands above.")
    STAMP.write_text(json.dumps(stamp))


def fingerprint() -> str:
    """Stands for everything that decides what .venv has to hold."""
    digest = hashlib.sha256(UV_VERSION.encode())
    for name in ("uv.lock", "pyproject.toml"):
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def read_stamp() -> dict[str, str]:
    """What the last set-up wrote, empty when there was none that came to its end."""
    try:
        stamp = json.loads(STAMP.read_bytes())
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def uv() -> str:
    """The path of uv in its pinned version, put into an environment of its own."""
    path = executable(UV_VENV, "uv")
    marker = UV_VENV / "firnline-uv-version"
    if marker.exists() and marker.read_text() == UV_VERSION and path.exists():
        return str(path)
    provide_venv()
    made = [sys.executable, "-m", "venv", "--clear", str(UV_VENV)]
    require(made, f"Python could not make an environment in {UV_VENV}.")
    pip = [str(executable(UV_VENV, "python")), "-m", "pip", "--disable-pip-version-check"]
    require([*pip, "install", "--quiet", f"uv=={UV_VERSION}"], "pip could not install uv.")
    marker.write_text(UV_VERSION)
    return str(path)


def provide_venv() -> None:
    """Debian keeps part of `venv` in a package of its own: install it where that is allowed."""
    if has_venv():
        return
    package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
    advice = (
        f"Python's own venv module is incomplete here. Please install it, on Debian and Ubuntu by\n"
        f"    sudo apt-get update && sudo apt-get install -y {package}\n"
        f"and start this again."
    )
    prefix = root_prefix()
    if prefix is None:
        raise SystemExit(advice)
    say(f"Installing {package}, which brings Python's venv module ...")
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    require([*prefix, "apt-get", "-q", "update"], advice, quiet)
    install = ["apt-get", "-q", "install", "-y", "--no-install-recommends", package]
    require([*prefix, *install], advice, quiet)
    importlib.invalidate_caches()
    if not has_venv():
        raise SystemExit(advice)


def has_venv() -> bool:
    """Whether `python -m venv` can make an environment that has pip."""
    return all(importlib.util.find_spec(name) is not None for name in ("venv", "ensurepip"))


def root_prefix() -> list[str] | None:
    """What to write before apt-get; None where there is no apt-get or it is not ours to use."""
    if WINDOWS or shutil.which("apt-get") is None:
        return None
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") is None:
        return None
    return ["sudo"] if sys.stdin is not None and sys.stdin.isatty() else ["sudo", "-n"]


def require(command: list[str], failure: str, extra: dict[str, str] | None = None) -> None:
    """Run a step of the set-up, its output on standard error; exits with `failure` if it fails."""
    try:
        env = {**environment(), **(extra or {})}
        code = subprocess.run(command, cwd=ROOT, env=env, stdout=sys.stderr).returncode
    except OSError as error:
        raise SystemExit(f"{command[0]}: {error.strerror}\n{failure}") from error
    if code != 0:
        raise SystemExit(failure)


def environment() -> dict[str, str]:
    """Ours, with .venv first: no other environment and no other Python is taken instead."""
    changed = {
        "UV_PROJECT_ENVIRONMENT": str(VENV),
        "UV_PYTHON_DOWNLOADS": "never",
        "VIRTUAL_ENV": str(VENV),
    }
    # Compiled code is kept, whatever the user's own habit: the checkout's .venv is nobody else's.
    kept = {name: v for name, v in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, **changed}


def program(name: str) -> str:
    """The path of a program in .venv."""
    return str(executable(VENV, name))


def executable(venv: Path, name: str) -> Path:
    """The path of a program in an environment, whether or not it is there."""
    return venv / "Scripts" / f"{name}.exe" if WINDOWS else venv / "bin" / name


def say(text: str) -> None:
    """Tell the user, without touching standard output."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    # Up to here an old Python, which macOS may have, must be able to read this file.
    if sys.hexversion < 0x030B0000:
        sys.exit(
            f"Firnline needs Python 3.11 or later; {sys.executable} is {sys.version.split()[0]}.\n"
            "Debian 12 has it as python3; on macOS: brew install python@3.13; "
            "on Windows: winget install Python.Python.3.13"
        )
    sys.exit(main(sys.argv[1:]))
