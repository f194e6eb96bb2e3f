"""Both ends of a control socket, for tests."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from firnline import __version__
from firnline.engine.control import client, socket_place
from firnline.engine.control.protocol import Kind, Request
from firnline.engine.control.server import Caller, CarryOut, controlled

Heard = list[tuple[Kind, str]]
LOOK = "what is being done, ü"
REQUEST = Request(__version__, "/", ("sync",))


def during(place: Path, carry_out: CarryOut, use: Callable[[], Awaitable[Any]]) -> Any:
    """What `use` returns while the socket is served."""

    async def play() -> Any:
        async with asyncio.timeout(20), controlled(place, carry_out, lambda: LOOK):
            return await use()

    return asyncio.run(play())


def asked(place: Path, request: Request = REQUEST) -> tuple[int, Heard]:
    """As the command line does it; blocks."""
    heard: Heard = []
    return client.hand_over(place, request, lambda *said: heard.append(said)), heard


async def echo(request: Request, caller: Caller) -> int:
    """Says its arguments, from another thread."""

    def work() -> int:
        for argument in request.arguments:
            caller.say(Kind.OUTPUT, argument)
            caller.say(Kind.MESSAGE, argument.upper())
        return len(request.arguments)

    return await asyncio.to_thread(work)


class Work:
    """A command that lasts until nobody waits for it any more."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.callers: list[Caller] = []

    async def __call__(self, request: Request, caller: Caller) -> int:
        self.callers.append(caller)
        self.begun.set()
        await until(lambda: caller.gone)
        return 9


async def until(reached: Callable[[], object]) -> None:
    """Asked after each turn of the loop."""
    for _ in range(20_000):
        if reached():
            return
        await asyncio.sleep(0.001)
    raise AssertionError("it never happened")


def connected(place: Path) -> socket.socket:
    return socket_place.connect(place, 5)


def read_all(connection: socket.socket) -> bytes:
    """Until the other side closes; blocks."""
    parts = []
    try:
        while part := connection.recv(65536):
            parts.append(part)
    except ConnectionError:
        pass
    return b"".join(parts)
