"""The control socket: commands are carried out, and what happens where it cannot be."""

import asyncio
import os
import socket
import stat
import sys
import threading
from types import SimpleNamespace

import pytest
from tests.unit.engine.control.callers import (
    LOOK,
    REQUEST,
    Heard,
    Work,
    asked,
    during,
    echo,
    until,
)

from firnline import __version__
from firnline.core.steps import no_steps
from firnline.engine.control import client, socket_place
from firnline.engine.control.client import BrokenOffError, NotTakenError
from firnline.engine.control.protocol import Kind, Request, frame
from firnline.engine.control.server import Caller, controlled

if not hasattr(socket, "AF_UNIX"):
    pytest.skip("this system has no such sockets", allow_module_level=True)


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


def test_nobody_else_can_reach_the_socket(place, monkeypatch):
    """From the first moment on, and whatever the umask is."""
    seen: list[int] = []
    change = os.chmod

    def look(path: str, mode: int) -> None:
        seen.append(stat.S_IMODE(os.stat(path).st_mode))
        change(path, mode)

    before = os.umask(0)
    monkeypatch.setattr(os, "chmod", look)
    try:

        async def use() -> tuple[int, int]:
            return os.stat(place).st_mode, os.stat(place / "socket").st_mode

        directory, standing = during(place, echo, use)
    finally:
        os.umask(before)
    assert stat.S_IMODE(directory) == 0o700
    assert stat.S_IMODE(standing) == 0o600
    assert seen == [0o600] or sys.platform != "linux"


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


# --- a look


def test_a_look_is_answered_while_a_command_is_at_work(place):
    """At once, however long the command takes, and however many wait in line; nothing of it
    reaches those who carry out commands."""
    begun: list[Request] = []
    go_on = asyncio.Event()

    async def work(request: Request, caller: Caller) -> int:
        begun.append(request)
        await go_on.wait()
        return 9

    async def use() -> list[str | None]:
        async with asyncio.TaskGroup() as group:
            commands = [group.create_task(asyncio.to_thread(asked, place)) for _ in range(2)]
            await until(lambda: begun)
            found = [await asyncio.to_thread(client.look, place) for _ in range(3)]
            assert len(begun) == 1
            go_on.set()
        assert [command.result()[0] for command in commands] == [9, 9]
        return found

    assert during(place, work, use) == [LOOK] * 3
    assert begun == [REQUEST] * 2


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        frame(Kind.OUTPUT, b"half of it"),
        frame(Kind.REFUSED, b"too many wait already"),
        frame(Kind.REQUEST, b"{}"),
        b"GET / HTTP/1.0",
    ],
)
def test_a_look_that_is_not_answered(place, answer):
    """By one that dies, refuses, or is none of ours: nobody tells, and nobody waits."""
    listening = socket_place.listen(place, no_steps)
    listening.setblocking(True)

    def say() -> None:
        connection, _ = listening.accept()
        connection.recv(1 << 16)
        connection.sendall(answer)
        connection.close()

    thread = threading.Thread(target=say)
    thread.start()
    assert client.look(place) is None
    thread.join()
    listening.close()


def test_a_look_at_one_that_hangs(place, monkeypatch):
    """It is given up after a moment."""
    monkeypatch.setattr(client, "LOOK_PATIENCE", 0.05)
    listening = socket_place.listen(place, no_steps)
    assert client.look(place) is None
    listening.close()


def test_a_look_at_another_version(place, monkeypatch):
    """What it would say may mean something else."""
    monkeypatch.setattr(client, "__version__", "0.0.1")
    assert during(place, echo, lambda: asyncio.to_thread(client.look, place)) is None


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
        async with controlled(place, work, lambda: ""):
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
