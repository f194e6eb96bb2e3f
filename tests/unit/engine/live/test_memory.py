"""What a process that runs for weeks holds after a busy moment."""

import platform
import subprocess
import sys

import pytest

BUSY = """
import gc, threading
from pathlib import Path
from firnline.engine.live.memory import CYCLES, stay_small

def held():
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("RssAnon")).split()[1]) * 1024

stay_small()
assert gc.get_threshold() == CYCLES
kept = []

def work():
    bodies = []
    for number in range(40):
        bodies.append(bytearray(b"x") * 300_000)
        kept.append(bytearray(1000))
        # Of the last ones that were freed the C library learns how large buffers are.
        if number % 2:
            del bodies[0]

before = held()
for _ in range(3):
    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
print(held() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="about the C library of most Linux")
def test_large_buffers_of_many_threads_are_given_back() -> None:
    """Eight threads at a time have some megabytes each, between small things that stay."""
    done = subprocess.run([sys.executable, "-c", BUSY], capture_output=True, check=True)
    assert int(done.stdout) < 5 * 2**20
