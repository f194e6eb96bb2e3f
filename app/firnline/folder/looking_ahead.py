"""Looking at folders on a cold disk before the pass does, in a process of its own.

On a computer that was just started, or that has done other things since, a pass waits for the
disk: for the program's own modules, for its tables, for each directory and inode of the folder.
One after the other these waits take longer than all the work, though the disk could answer while
the processor works, and a second processor could make the system's inodes of what it answers. So
where the program itself is not in memory, a copy of this process goes through the folders while
this one is still loaded, and what the pass then asks for is there. A thread would not do: it takes
the interpreter's lock for each file.

The copy changes nothing, says nothing and takes nothing, and has ended when the block is left;
what it cannot read is left to the pass to tell. Only where the system says what is in memory
(Linux); where the program is, nothing is done but to ask.
"""

import os
import signal
import stat
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from operator import attrgetter

_TABLE_BYTES = 64 * 2**20
"""Of a table; the whole of it for some hundred thousand files."""
_CHANGED = 1000
"""Contents that are asked for: with more of them the pass itself does so while it reads."""
_CHANGED_BYTES = 2**20
"""Of one file."""
_name = attrgetter("name")

Stopped = Callable[[], bool]


@contextmanager
def looking_ahead(module: str, look: Callable[[Stopped], None]) -> Iterator[None]:
    """Inside, a copy of this process runs `look`, unless the file `module` is in memory.

    `look` is given what to ask from time to time: whether nobody wants it any more.
    """
    copy = None if is_in_memory(module) else _start(look)
    try:
        yield
    finally:
        if copy is not None:
            # Nothing of it may outlive the command: its handles would keep a disk mounted.
            os.kill(copy, signal.SIGKILL)
            os.waitpid(copy, 0)


def is_in_memory(path: str) -> bool:
    """False when the middle of the file would have to come from the disk.

    True where there is no such file, and where the system does not say. To ask may be to have
    some of it fetched.
    """
    flag = getattr(os, "RWF_NOWAIT", None)
    if flag is None:
        return True
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return True
    try:
        os.preadv(descriptor, [bytearray(1)], os.fstat(descriptor).st_size // 2, flag)
    except BlockingIOError:
        return False
    except OSError:
        # This file system cannot say.
        return True
    finally:
        os.close(descriptor)
    return True


def _start(look: Callable[[Stopped], None]) -> int | None:
    """The process that looks; None when there can be none."""
    if threading.active_count() > 1:
        # The copy of a process with threads could wait for ever for a lock that one of them had.
        return None
    parent = os.getpid()
    try:
        copy = os.fork()
    except OSError:
        return None
    if copy == 0:
        _be_the_copy(look, parent)
    return copy


def _be_the_copy(look: Callable[[Stopped], None], parent: int) -> None:
    """Never returns: what comes after in this program is for the other process to do."""
    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        # Whoever reads our output must not wait for this process to end.
        for descriptor in range(3):
            with suppress(OSError):
                os.close(descriptor)
        look(lambda: os.getppid() != parent)
    finally:
        os._exit(0)


def ask_for(paths: Iterable[str]) -> None:
    """Files, and all files in directories, are on their way into memory."""
    for path in paths:
        try:
            names = os.listdir(path)
        except NotADirectoryError:
            _ask(path, _CHANGED_BYTES)
        except OSError:
            continue
        else:
            for name in names:
                _ask(f"{path}/{name}", _CHANGED_BYTES)


def look_at(root: str, table: str, stopped: Stopped) -> None:
    """A folder's database, its directories, inodes, and what was changed since the database was,
    in the order in which the pass wants them. Nothing where the database is in memory.

    `stopped` is asked at each directory.
    """
    if is_in_memory(table):
        return
    _ask(table, _TABLE_BYTES)
    since, left = _written(table), _CHANGED
    waiting = [root]
    while waiting and not stopped():
        directories = []
        with suppress(OSError), os.scandir(waiting.pop()) as entries:
            for entry in sorted(entries, key=_name):
                if entry.is_dir(follow_symlinks=False):
                    directories.append(entry.path)
                elif entry.stat(follow_symlinks=False).st_mtime > since and left:
                    left -= 1
                    _ask_for_changed(entry)
        waiting += reversed(directories)


def _written(path: str) -> float:
    try:
        return os.stat(path).st_mtime
    except OSError:
        return float("inf")


def _ask_for_changed(entry: os.DirEntry[str]) -> None:
    # To open a pipe or a device may do something to it.
    if stat.S_ISREG(entry.stat(follow_symlinks=False).st_mode):
        _ask(entry.path, _CHANGED_BYTES)


def _ask(path: str, length: int) -> None:
    """The system fetches the file's content, and nobody waits for it."""
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW)
        try:
            os.posix_fadvise(descriptor, 0, length, os.POSIX_FADV_WILLNEED)
        finally:
            os.close(descriptor)
