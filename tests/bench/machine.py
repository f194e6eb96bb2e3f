"""The facts without which a measured number says little: machine, file system, versions."""

import os
import platform
from pathlib import Path

from tests.bench.trees import MIB


def facts(directory: Path) -> dict[str, str]:
    """What to print above the table; `directory` is where the measured trees lie."""
    return {
        "processor": f"{processor()}, {cores()} cores",
        "memory": f"{memory() // MIB:,} MiB",
        "file system": file_system(directory),
        "kernel": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "load at start": " ".join(f"{load:.2f}" for load in os.getloadavg()),
    }


def cores() -> int:
    """How many this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def processor() -> str:
    """The model as Linux names it, else the architecture."""
    for line in read_lines("/proc/cpuinfo"):
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()


def file_system(directory: Path) -> str:
    """Type and device of the mount that holds the directory, as /proc/self/mounts has them."""
    inside = directory.resolve()
    best, found = -1, "unknown"
    for line in read_lines("/proc/self/mounts"):
        device, mount, kind, *_ = line.split()
        # Spaces and a few more are written as octal escapes: proc(5), fstab(5).
        point = Path(mount.encode().decode("unicode_escape"))
        if inside.is_relative_to(point) and len(point.parts) >= best:
            best, found = len(point.parts), f"{kind} on {device}"
    return found


def read_lines(path: str) -> list[str]:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
