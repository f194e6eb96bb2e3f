"""Runs one command, and says how long it took, when its writes were durable, and its peak memory.

A program of its own, started anew for every measurement, for two reasons. The kernel counts the
memory of whoever starts a program towards the peak of the program itself: this one has 9 MiB
whatever the benchmark holds, and less than that is never measured. And it drops the page cache
after its own start, so that what Python reads to start is not in the cache when a measured Python
program starts.

    python -I -S stopwatch.py cold|warm DIRECTORY COMMAND...

The last line on standard output is JSON: exit code, seconds until the command ended (`wall`),
seconds until the file system of DIRECTORY was in sync (`durable`), peak resident memory in bytes
(the largest of the command and what it started, not their sum), and whether the cache was dropped.
Programs that run keep the pages they map: dropping does not reach the interpreter's own.
"""

import json
import os
import sys
import time

DROP_CACHES = "/proc/sys/vm/drop_caches"
RSS_UNIT = 1 if sys.platform == "darwin" else 1024
"""Bytes in one unit of `ru_maxrss`: getrusage(2) of the two systems."""


def drop_caches() -> bool:
    """Forgets clean pages, names and inodes; false where that is not allowed."""
    try:
        with open(DROP_CACHES, "w", encoding="ascii") as switch:
            switch.write("3")
    except OSError:
        return False
    return True


def run(command: list[str]) -> tuple[int, int]:
    """Runs it without input and output; its exit code and its peak memory in bytes."""
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
    ]
    child = os.posix_spawnp(command[0], command, os.environ, file_actions=actions)
    _, status, usage = os.wait4(child, 0)
    return os.waitstatus_to_exitcode(status), usage.ru_maxrss * RSS_UNIT


def sync_file_system(directory: str) -> None:
    """Writes back the file system of the directory; all of them where `sync` cannot do one."""
    code, _ = run(["sync", "-f", directory])
    if code != 0:
        os.sync()


def main(argv: list[str]) -> int:
    cache, directory, *command = argv
    # What others have written is not to be charged to this command, and only clean pages can go.
    os.sync()
    dropped = cache == "cold" and drop_caches()
    start = time.perf_counter()
    code, rss = run(command)
    wall = time.perf_counter() - start
    sync_file_system(directory)
    durable = time.perf_counter() - start
    print(json.dumps([code, wall, durable, rss, dropped]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
