"""The service takes commands: what it does before, during and after one."""

import asyncio
import os
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.doubles.profile import Profile
from tests.unit.engine.control.callers import REQUEST, Heard, asked, until
from tests.unit.engine.live.played_watchers import Watchers

from firnline.config import edits
from firnline.config.errors import ConfigError
from firnline.config.settings import load
from firnline.engine.control.protocol import Request
from firnline.engine.control.server import Caller
from firnline.engine.folder_commands import create_folder
from firnline.engine.live import commanded, settings_watch
from firnline.engine.live.commanded import Commanded
from firnline.engine.live.loop_gate import LoopGate
from firnline.engine.live.service import Service
from firnline.engine.live.watches import MakeWatcher
from firnline.engine.runtime import Engine
from firnline.engine.surroundings import Surroundings
from firnline.engine.sync_command import FolderOutcome, sync_folders
from firnline.engine.system import SystemClock
from firnline.watch.watcher import make_watcher

if not hasattr(socket, "AF_UNIX"):
    pytest.skip("this system has no such sockets", allow_module_level=True)


@pytest.fixture
def profile(tmp_path: Path) -> Profile:
    """With a folder, in the home store only."""
    profile = Profile(tmp_path)
    with profile.engine() as engine:
        create_folder(engine, str(profile.folder), "docs", [])
    return profile


