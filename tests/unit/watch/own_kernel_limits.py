"""Run with `unshare --user --map-root-user --mount`: limits and mounts of a namespace of its own.

Prints, a line each, what two watchers say of it: one for whom the table of watches is full, and
one whose file system is unmounted under it, below its root first.
"""

import subprocess
import sys
from pathlib import Path

from tests.unit.watch.listening import Listener, watching


def full_table(root: Path) -> None:
    for number in range(20):
        (root / f"d{number}").mkdir(parents=True)
    limit = Path("/proc/sys/user/max_inotify_watches")
    before = limit.read_text()
    limit.write_text("10")
    watcher = watching(root, Listener())
    watcher.start()
    say(f"full: {watcher.works} {watcher.why_not}")
    watcher.close()
    limit.write_text(before)


def unmounted(root: Path) -> None:
    root.mkdir()
    mount(root)
    (root / "inner").mkdir()
    mount(root / "inner")
    listener = Listener()
    watcher = watching(root, listener)
    watcher.start()
    subprocess.run(["umount", root / "inner"], check=True)
    listener.wait(lambda: listener.everything)
    say(f"inner: {watcher.works}")
    (root / "inner" / "what was hidden").write_text("")
    listener.wait_for("inner/what was hidden")
    listener.clear()
    subprocess.run(["umount", root], check=True)
    listener.wait(lambda: listener.everything)
    say(f"root: {watcher.works} {watcher.why_not}")
    watcher.close()


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def mount(place: Path) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "none", place], check=True)


if __name__ == "__main__":
    full_table(Path(sys.argv[1]) / "full")
    unmounted(Path(sys.argv[1]) / "unmounted")
