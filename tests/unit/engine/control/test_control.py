"""The control socket: both ends of it, and clients that are up to no good."""

import asyncio
import os
import socket
import stat
import struct
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from firnline import __version__
from firnline.core.steps import no_steps
from firnline.engine.control import client, server, socket_place
from firnline.engine.control.client import BrokenOffError, NotTakenError
from firnline.engine.control.protocol import MOST_BYTES, Kind, Request, frame, request_frame
from firnline.engine.control.server import Caller, CarryOut, controlled

if not hasattr(socket, "AF_UNIX"):
    pytest.skip("this system has no such sockets", allow_module_level=True)

Heard = list[tuple[Kind, str]]
REQUEST = Request(__version__, "/", ("sync",))


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Deeper than the address of a socket may be long."""
    return tmp_path / ("deep" * 20) / "control"


def during(place: Path, carry_out: CarryOut, use: Callable[[], Awaitable[Any]]) -> Any:
    """What `use` returns while the socket is served."""

    async def play() -> Any:
        async with asyncio.timeout(20), controlled(place, carry_out):
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
    """A command that lasts until it is told to go on, or nobody waits for it any more."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.end = asyncio.Event()
        self.callers: list[Caller] = []

    async def __call__(self, request: Request, caller: Caller) -> int:
        self.callers.append(caller)
        self.begun.set()
        while not (self.end.is_set() or caller.gone):
            await asyncio.sleep(0.001)
        return 9


async def until(reached: Callable[[], bool]) -> None:
    while not reached():
        await asyncio.sleep(0.001)


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


# --- as it should be


def test_a_command_is_carried_out_and_what_it_says_is_heard(place):
    """In its order, standard error apart, and its exit code at the end."""
    request = Request(__version__, "/", ("a", "ü\udcff", "c"))
    code, heard = during(place, echo, lambda: asyncio.to_thread(asked, place, request))
    assert code == 3
    assert [text for kind, text in heard if kind is Kind.OUTPUT] == ["a", "ü\\udcff", "c"]
    assert [text for kind, text in heard if kind is Kind.MESSAGE] == ["A", "Ü\\udcff", "C"]
    assert heard[0] == (Kind.OUTPUT, "a")


def test_long_answers_come_whole(place):
    """More than a socket holds at once."""

    async def say_much(request: Request, caller: Caller) -> int:
        for _ in range(40):
            caller.say(Kind.OUTPUT, "x" * 100_000)
        return 0

    code, heard = during(place, say_much, lambda: asyncio.to_thread(asked, place))
    assert code == 0
    assert sum(len(text) for _, text in heard) == 4_000_000


def test_commands_are_carried_out_one_at_a_time(place):
    """The second waits for the first, whoever is slower."""
    at_work: list[str] = []
    most: list[int] = []

    async def work(request: Request, caller: Caller) -> int:
        at_work.append(request.directory)
        most.append(len(at_work))
        await asyncio.sleep(0.01)
        at_work.remove(request.directory)
        return 0

    async def use() -> list[tuple[int, Heard]]:
        return await asyncio.gather(*(asyncio.to_thread(asked, place) for _ in range(5)))

    assert [code for code, _ in during(place, work, use)] == [0] * 5
    assert most == [1] * 5


def test_nobody_else_can_reach_the_socket(place):
    """Whatever the umask is."""
    before = os.umask(0)
    try:

        async def use() -> tuple[int, int]:
            return os.stat(place).st_mode, os.stat(place / "socket").st_mode

        directory, standing = during(place, echo, use)
    finally:
        os.umask(before)
    assert stat.S_IMODE(directory) == 0o700
    assert stat.S_IMODE(standing) == 0o600


def test_nothing_is_left_at_the_end(place):
    """No socket, and who asks then is told that nobody is there."""
    during(place, echo, lambda: asyncio.sleep(0))
    assert list(place.iterdir()) == []
    with pytest.raises(NotTakenError):
        asked(place)


def test_a_socket_of_a_process_that_was_killed_is_replaced(place):
    """Whoever listens holds the profile."""
    socket_place.listen(place, no_steps).close()
    assert (place / "socket").is_socket()
    with pytest.raises(NotTakenError):
        asked(place)
    assert during(place, echo, lambda: asyncio.to_thread(asked, place))[0] == 1


# --- where there can be no socket


def test_something_else_in_its_place_is_left_alone(place):
    """The program runs without a socket then."""
    place.mkdir(parents=True, mode=0o700)
    (place / "socket").write_text("mine")
    with pytest.raises(NotTakenError):
        during(place, echo, lambda: asyncio.to_thread(asked, place))
    assert (place / "socket").read_text() == "mine"


