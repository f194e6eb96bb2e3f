"""Hearing that there is a network again: the kernel's reports, made by hand and by the kernel."""

import errno
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from struct import pack
from unittest.mock import patch

import pytest

from firnline.engine.system import SystemClock
from firnline.watch import network
from firnline.watch.network import Interfaces, NetworkWatch

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")

NEW_LINK, LINK_GONE, NEW_ADDRESS, ADDRESS_GONE, DONE = 16, 17, 20, 21, 3
GLOBAL, OF_LINK, OF_HOST = 0, 253, 254
RUNNING, TENTATIVE, ANSWER = 0x40, 0x40, 0x2


def message(kind: int, body: bytes, flags: int = 0) -> bytes:
    whole = pack("=IHHII", 16 + len(body), kind, flags, 0, 0) + body
    return whole + bytes(-len(whole) % 4)


def address(
    text: str = "10.1.2.3",
    *,
    index: int = 2,
    kind: int = NEW_ADDRESS,
    scope: int = GLOBAL,
    state: int = 0,
    flags: int = 0,
) -> bytes:
    family = socket.AF_INET6 if ":" in text else socket.AF_INET
    raw = socket.inet_pton(family, text)
    label, value = pack("=HH", 7, 3) + b"eth\0\0"[:4], pack("=HH", 4 + len(raw), 1) + raw
    head = pack("=BBBBI", family, 24, state, scope, index)
    return message(kind, head + label + value, flags)


def link(running: bool, *, index: int = 2, kind: int = NEW_LINK) -> bytes:
    return message(kind, pack("=BxHiII", 0, 1, index, RUNNING if running else 0, 0))


@pytest.mark.parametrize(
    ("reports", "expected"),
    [
        ([address()], [True]),
        ([address(), address()], [True, False]),
        ([address(), address("10.1.2.4")], [True, True]),
        ([address("fd00::1")], [True]),
        ([address(), address(kind=ADDRESS_GONE), address()], [True, False, True]),
        ([address(), address(kind=ADDRESS_GONE, index=3), address()], [True, False, False]),
        ([address("fe80::1", scope=OF_LINK)], [False]),
        ([address("127.0.0.1", scope=OF_HOST)], [False]),
        ([address("fd00::1", state=TENTATIVE), address("fd00::1")], [False, True]),
        ([address(flags=ANSWER), address()], [False, False]),
        ([link(True), address()], [False, True]),
        ([address(), link(False), link(True), link(True)], [True, False, True, False]),
        ([link(False), address(), link(True)], [False, False, True]),
        ([link(False), link(True)], [False, False]),
        ([link(False, index=3), address(), link(True, index=3)], [False, True, False]),
        ([address(), link(False, kind=LINK_GONE), address()], [True, False, True]),
        ([link(False), address() + link(True)], [False, True]),
        ([address() + address(kind=ADDRESS_GONE)], [True]),
    ],
)
def test_way_out_that_was_not_there_is_news(reports: list[bytes], expected: list[bool]) -> None:
    """An address that others can reach, on an interface that works; told once."""
    interfaces = Interfaces()
    assert [interfaces.take(report) for report in reports] == expected


@pytest.mark.parametrize(
    "odd",
    [
        b"",
        b"\1" * 7,
        message(NEW_ADDRESS, b""),
        message(NEW_LINK, b"\0" * 4),
        message(DONE, b"\0" * 4, ANSWER),
        pack("=IHHII", 4, NEW_ADDRESS, 0, 0, 0) + b"\0" * 20,
        message(ADDRESS_GONE, pack("=BBBBI", 2, 24, 0, 0, 2) + pack("=HH", 2, 1) + b"\0" * 8),
    ],
)
def test_what_is_not_understood_is_passed_over(odd: bytes) -> None:
    """Kernels to come may say more."""
    interfaces = Interfaces()
    assert not interfaces.take(odd)
    assert interfaces.take(address())


