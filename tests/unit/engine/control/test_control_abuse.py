"""The control socket: other users, and clients that are up to no good."""

import asyncio
import os
import socket
import struct
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from tests.unit.engine.control.callers import (
    REQUEST,
    Heard,
    asked,
    connected,
    during,
    echo,
    read_all,
    until,
)

from firnline import __version__
from firnline.core.steps import no_steps
from firnline.engine.control import server, socket_place
from firnline.engine.control.client import NotTakenError
from firnline.engine.control.protocol import MOST_BYTES, Kind, Request, frame, request_frame
from firnline.engine.control.server import Caller, controlled

if not hasattr(socket, "AF_UNIX"):
    pytest.skip("this system has no such sockets", allow_module_level=True)


# --- other users


class Answers:
    """A socket whose system says who is there."""

    def __init__(self, form: str, *values: int) -> None:
        self.answer = struct.pack(form, *values)

    def getsockopt(self, level: int, option: int, size: int, /) -> bytes:
        return self.answer[:size]


@pytest.mark.parametrize(
    ("platform", "form", "before"), [("linux", "3i", (77,)), ("darwin", "II3i", (0,))]
)
def test_only_the_same_user_is_let_in(monkeypatch, platform, form, before):
    """By what the system says of the process at the other end."""
    monkeypatch.setattr(sys, "platform", platform)
    fill = [0] * (3 if platform == "darwin" else 1)
    me, other = os.geteuid(), os.geteuid() + 1
    assert socket_place.is_same_user(Answers(form, *before, me, *fill))
    assert not socket_place.is_same_user(Answers(form, *before, other, *fill))


def test_a_system_that_does_not_say_leaves_it_to_the_directory(monkeypatch):
    """Which nobody else can enter."""
    monkeypatch.setattr(sys, "platform", "freebsd14")
    assert socket_place.is_same_user(Answers("i", 0))


@pytest.mark.logs("control: another user was turned away")
def test_another_user_is_turned_away(place, monkeypatch):
    """Before a byte of what he says is read."""
    begun: list[Request] = []

    async def work(request: Request, caller: Caller) -> int:
        begun.append(request)
        return 0

    async def use() -> bytes:
        with connected(place) as connection:
            monkeypatch.setattr(socket_place, "is_same_user", lambda connection: False)
            connection.sendall(request_frame(REQUEST))
            return await asyncio.to_thread(read_all, connection)

    assert during(place, work, use) == b""
    assert begun == []


def test_somebody_else_who_listens_is_told_nothing(place, monkeypatch):
    """A command may have a password in it."""
    heard: list[bytes] = []
    listening = socket_place.listen(place, no_steps)
    listening.setblocking(True)

    def listen() -> None:
        connection, _ = listening.accept()
        with connection:
            heard.append(read_all(connection))

    thread = threading.Thread(target=listen)
    thread.start()
    monkeypatch.setattr(socket_place, "is_same_user", lambda connection: False)
    with pytest.raises(NotTakenError, match="somebody else"):
        asked(place)
    thread.join()
    listening.close()
    assert heard == [b""]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_another_user_cannot_even_knock(place):
    """Played by a process that is somebody else."""
    knock = "import os,socket,sys; os.setuid(65534); socket.socket(1).connect(sys.argv[1])"
    for parent in [place.parent, *place.parent.parents[:-1]]:
        parent.mkdir(parents=True, exist_ok=True)
    short = Path(f"/tmp/{os.getpid()}-knock")

    async def use() -> str:
        command = [sys.executable, "-c", knock, str(short / "control" / "socket")]
        done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True)
        return done.stderr

    short.mkdir()
    try:
        complaint = during(short / "control", echo, use)
    finally:
        (short / "control").rmdir()
        short.rmdir()
    assert "PermissionError" in complaint


# --- clients that are up to no good


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"C" + (MOST_BYTES + 1).to_bytes(4, "big"),
        b"C\xff\xff\xff\xff" + bytes(100_000),
        frame(Kind.REQUEST, b"{}"),
        frame(Kind.REQUEST, b"[" * 100_000),
        request_frame(REQUEST) + request_frame(REQUEST),
        frame(Kind.EXIT, b"0"),
        bytes(range(50)),
    ],
)
def test_what_is_no_request_is_not_answered(place, sent):
    """The connection ends, nothing is carried out, and the next client is served."""

    async def use() -> tuple[bytes, tuple[int, Heard]]:
        def nonsense() -> bytes:
            with connected(place) as connection:
                try:
                    connection.sendall(sent)
                except ConnectionError:
                    return b""
                return read_all(connection)

        return await asyncio.to_thread(nonsense), await asyncio.to_thread(asked, place)

    answer, (code, heard) = during(place, echo, use)
    assert answer == b""
    assert (code, len(heard)) == (1, 2)


