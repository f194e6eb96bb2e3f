"""A number of simulated lives in every run, the same ones each time, so that who changes nothing
breaks nothing. Other ones by hand, most of all before a release:

python3 packaging/dev.py simulate --seeds 1000 --from 388105
FIRNLINE_SEEDS=1000 FIRNLINE_FIRST_SEED=388105 python3 packaging/dev.py test tests/simulation
"""

import os
import re
import subprocess
import sys
from collections import Counter

import pytest

SEEDS = int(os.environ.get("FIRNLINE_SEEDS", "25"))
FIRST = int(os.environ.get("FIRNLINE_FIRST_SEED", "0"))


def simulate(*arguments: str) -> subprocess.CompletedProcess[str]:
    """As by hand: a process of its own, where sets have one order."""
    command = [sys.executable, "-m", "tests.simulation", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.timeout(3600)
def test_lives(tally: Counter[str]) -> None:
    """Whatever a seed brings, at its quiet points everything of section 10 holds."""
    done = simulate("--seeds", str(SEEDS), "--from", str(FIRST))
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr
    for count, kind in re.findall(r"([\d,]+) (seeds|simulated hours)", done.stdout):
        tally[kind] += int(count.replace(",", ""))


@pytest.mark.timeout(600)
def test_a_seed_is_a_life() -> None:
    """The same seed brings the same things to happen, to the last step; another one others."""
    once, again, other = (simulate("--seeds", "1", "--from", n, "--trace") for n in ["7", "7", "8"])
    lines = [run.stdout.splitlines()[:-1] for run in (once, again, other)]
    assert len(lines[0]) > 50
    assert lines[0] == lines[1]
    assert lines[0] != lines[2]


@pytest.mark.timeout(600)
def test_a_failure_is_told() -> None:
    """Who breaks a rule hears how it came, and how to see it again."""
    code = (
        "import os, sys; from unittest import mock; from firnline.sync import folder_pass;"
        "from tests.simulation import __main__ as simulation;"
        "mock.patch.object(folder_pass, 'resolve_all', lambda *a: 0).start();"
        "sys.exit(simulation.main(['--seeds', '6']))"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 1
    assert "replay: python -m tests.simulation --seeds 1 --from " in done.stdout
    assert "--- quiet" in done.stdout