class PlayedRoute(socket.socket):
    """Reports come from the test; None: the kernel had more to say than it could keep."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        super().__init__(fileno=theirs.detach())
        self.kernel = ours

    def recv(self, size: int, flags: int = 0) -> bytes:
        said = super().recv(size, flags)
        if said in (b"lost", b"broken"):
            raise OSError(errno.ENOBUFS if said == b"lost" else errno.EIO, "played")
        return said


@pytest.fixture
def played() -> Iterator[PlayedRoute]:
    with (
        PlayedRoute() as route,
        patch.object(network, "_listen", lambda: route),
        patch.object(network, "SETTLING", 0.0),
        patch.object(network, "BETWEEN", 0.0),
    ):
        yield route
        route.kernel.close()


def watching(tell: Callable[[], None]) -> NetworkWatch:
    watch = NetworkWatch(tell, SystemClock())
    watch.start()
    return watch


def test_news_are_told_until_it_is_closed(played: PlayedRoute) -> None:
    """On a thread of its own, which ends with it."""
    heard = threading.Semaphore(0)
    before = threading.active_count()
    watch = watching(heard.release)
    for report in (address(), link(False), link(True)):
        played.kernel.send(report)
        if report != link(False):
            assert heard.acquire(timeout=10)
    watch.close()
    assert not heard.acquire(blocking=False)
    assert threading.active_count() == before
    watch.close()


def test_what_was_lost_is_told_and_asked_for(played: PlayedRoute) -> None:
    """The kernel keeps only so many reports."""
    heard = threading.Semaphore(0)
    watch = watching(heard.release)
    played.kernel.send(b"lost")
    assert heard.acquire(timeout=10)
    played.kernel.settimeout(10)
    assert played.kernel.recv(100)[4:6] == pack("=H", 22)
    watch.close()


def test_socket_that_breaks_ends_it(played: PlayedRoute) -> None:
    """And nothing else; it does not spin."""
    watch = watching(lambda: None)
    played.kernel.send(b"broken")
    assert watch._thread is not None
    watch._thread.join(10)
    assert not watch._thread.is_alive()
    watch.close()


def test_many_news_are_told_together() -> None:
    """Those that come while the first is on its way; the next ones not at once."""
    told: list[float] = []
    again = threading.Semaphore(0)
    clock = SystemClock()

    def tell() -> None:
        told.append(clock.monotonic())
        again.release()

    with (
        PlayedRoute() as route,
        patch.object(network, "_listen", lambda: route),
        patch.object(network, "SETTLING", 0.05),
        patch.object(network, "BETWEEN", 0.2),
    ):
        begun = clock.monotonic()
        watch = watching(tell)
        for number in range(20):
            route.kernel.send(address(f"10.1.2.{number}"))
        assert again.acquire(timeout=10)
        route.kernel.send(address("10.1.3.1"))
        assert again.acquire(timeout=10)
        watch.close()
        route.kernel.close()
    assert told[0] - begun >= 0.05
    assert told[1] - told[0] >= 0.2


def test_system_that_does_not_tell_is_no_error() -> None:
    """A container may not be allowed to ask; what is away is found later then."""
    with patch.object(network, "_listen", side_effect=PermissionError):
        watch = watching(lambda: None)
    watch.close()


def test_quiet_system_tells_nothing() -> None:
    """The real socket; nothing is held open afterwards."""
    open_before = set(os.listdir("/proc/self/fd"))
    watching(lambda: None).close()
    assert set(os.listdir("/proc/self/fd")) == open_before


INSIDE = """
import subprocess, threading
from firnline.engine.system import SystemClock
from firnline.watch import network

def ip(*words):
    subprocess.run(["ip", *words], check=True)

network.SETTLING = network.BETWEEN = 0.0
heard = threading.Semaphore(0)
ip("addr", "add", "10.1.2.3/24", "dev", "lo")
watch = network.NetworkWatch(heard.release, SystemClock())
watch.start()
ip("link", "set", "lo", "up")
ip("link", "set", "lo", "down")
assert not heard.acquire(blocking=False)
ip("link", "set", "lo", "up")
assert heard.acquire(timeout=10)
ip("addr", "add", "fd00::1/64", "dev", "lo", "nodad")
assert heard.acquire(timeout=10)
watch.close()
assert not heard.acquire(blocking=False)
print("heard")
"""


@pytest.mark.skipif(shutil.which("ip") is None, reason="takes iproute2")
def test_kernel_tells(tmp_path: Path) -> None:
    """A network of its own, in which interfaces come up and get addresses."""
    apart = ["unshare", "--map-root-user", "--net"]
    if shutil.which("unshare") is None or subprocess.run([*apart, "true"]).returncode:
        pytest.skip("no network of its own can be made here")
    script = tmp_path / "inside.py"
    script.write_text(INSIDE)
    done = subprocess.run([*apart, sys.executable, script], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("heard\n", "")