class Play:
    """A service that runs, with its folders' passes and what commands do."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self.outcomes: list[FolderOutcome] = []
        self.seen: list[Service | None] = []
        self.refused: list[ConfigError] = []
        self.watcher: MakeWatcher = make_watcher
        self.work: Callable[[Caller], int] = lambda caller: 0

    def carry_out(self, request: Request, caller: Caller) -> int:
        assert threading.current_thread().name == "command"
        self.seen.append(self.running._service)
        return self.work(caller)

    def during(self, use: Callable[[], Awaitable[None]]) -> None:
        async def play() -> None:
            with self.profile.engine() as engine:
                gate = LoopGate(asyncio.get_running_loop(), engine.outside.clock)
                self.running = Commanded(
                    engine,
                    gate,
                    self.outcomes.append,
                    self.carry_out,
                    self.refused.append,
                    self.watcher,
                )
                begun = asyncio.Event()
                async with asyncio.timeout(20), asyncio.TaskGroup() as group:
                    group.create_task(self.running.run(begun.set))
                    await begun.wait()
                    await use()
                    self.running.stop()

        asyncio.run(play())

    async def ask(self) -> tuple[int, Heard]:
        return await asyncio.to_thread(asked, self.profile.places.control, REQUEST)

    async def next_outcome(self) -> FolderOutcome:
        """Of a pass that came to its end."""
        count = len(self.outcomes)
        await until(lambda: any(each.error is None for each in self.outcomes[count:]))
        return self.outcomes[-1]


@pytest.fixture
def play(profile: Profile) -> Play:
    return Play(profile)


def test_folders_are_closed_for_a_command_and_go_on_afterwards(play, profile):
    """A command may sync by itself; what it leaves is looked at."""
    done: list[FolderOutcome] = []

    def sync(caller: Caller) -> int:
        profile.write("a.txt", "a")
        outside = Surroundings(SystemClock(), os.urandom)
        with Engine.open(profile.places, outside, lock=True, held=True) as engine:
            done.extend(sync_folders(engine, []))
        profile.write("b.txt", "b")
        return 7

    async def use() -> None:
        play.work = sync
        following = asyncio.gather(play.next_outcome())
        assert (await play.ask())[0] == 7
        await following

    play.during(use)
    assert [each.error for each in done] == [None]
    assert done[0].report.written == 1
    assert profile.sync()[0].complete
    assert not play.running.is_cloned


def test_changed_settings_are_those_of_a_new_service(play, profile):
    """And commands are taken by that one from then on."""

    def rename(caller: Caller) -> int:
        edits.set_option(profile.places.config_file, "device.name", "another")
        return 0

    async def use() -> None:
        play.work = rename
        await play.ask()
        play.work = lambda caller: 5
        assert (await play.ask())[0] == 5
        assert (await play.ask())[0] == 5

    play.during(use)
    first, second, third = play.seen
    assert first is not None
    assert first is not second
    assert second is third
    assert second is not None
    assert second._engine.settings.device_name == "another"


def test_a_command_right_after_changed_settings_waits_for_the_new_service(play, profile):
    """What it changes is heard of as well: not the service that ends is told of it."""
    names = iter(["first", "second", "third"])

    def rename(caller: Caller) -> int:
        edits.set_option(profile.places.config_file, "device.name", next(names))
        return 0

    async def use() -> None:
        play.work = rename
        await asyncio.gather(play.ask(), play.ask(), play.ask())
        settled = play.running
        await until(lambda: settled._service._engine.settings.device_name == "third")

    play.during(use)
    assert len({id(service) for service in play.seen}) == 3


def test_the_new_service_beats_as_the_one_before(play, profile, tmp_path):
    """A link that hung when it was closed may beat once more: that is no clone of this device."""
    profile.add_store("nas", tmp_path / "nas")

    def body() -> str:
        beats = (tmp_path / "nas").glob("connections/*/idle_*")
        return "".join(beat.read_text() for beat in beats)

    def rename(caller: Caller) -> int:
        edits.set_option(profile.places.config_file, "device.name", "another")
        return 0

    async def use() -> None:
        await until(lambda: bool(body()))
        before = body()
        play.work = rename
        await play.ask()
        (beat,) = (tmp_path / "nas").glob("connections/*/idle_*")
        await until(lambda: not beat.exists())
        await until(lambda: bool(body()))
        assert body() == before

    play.during(use)


def test_a_folder_that_does_not_come_to_rest_is_not_waited_for(play, monkeypatch):
    """The caller is told to try again, and the command is not carried out."""

    @asynccontextmanager
    async def never(service: Service) -> AsyncIterator[None]:
        await asyncio.Event().wait()
        yield

    monkeypatch.setattr(commanded, "REST_WITHIN", 0.05)
    monkeypatch.setattr(Service, "at_rest", never)

    async def use() -> None:
        code, [(_, said)] = await play.ask()
        assert code == 1
        assert "did not come to rest" in said

    play.during(use)
    assert play.seen == []


def test_a_command_that_comes_too_late_is_told_so(play):
    """It is not carried out by a service that has ended."""
    said: list[str] = []

    class Late(Caller):
        def __init__(self) -> None:
            pass

        def say(self, kind: object, text: str) -> None:
            said.append(text)

    async def use() -> None:
        pass

    play.during(use)
    assert asyncio.run(play.running._command(REQUEST, Late())) == 1
    assert "just ending" in said[0]
    assert play.seen == []


def edit(profile: Profile, text: str) -> None:
    """As an editor does it."""
    profile.places.config_file.with_name("new").write_text(text)
    profile.places.config_file.with_name("new").replace(profile.places.config_file)


def device_name(play: Play) -> str:
    service = play.running._service
    return "" if service is None else service._engine.settings.device_name


def test_an_edit_by_hand_is_taken_up(play, profile):
    """As after a command; one that changes no setting is passed over."""
    before = profile.places.config_file.read_text()

    async def use() -> None:
        await play.next_outcome()
        first = play.running._service
        edit(profile, f"# a comment\n{before}")
        edit(profile, f'{before}\n[device]\nname = "by hand"\n')
        await until(lambda: device_name(play) == "by hand")
        assert play.running._service is not first
        second = play.running._service
        await play.next_outcome()
        edit(profile, f'# a comment\n{before}\n[device]\nname = "by hand"\n')
        assert (await play.ask())[0] == 0
        assert play.running._service is second

    play.during(use)
    assert play.refused == []


def test_a_bad_edit_is_told_once_and_changes_nothing(play, profile):
    """A mistake, or no file at all; the next good one is taken up, also after a command."""
    before = profile.places.config_file.read_text()

    async def use() -> None:
        first = play.running._service
        edit(profile, f"{before}\nnonsense = 1\n")
        await until(lambda: play.refused)
        assert "nonsense" in str(play.refused[0])
        assert (await play.ask())[0] == 0
        assert len(play.refused) == 1
        profile.places.config_file.unlink()
        await until(lambda: len(play.refused) == 2)
        assert "not there" in str(play.refused[1])
        assert play.running._service is first
        edit(profile, f'{before}\n[device]\nname = "by hand"\n')
        await until(lambda: device_name(play) == "by hand")

    play.during(use)


def test_an_edit_during_a_command_waits_for_its_end(play, profile):
    """The command has the profile for itself until then."""
    text = f'{profile.places.config_file.read_text()}\n[device]\nname = "by hand"\n'

    def work(caller: Caller) -> int:
        first = play.running._service
        edit(profile, text)
        told = threading.Event()
        play.running._gate.post(lambda: play.running._take_up(load(profile.places.config_file)))
        play.running._gate.post(told.set)
        assert told.wait(20)
        assert not first._stopping.is_set()
        return 0

    async def use() -> None:
        play.work = work
        assert (await play.ask())[0] == 0
        await until(lambda: device_name(play) == "by hand")

    play.during(use)


def test_an_edit_while_the_folders_come_to_rest_waits_as_well(play, profile, monkeypatch):
    """The service that rests for the command is the one that runs."""
    text = f'{profile.places.config_file.read_text()}\n[device]\nname = "by hand"\n'
    rest = Service.at_rest

    @asynccontextmanager
    async def edited(service: Service) -> AsyncIterator[None]:
        edit(profile, text)
        play.running._take_up(load(profile.places.config_file))
        assert not service._stopping.is_set()
        async with rest(service):
            yield

    monkeypatch.setattr(Service, "at_rest", edited)

    async def use() -> None:
        first = play.running._service
        assert (await play.ask())[0] == 0
        assert play.seen == [first]
        await until(lambda: device_name(play) == "by hand")

    play.during(use)


def test_where_nothing_can_be_watched_the_file_is_read_now_and_then(play, profile, monkeypatch):
    """Once a minute."""
    watchers = Watchers()
    watchers.fails = "a network file system"
    play.watcher = watchers
    monkeypatch.setattr(settings_watch, "BETWEEN_LOOKS", 0.05)
    text = f'{profile.places.config_file.read_text()}\n[device]\nname = "by hand"\n'

    async def use() -> None:
        (watcher,) = watchers.made
        assert watcher.root == profile.places.config_file.parent
        assert not watcher.ignored("config.toml", False)
        assert watcher.ignored("lock", False)
        edit(profile, text)
        await until(lambda: device_name(play) == "by hand")

    play.during(use)
    assert watchers.open == []


def test_a_profile_without_settings_needs_no_file(tmp_path):
    """Nothing is refused where there never was one."""
    profile = Profile(tmp_path)
    play = Play(profile)

    async def use() -> None:
        assert (await play.ask())[0] == 0
        edit(profile, '[device]\nname = "by hand"\n')
        await until(lambda: device_name(play) == "by hand")

    play.during(use)
    assert play.refused == []
