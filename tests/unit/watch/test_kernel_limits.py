"""Full tables and unmounted file systems for real, where this user may have namespaces."""

import functools
import os
import subprocess
import sys
from pathlib import Path

import pytest

APART = ["unshare", "--user", "--map-root-user", "--mount"]
TOP = Path(__file__).parents[3]


@functools.cache
def may_be_apart() -> bool:
    try:
        tried = [*APART, "sh", "-c", 'mount -t tmpfs none "$1"', "sh", str(TOP)]
        return subprocess.run(tried, capture_output=True).returncode == 0
    except OSError:
        return False


@pytest.mark.skipif(not may_be_apart(), reason="needs user namespaces")
def test_what_the_kernel_does(tmp_path):
    """A full table: not at all, with the setting that helps. A file system that is unmounted below
    the root: everything, and what it hid is watched then. The root's own: the end."""
    command = [*APART, sys.executable, "-m", "tests.unit.watch.own_kernel_limits", str(tmp_path)]
    path = os.pathsep.join([str(TOP / "app"), str(TOP)])
    env = {**os.environ, "PYTHONPATH": path}
    done = subprocess.run(command, capture_output=True, text=True, cwd=TOP, env=env)
    assert done.returncode == 0, done.stderr
    full, inner, root = done.stdout.splitlines()
    assert full.startswith("full: False")
    assert "fs.inotify.max_user_watches" in full
    assert inner == "inner: True"
    assert root == "root: False it was removed, moved or unmounted"
