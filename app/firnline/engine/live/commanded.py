"""The service, and commands that it carries out for the command line.

While a command works, every folder rests: no job runs and its state is closed, so the command finds
the profile as it would find it alone. One that changed the settings is followed by a new service
with the new settings; after any other the folders go on, and look at everything. Settings that are
edited by hand are taken up in the same way; with some that cannot be used nothing changes.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

from firnline.config.errors import ConfigError
from firnline.config.settings import Settings
from firnline.engine.control.protocol import Kind, Request
from firnline.engine.control.server import Caller, controlled
from firnline.engine.live.loop_gate import LoopGate
from firnline.engine.live.service import Service
from firnline.engine.live.settings_watch import Found, SettingsWatch, read_settings
from firnline.engine.live.watches import MakeWatcher
from firnline.engine.live.worker import Worker
from firnline.engine.running import NOTHING
from firnline.engine.runtime import Engine
from firnline.engine.sync_command import FolderOutcome
from firnline.sync.heartbeat import new_run
from firnline.watch.watcher import make_watcher

REST_WITHIN = 30.0
"""Seconds that the folders have to come to rest for a command."""
_BUSY = "firnline: a folder did not come to rest in time, so nothing was done. Try again.\n"
_ENDING = "firnline: the Firnline that runs is just ending, so nothing was done. Try again.\n"
_logger = logging.getLogger(__name__)

CarryOut = Callable[[Request, Caller], int]
"""Carries out a command like the command line; blocks, and returns its exit code."""


class Commanded:
    """Runs until it is stopped. Made and used on the loop's thread."""

    def __init__(
        self,
        engine: Engine,
        gate: LoopGate,
        tell: Callable[[FolderOutcome], None],
        carry_out: CarryOut,
        refuse: Callable[[ConfigError], None],
        watcher: MakeWatcher = make_watcher,
    ) -> None:
        """`refuse` hears why settings that were edited by hand are not taken up; on the loop."""
        self._engine = engine
        self._gate = gate
        self._tell = tell
        self._carry_out = carry_out
        self._run = new_run(engine.outside.random)
        self._service: Service | None = None
        self._up = asyncio.Event()
        self._stopping = False
        self._settings = engine.settings
        """The latest that were taken up."""
        self._next: Settings | None = None
        """Those of the next service."""
        self._refuse = refuse
        self._refused = ""
        self._watcher = watcher
        self._carrying_out = False
        self.is_cloned = False
        """As `Service.is_cloned`, of the last one."""

    def stop(self) -> None:
        """`run` returns within five seconds."""
        self._stopping = True
        if self._service is not None:
            self._service.stop()

    async def run(self, begun: Callable[[], None]) -> None:
        """Until `stop`; `begun` is called when commands are taken.

        Raises what `Service.run` raises."""
        places, outside = self._engine.places, self._engine.outside
        async with (
            self._watched_file(),
            controlled(places.control, self._command, self._look, outside.steps),
        ):
            begun()
            await self._serve(self._engine)
            lines = self._engine.lines
            while self._next is not None and not self._stopping:
                settings, self._next = self._next, None
                with Engine.open(
                    places, outside, lock=True, held=True, lines=lines, settings=settings
                ) as engine:
                    lines = engine.lines
                    await self._serve(engine)
            # For a command that came too late.
            self._service = None
            self._up.set()

    async def _serve(self, engine: Engine) -> None:
        """With the settings as they are."""
        service = self._service = Service(engine, self._gate, self._tell, run=self._run)
        try:
            if self._next is None:
                self._up.set()
            if self._stopping or self._next is not None:
                service.stop()
            await service.run()
        finally:
            self.is_cloned = service.is_cloned
            self._up.clear()

    def _look(self) -> str:
        """Of the control socket, for `status`."""
        now = NOTHING if self._service is None else self._service.now()
        return now.to_text()

    async def _command(self, request: Request, caller: Caller) -> int:
        """Of the control socket: one at a time."""
        while not self._up.is_set():
            await self._up.wait()
        service = self._service
        if service is None:
            caller.say(Kind.MESSAGE, _ENDING)
            return 1
        self._carrying_out = True
        try:
            async with asyncio.timeout(REST_WITHIN) as patience, service.at_rest():
                patience.reschedule(None)
                try:
                    return await self._in_thread(partial(self._carry_out, request, caller))
                finally:
                    # Before the folders go on, and with settings from before.
                    self._carried_out()
        except TimeoutError:
            caller.say(Kind.MESSAGE, _BUSY)
            return 1
        finally:
            self._carried_out()

    def _carried_out(self) -> None:
        """What a command leaves, or somebody edited meanwhile, is taken up after it."""
        if self._carrying_out:
            self._carrying_out = False
            self._take_up(self._read())

    @asynccontextmanager
    async def _watched_file(self) -> AsyncIterator[None]:
        """Inside, edits by hand are noticed."""
        file, clock = self._engine.places.config_file, self._engine.outside.clock
        watch = SettingsWatch(file, self._read, self._take_up, self._gate, self._watcher, clock)
        await watch.start()
        try:
            yield
        finally:
            await watch.close()

    def _read(self) -> Found:
        return read_settings(self._engine.places.config_file, self._settings)

    def _take_up(self, found: Found) -> None:
        """Where they differ, nothing is done any more with those from before.

        Not while a command works: it has the profile for itself, and a new service would not know.
        """
        if self._carrying_out:
            return
        if isinstance(found, ConfigError):
            if str(found) != self._refused:
                self._refused = str(found)
                self._refuse(found)
            return
        self._refused = ""
        if found == self._settings:
            return
        _logger.info("the settings changed: beginning anew with them")
        self._settings = self._next = found
        # The next command waits for the new one: this service takes a while to end.
        self._up.clear()
        if self._service is not None:
            self._service.stop()

    async def _in_thread(self, work: Callable[[], int]) -> int:
        worker = Worker("command", self._gate)
        try:
            return await worker.call(work)
        finally:
            worker.end()
