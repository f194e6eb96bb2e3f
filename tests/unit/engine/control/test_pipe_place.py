"""The control channel of Windows. Its pipe is a Unix socket here; all else is what runs there."""

import asyncio
import json
import shutil
import tempfile
import threading
from collections.abc import Iterator
from multiprocessing.connection import Client, Listener
from pathlib import Path

import pytest
from tests.unit.engine.control.callers import LOOK, REQUEST, Work, asked, during, echo, until

from firnline import __version__
from firnline.engine.control import channel, client, pipe_place, pipe_server
from firnline.engine.control.client import BrokenOffError, NotTakenError
from firnline.engine.control.protocol import Kind, Request, request_frame
from firnline.engine.control.server import Caller, controlled


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """With a name that is short enough for a socket."""
    short = Path(tempfile.mkdtemp(prefix="f-"))
    monkeypatch.setattr(channel, "PIPES", True)
    monkeypatch.setattr(pipe_place, "FAMILY", "AF_UNIX")
    monkeypatch.setattr(pipe_place, "new_address", lambda directory: str(directory / "s"))
    yield short / "control"
    shutil.rmtree(short)


def test_a_command_is_carried_out_and_what_it_says_is_heard(place: Path) -> None:
    """In its order, and its exit code at the end."""
    request = Request(__version__, "/", ("a", "ü", "c"))
    code, heard = during(place, echo, lambda: asyncio.to_thread(asked, place, request))
    assert code == 3
    assert [text for kind, text in heard if kind is Kind.OUTPUT] == ["a", "ü", "c"]
    assert [text for kind, text in heard if kind is Kind.MESSAGE] == ["A", "Ü", "C"]


def test_long_requests_and_answers_come_whole(place: Path) -> None:
    """More than goes through a pipe at once."""

    async def say_much(request: Request, caller: Caller) -> int:
        for _ in range(40):
            caller.say(Kind.OUTPUT, request.arguments[0])
        return 0

    request = Request(__version__, "/", ("x" * 100_000,))
    code, heard = during(place, say_much, lambda: asyncio.to_thread(asked, place, request))
    assert code == 0
    assert sum(len(text) for _, text in heard) == 4_000_000


def test_several_clients_at_once(place: Path) -> None:
    """Looks are answered beside commands."""

    async def use() -> tuple[list[str | None], list[int]]:
        looks = asyncio.gather(*(asyncio.to_thread(client.look, place) for _ in range(3)))
        commands = asyncio.gather(*(asyncio.to_thread(asked, place) for _ in range(3)))
        return await looks, [code for code, _ in await commands]

    assert during(place, echo, use) == ([LOOK] * 3, [1] * 3)


def test_a_caller_that_goes_away_is_noticed(place: Path) -> None:
    """Its command is told to stop."""
    work = Work()

    async def use() -> None:
        line = await asyncio.to_thread(channel.connect, place, 5)
        line.sendall(request_frame(REQUEST))
        await work.begun.wait()
        line.close()
        await until(lambda: work.callers[0].gone)

    during(place, work, use)


def test_the_end_of_the_one_that_runs_is_told(place: Path) -> None:
    """While a command is at work."""
    work = Work()

    async def play() -> object:
        async with asyncio.TaskGroup() as group:
            async with controlled(place, work, lambda: LOOK):
                task = group.create_task(asyncio.to_thread(ends, place))
                await work.begun.wait()
            return await task

    assert asyncio.run(play()) in (9, "broken off")


def ends(place: Path) -> object:
    try:
        return asked(place)[0]
    except BrokenOffError:
        return "broken off"


@pytest.mark.logs("control: somebody without the key was turned away")
def test_who_has_not_the_key_is_turned_away(place: Path) -> None:
    """Nothing that he says is heard."""

    async def use() -> None:
        file = place / "pipe"
        address, _ = json.loads(file.read_text())
        file.write_text(json.dumps([address, "00" * 32]))
        with pytest.raises(NotTakenError):
            await asyncio.to_thread(asked, place)
        assert await asyncio.to_thread(client.look, place) is None

    during(place, echo, use)


def test_who_only_took_the_name_is_told_nothing(place: Path) -> None:
    """The one that ran is gone, and somebody else listens there."""
    place.mkdir()
    heard: list[bytes] = []
    pipe_place.publish(place, str(place / "s"), pipe_place.new_key())
    with Listener(str(place / "s"), "AF_UNIX") as listener:

        def listen() -> None:
            with listener.accept() as connection:
                connection.send_bytes(b"n" * 32)
                heard.extend(connection.recv_bytes() for _ in range(2))
                connection.send_bytes(heard[1])
                with pytest.raises(EOFError):
                    heard.append(connection.recv_bytes())

        thread = threading.Thread(target=listen)
        thread.start()
        with pytest.raises(NotTakenError, match="somebody else"):
            asked(place)
        thread.join()
    assert [len(each) for each in heard] == [32, 32]


def test_who_says_nothing_is_let_go(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And holds nobody up meanwhile."""

    async def use() -> None:
        silent = Client(str(place / "s"), "AF_UNIX")
        assert (await asyncio.to_thread(asked, place))[0] == 1
        monkeypatch.setattr(pipe_place, "PATIENCE", 0.01)
        impatient = Client(str(place / "s"), "AF_UNIX")
        assert len(impatient.recv_bytes()) == 32
        with pytest.raises(EOFError):
            await asyncio.to_thread(impatient.recv_bytes)
        impatient.close()
        silent.close()

    during(place, echo, use)


def test_so_many_are_let_in(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next one is sent away at once."""
    monkeypatch.setattr(pipe_server, "MOST_CONNECTIONS", 0)

    async def use() -> None:
        with pytest.raises(NotTakenError):
            await asyncio.to_thread(asked, place)

    during(place, echo, use)


def test_nothing_is_left_at_the_end(place: Path) -> None:
    """What a killed one left is no channel, and is replaced."""
    during(place, echo, lambda: asyncio.sleep(0))
    assert list(place.iterdir()) == []
    pipe_place.publish(place, str(place / "s"), b"key")
    (place / "pipe.new").write_text("half")
    with pytest.raises(NotTakenError):
        asked(place)
    assert during(place, echo, lambda: asyncio.to_thread(asked, place))[0] == 1


@pytest.mark.parametrize("text", ["", "7", "[1]", '["x"]', '["x", 7, 8]'])
def test_a_file_that_says_nothing_is_no_channel(place: Path, text: str) -> None:
    """Damaged, or of a version to come."""
    place.mkdir()
    (place / "pipe").write_text(text)
    with pytest.raises(NotTakenError):
        asked(place)


def test_names_cannot_be_guessed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else somebody could be there first."""
    monkeypatch.undo()
    first, second = pipe_place.new_address(Path()), pipe_place.new_address(Path())
    assert first != second
    assert first.startswith("\\\\.\\pipe\\firnline-")
