"""One process at a time holds a profile."""

import importlib.util
import os
import signal
import stat
import subprocess
import sys
import types

import pytest

from firnline.config import profile_lock
from firnline.config.profile_lock import ProfileBusy, ProfileLock

_HOLD = """
import sys
from pathlib import Path
from firnline.config.profile_lock import ProfileLock
with ProfileLock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the lock of `tmp_path`."""
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(tmp_path / "lock")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_second_process_is_told_who_holds_the_profile(tmp_path, holder):
    """While another process holds the profile, entering fails at once and names that process."""
    with pytest.raises(ProfileBusy, match=f"process {holder.pid}") as caught:
        ProfileLock(tmp_path / "lock").__enter__()
    assert caught.value.pid == holder.pid
    assert caught.value.path == tmp_path / "lock"


def test_a_killed_process_holds_nothing(tmp_path, holder):
    """SIGKILL frees the profile; the file that is left behind locks nothing."""
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert (tmp_path / "lock").read_text() == str(holder.pid)
    with ProfileLock(tmp_path / "lock"):
        assert (tmp_path / "lock").read_text() == str(os.getpid())


def test_a_process_that_ends_well_frees_the_profile(tmp_path, holder):
    """Leaving the context frees the profile, and no process id is left behind."""
    holder.communicate("")
    assert (tmp_path / "lock").read_text() == ""
    with ProfileLock(tmp_path / "lock"):
        pass


def test_a_second_lock_of_this_process_is_refused_too(tmp_path):
    """A profile is held once, by whomever; what held it can be entered again afterwards."""
    lock = ProfileLock(tmp_path / "lock")
    with lock, pytest.raises(ProfileBusy):
        ProfileLock(tmp_path / "lock").__enter__()
    with lock:
        pass


def test_aholder_that_cannot_be_told_is_named_without_a_number(tmp_path):
    """A lock file without a process id gives a message without one."""
    with ProfileLock(tmp_path / "lock"):
        (tmp_path / "lock").write_text("garbage")
        with pytest.raises(ProfileBusy, match="another Firnline holds") as caught:
            ProfileLock(tmp_path / "lock").__enter__()
    assert caught.value.pid is None


def test_the_lock_file_is_private(tmp_path):
    """Whatever the umask, other users can neither read nor lock it."""
    before = os.umask(0)
    try:
        with ProfileLock(tmp_path / "lock"):
            assert stat.S_IMODE((tmp_path / "lock").stat().st_mode) == 0o600
    finally:
        os.umask(before)


def test_a_link_in_place_of_the_lock_file_is_refused(tmp_path):
    """No file elsewhere is truncated because somebody put a link where the lock was."""
    (tmp_path / "precious").write_text("precious")
    (tmp_path / "lock").symlink_to(tmp_path / "precious")
    with pytest.raises(OSError, match="symbolic links"):
        ProfileLock(tmp_path / "lock").__enter__()
    assert (tmp_path / "precious").read_text() == "precious"


def test_a_full_disk_does_not_keep_the_program_from_starting(tmp_path, monkeypatch):
    """The lock is taken also when the process id cannot be written."""

    def no_space(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", no_space)
    with ProfileLock(tmp_path / "lock"), pytest.raises(ProfileBusy):
        ProfileLock(tmp_path / "lock").__enter__()


def test_leaving_a_lock_that_was_not_entered_does_nothing(tmp_path):
    """A context that failed to enter may be left all the same."""
    ProfileLock(tmp_path / "lock").__exit__(None, None, None)
    assert not (tmp_path / "lock").exists()


@pytest.fixture
def windows(monkeypatch):
    """The module as Windows would load it, over an msvcrt that notes what it is asked for."""
    calls: list[tuple[int, int, int]] = []

    def locking(descriptor, mode, count):
        calls.append((os.lseek(descriptor, 0, os.SEEK_CUR), mode, count))
        if len(calls) > 1:
            raise PermissionError(13, "Permission denied")

    msvcrt = types.SimpleNamespace(LK_NBLCK=2, locking=locking, calls=calls)
    monkeypatch.setitem(sys.modules, "msvcrt", msvcrt)
    monkeypatch.setattr(sys, "platform", "win32")
    spec = importlib.util.spec_from_file_location("profile_lock_on_windows", profile_lock.__file__)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module, msvcrt


def test_on_windows_one_byte_behind_the_process_id_is_locked(tmp_path, windows):
    """The process id stays readable for others, who are refused as elsewhere."""
    module, msvcrt = windows
    with module.ProfileLock(tmp_path / "lock"):
        with pytest.raises(module.ProfileBusy, match=f"process {os.getpid()}"):
            module.ProfileLock(tmp_path / "lock").__enter__()
        assert (tmp_path / "lock").read_text() == str(os.getpid())
    assert msvcrt.calls == [(1 << 30, 2, 1)] * 2


def test_a_file_system_without_locks_is_an_error(tmp_path, windows):
    """What is neither a lock nor a holder is not taken for one."""
    module, msvcrt = windows
    msvcrt.locking = lambda *arguments: os.lseek(-1, 0, 0)
    with pytest.raises(OSError, match="Bad file descriptor"):
        module.ProfileLock(tmp_path / "lock").__enter__()