def test_an_endless_stream_is_cut(place):
    """A gigabyte would not be read, let alone kept."""

    async def use() -> int:
        def pour() -> int:
            sent = 0
            with connected(place) as connection:
                connection.sendall(b"C" + MOST_BYTES.to_bytes(4, "big"))
                try:
                    for _ in range(1000):
                        sent += connection.send(bytes(1 << 20))
                except ConnectionError:
                    pass
            return sent

        return await asyncio.to_thread(pour)

    assert during(place, echo, use) < 8 << 20


@pytest.mark.parametrize("sent", [b"", b"C", request_frame(REQUEST)[:-1]])
def test_half_a_request_is_not_waited_for(place, sent, monkeypatch):
    """Nor one that never begins."""
    monkeypatch.setattr(server, "PATIENCE", 0.05)

    async def use() -> bytes:
        with connected(place) as connection:
            connection.sendall(sent)
            return await asyncio.to_thread(read_all, connection)

    assert during(place, echo, use) == b""


def test_a_client_that_does_not_read_holds_up_nothing(place, monkeypatch):
    """Its command is told to stop, and the next client is served."""
    monkeypatch.setattr(server, "MOST_UNREAD", 1 << 20)
    ended: list[bool] = []

    async def chatter(request: Request, caller: Caller) -> int:
        if request.directory == "/":
            while not caller.gone:
                caller.say(Kind.OUTPUT, "x" * 100_000)
                await asyncio.sleep(0)
            ended.append(True)
        return 7

    async def use() -> tuple[int, Heard]:
        with connected(place) as connection:
            connection.sendall(request_frame(REQUEST))
            await until(lambda: bool(ended))
            other = Request(__version__, "/other", ())
            return await asyncio.to_thread(asked, place, other)

    assert during(place, chatter, use) == (7, [])


def test_of_many_clients_a_few_are_heard(place):
    """The others are told so at once, and when the few are gone there is room again."""

    async def use() -> tuple[int, Heard]:
        idle = [connected(place) for _ in range(server.MOST_CLIENTS)]
        for each in idle:
            each.sendall(b"C")
        await asyncio.sleep(0)
        with pytest.raises(NotTakenError, match="too many"):
            await asyncio.to_thread(asked, place)
        for each in idle:
            each.close()
        while True:
            try:
                return await asyncio.to_thread(asked, place)
            except NotTakenError:
                await asyncio.sleep(0.001)

    assert during(place, echo, use)[0] == 1


def test_a_client_that_leaves_stops_its_command(place):
    """At a safe place, as Ctrl-C does; one that left while it waited in line is not begun."""

    async def play() -> list[str]:
        begun: list[str] = []
        gone: list[str] = []

        async def work(request: Request, caller: Caller) -> int:
            begun.append(request.directory)
            if request.directory == "/first":
                await until(lambda: caller.gone)
                gone.append(request.directory)
            return 0

        async with controlled(place, work, lambda: ""):
            with connected(place) as first, connected(place) as second:
                first.sendall(request_frame(REQUEST._replace(directory="/first")))
                await until(lambda: begun == ["/first"])
                second.sendall(request_frame(REQUEST._replace(directory="/second")))
                second.close()
                await asyncio.sleep(0.02)
            await until(lambda: gone == ["/first"])
            await asyncio.to_thread(asked, place)
        return begun

    assert asyncio.run(play()) == ["/first", "/"]


def test_another_version_is_not_asked(place):
    """Its arguments may mean something else there; who asked is told which one runs."""
    other = Request("0.0.1", "/", ("sync",))
    with pytest.raises(NotTakenError, match=f"Firnline {__version__}"):
        during(place, echo, lambda: asyncio.to_thread(asked, place, other))


def test_a_request_that_is_too_long_is_not_sent(place):
    """Nobody is to guess what the rest of it was."""
    long = Request(__version__, "/", ("x" * MOST_BYTES,))
    with pytest.raises(NotTakenError, match="too long"):
        during(place, echo, lambda: asyncio.to_thread(asked, place, long))