@pytest.mark.parametrize("mode", [0o750, 0o701, 0o777])
def test_a_directory_that_others_may_enter_is_not_used(place, mode):
    """Neither to listen nor to ask: somebody else might listen there."""
    place.mkdir(parents=True)
    place.chmod(mode)
    with pytest.raises(NotTakenError, match="others may enter"):
        during(place, echo, lambda: asyncio.to_thread(asked, place))


def test_a_link_in_place_of_the_directory_is_not_followed(place, tmp_path):
    """It may lead anywhere."""
    (tmp_path / "other").mkdir(mode=0o700)
    place.parent.mkdir()
    place.symlink_to(tmp_path / "other")
    with pytest.raises(NotTakenError):
        during(place, echo, lambda: asyncio.to_thread(asked, place))
    assert list((tmp_path / "other").iterdir()) == []


def test_a_system_without_such_sockets(place, monkeypatch):
    """Nothing is taken and nothing is handed over there, and the program runs all the same."""
    monkeypatch.setattr("firnline.engine.control.socket_place.socket", SimpleNamespace())
    with pytest.raises(NotTakenError):
        during(place, echo, lambda: asyncio.to_thread(asked, place))
    assert list(place.iterdir()) == []


def test_a_name_that_is_too_long_elsewhere(place, monkeypatch):
    """Only Linux has a short way to it."""
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(OSError, match="too long"):
        socket_place.listen(place, no_steps)


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
        def garbage() -> bytes:
            with connected(place) as connection:
                try:
                    connection.sendall(sent)
                except ConnectionError:
                    return b""
                return read_all(connection)

        return await asyncio.to_thread(garbage), await asyncio.to_thread(asked, place)

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

    async def use() -> tuple[bytes, int]:
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
    """At a safe place, as Ctrl-C does; one that still waits in line is not begun."""

    async def use() -> list[Caller]:
        with connected(place) as first, connected(place) as second:
            first.sendall(request_frame(REQUEST))
            await work.begun.wait()
            second.sendall(request_frame(REQUEST))
            await asyncio.sleep(0.01)
        await until(lambda: work.callers[0].gone)
        assert (await asyncio.to_thread(asked_of_another, place))[0] == 9
        return work.callers

    async def play() -> list[Caller]:
        nonlocal work
        work = Work()
        work.end.clear()
        async with asyncio.timeout(20), controlled(place, work):
            return await use()

    def asked_of_another(place: Path) -> tuple[int, Heard]:
        work.end.set()
        return asked(place)

    work: Work
    callers = asyncio.run(play())
    assert len(callers) == 2


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


# --- when things go wrong


@pytest.mark.logs("a mistake in the program")
def test_a_mistake_in_a_command_ends_only_that(place):
    """The caller is told, the log has it, the next command is carried out."""

    async def stumble(request: Request, caller: Caller) -> int:
        if request.arguments:
            raise ZeroDivisionError
        return 0

    async def use() -> list[tuple[int, Heard]]:
        other = Request(__version__, "/", ())
        return [await asyncio.to_thread(asked, place, each) for each in (REQUEST, other)]

    (code, [(kind, text)]), (next_code, _) = during(place, stumble, use)
    assert (code, kind) == (1, Kind.MESSAGE)
    assert "mistake" in text
    assert next_code == 0


def test_at_the_end_of_the_program_a_command_is_told_to_stop(place):
    """Its caller gets what it came to; who waits in line is not begun."""
    codes: list[int] = []
    failures: list[Exception] = []

    def ask() -> None:
        try:
            codes.append(asked(place)[0])
        except BrokenOffError as error:
            failures.append(error)

    async def play() -> None:
        work = Work()
        async with controlled(place, work):
            for thread in threads:
                thread.start()
            await work.begun.wait()
            await asyncio.sleep(0.05)
        assert len(work.callers) == 1
        assert work.callers[0].gone

    threads = [threading.Thread(target=ask) for _ in range(2)]
    asyncio.run(play())
    for thread in threads:
        thread.join()
    assert len(codes) + len(failures) == 2
    assert failures


def test_a_program_that_dies_breaks_off(place):
    """Nobody takes silence for success."""
    listening = socket_place.listen(place, no_steps)
    listening.setblocking(True)

    def die() -> None:
        connection, _ = listening.accept()
        connection.recv(1 << 16)
        connection.sendall(frame(Kind.OUTPUT, b"half of it"))
        connection.close()

    thread = threading.Thread(target=die)
    thread.start()
    with pytest.raises(BrokenOffError):
        asked(place)
    thread.join()
    listening.close()
