"""Hearing that this computer has a network again: it got an address, or a cable was plugged in.

Linux tells whoever listens on a route socket (rtnetlink(7)). On other systems nobody is told, and
a store that is away is looked for again after a while, and when the computer wakes up.
"""

import errno
import logging
import os
import select
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from struct import Struct

from firnline.core.clock import Clock

SETTLING = 1.0
"""Seconds from the first news until it is told: two kinds of address and the way out come one
after the other."""
BETWEEN = 5.0
"""Seconds between two tellings, at least: a bad line may come and go without end."""

_LINKS, _ADDRESSES = 0x1, 0x10 | 0x100
_MULTI, _REQUEST, _DUMP = 0x2, 0x1, 0x300
_NEW_LINK, _LINK_GONE, _NEW_ADDRESS, _ADDRESS_GONE, _ASK_ADDRESSES = 16, 17, 20, 21, 22
_RUNNING = 0x40
_OF_THIS_LINK_ONLY = 253
"""From this scope on nobody else is reached by an address, but who is on the same wire."""
_NOT_USABLE = 0x40 | 0x08
"""Still being tried out whether it is another's, or known to be."""
_ADDRESS = 1

_HEADER = Struct("=IHHII")
_LINK = Struct("=BxHiII")
_OF_ADDRESS = Struct("=BBBBI")
_ATTRIBUTE = Struct("=HH")
_BUFFER = 65536
_logger = logging.getLogger(__name__)


class Interfaces:
    """What the kernel said of this computer's interfaces. Its reports are repeated at times (an
    address is told again whenever it is to be valid for longer), so what is known is kept."""

    def __init__(self) -> None:
        self._addresses: dict[int, set[bytes]] = {}
        self._down: set[int] = set()

    def take(self, datagram: bytes) -> bool:
        """Whether there is a way out that was not there before. What answers a question says only
        what is there already."""
        found = False
        for kind, flags, body in _messages(datagram):
            if kind in (_NEW_ADDRESS, _ADDRESS_GONE) and len(body) >= _OF_ADDRESS.size:
                found = (self._take_address(kind, body) and not flags & _MULTI) or found
            elif kind in (_NEW_LINK, _LINK_GONE) and len(body) >= _LINK.size:
                found = self._take_link(kind, body) or found
        return found

    def _take_address(self, kind: int, body: bytes) -> bool:
        _, _, flags, scope, index = _OF_ADDRESS.unpack_from(body)
        address = _attribute(body, _OF_ADDRESS.size, _ADDRESS)
        known = self._addresses.setdefault(index, set())
        if kind == _ADDRESS_GONE:
            known.discard(address)
            return False
        if scope >= _OF_THIS_LINK_ONLY or flags & _NOT_USABLE or address in known:
            return False
        known.add(address)
        return index not in self._down

    def _take_link(self, kind: int, body: bytes) -> bool:
        _, _, index, flags, _ = _LINK.unpack_from(body)
        if kind == _LINK_GONE:
            self._addresses.pop(index, None)
            self._down.discard(index)
        elif not flags & _RUNNING:
            self._down.add(index)
        elif index in self._down:
            self._down.discard(index)
            return bool(self._addresses.get(index))
        return False


def _messages(datagram: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Type, flags and body of each."""
    start = 0
    while start + _HEADER.size <= len(datagram):
        length, kind, flags, _, _ = _HEADER.unpack_from(datagram, start)
        if length < _HEADER.size:
            return
        yield kind, flags, datagram[start + _HEADER.size : start + length]
        start += (length + 3) & ~3


def _attribute(body: bytes, start: int, wanted: int) -> bytes:
    """The value of an attribute; empty when there is none."""
    while start + _ATTRIBUTE.size <= len(body):
        length, kind = _ATTRIBUTE.unpack_from(body, start)
        if length < _ATTRIBUTE.size:
            break
        if kind == wanted:
            return body[start + _ATTRIBUTE.size : start + length]
        start += (length + 3) & ~3
    return b""


class NetworkWatch:
    """Tells that a network is back, on a thread of its own, until it is closed. The thread sleeps
    while nothing happens to any interface."""

    def __init__(self, tell: Callable[[], None], clock: Clock) -> None:
        """`tell` has to be quick, and raises nothing."""
        self._tell = tell
        self._clock = clock
        self._interfaces = Interfaces()
        self._thread: threading.Thread | None = None
        self._ends: tuple[int, int] | None = None

    def start(self) -> None:
        """Begin, where the system tells. Raises nothing."""
        if sys.platform != "linux":
            return
        with suppress(OSError):
            route = _listen()
            self._ends = os.pipe()
            self._thread = threading.Thread(
                target=self._run, args=(route, self._ends[0]), name="network", daemon=True
            )
            self._thread.start()

    def close(self) -> None:
        """Tells nothing any more when this returns."""
        if self._thread is None or self._ends is None:
            return
        reading, writing = self._ends
        os.close(writing)
        self._thread.join()
        os.close(reading)
        self._thread = self._ends = None

    def _run(self, route: socket.socket, end: int) -> None:
        poll = select.poll()
        poll.register(route, select.POLLIN)
        poll.register(end, select.POLLIN)
        with route:
            due: float | None = None
            told = -BETWEEN
            while True:
                now = self._clock.monotonic()
                if due is not None and now >= due:
                    due, told = None, now
                    self._tell()
                ready = poll.poll(None if due is None else (due - now) * 1000)
                if any(descriptor == end for descriptor, _ in ready):
                    return
                try:
                    news = bool(ready) and self._has_news(route)
                except OSError:
                    _logger.info("changes of the network are not heard any more", exc_info=True)
                    return
                if news and due is None:
                    due = max(self._clock.monotonic() + SETTLING, told + BETWEEN)

    def _has_news(self, route: socket.socket) -> bool:
        try:
            return self._interfaces.take(route.recv(_BUFFER))
        except OSError as error:
            if error.errno != errno.ENOBUFS:
                raise
        # More happened than there was room for: what is known may be wrong.
        self._interfaces = Interfaces()
        _ask(route)
        return True


def _listen() -> socket.socket:
    """A socket that hears of links and addresses, and has asked which addresses there are.

    Raises OSError where that is not allowed.
    """
    kind = socket.SOCK_RAW | socket.SOCK_CLOEXEC
    route = socket.socket(socket.AF_NETLINK, kind, socket.NETLINK_ROUTE)
    try:
        route.bind((0, _LINKS | _ADDRESSES))
        _ask(route)
    except OSError:
        route.close()
        raise
    return route


def _ask(route: socket.socket) -> None:
    length = _HEADER.size + _OF_ADDRESS.size
    header = _HEADER.pack(length, _ASK_ADDRESSES, _REQUEST | _DUMP, 1, 0)
    route.send(header + _OF_ADDRESS.pack(socket.AF_UNSPEC, 0, 0, 0, 0))
