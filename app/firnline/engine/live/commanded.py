"""The service, and commands that it carries out for the command line.

While a command works, every folder rests: no job runs and its state is closed, so the command finds
the profile as it would find it alone. One that changed the settings is followed by a new service
with the new settings; after any other the folders go on, and look at everything.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from firnline.engine.control.protocol import Kind, Request
from firnline.engine.control.server import Caller, controlled
from firnline.engine.live.loop_gate import LoopGate
from firnline.engine.live.service import Service
from firnline.engine.live.worker import Worker
from firnline.engine.running import NOTHING
from firnline.engine.runtime import Engine
from firnline.engine.sync_command import FolderOutcome
from firnline.sync.heartbeat import new_run

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
    ) -> None:
        self._engine = engine
        self._gate = gate
        self._tell = tell
        self._carry_out = carry_out
        self._run = new_run(engine.outside.random)
        self._service: Service | None = None
        self._up = asyncio.Event()
        self._stopping = False
        self._settings_changed = False
        self.is_cloned = False
        """As `Service.is_cloned`, of the last one."""

    def stop(self) -> None:
        """`run` returns within five seconds."""
        self._stopping = True
        if self._service is not None:
            self._service.stop()

    async def run(self, begun: Callable[[], None]) -> None:
        """Until `stop`; `begun` is called when commands are taken.

        Raises what `Service.run` raises, and ConfigError when a command left settings that cannot
        be read."""
        places, outside = self._engine.places, self._engine.outside
        async with controlled(places.control, self._command, self._look, outside.steps):
            begun()
            await self._serve(self._engine)
            lines = self._engine.lines
            while self._settings_changed and not self._stopping:
                self._settings_changed = False
                with Engine.open(places, outside, lock=True, held=True, lines=lines) as engine:
                    lines = engine.lines
                    await self._serve(engine)
            # For a command that came too late.
            self._service = None
            self._up.set()

    async def _serve(self, engine: Engine) -> None:
        """With the settings as they are."""
        service = self._service = Service(engine, self._gate, self._tell, run=self._run)
        self._up.set()
        try:
            if self._stopping:
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
        await self._up.wait()
        service = self._service
        if service is None:
            caller.say(Kind.MESSAGE, _ENDING)
            return 1
        try:
            async with asyncio.timeout(REST_WITHIN) as patience, service.at_rest():
                patience.reschedule(None)
                with self._watched_settings(service):
                    return await self._in_thread(partial(self._carry_out, request, caller))
        except TimeoutError:
            caller.say(Kind.MESSAGE, _BUSY)
            return 1

    @contextmanager
    def _watched_settings(self, service: Service) -> Iterator[None]:
        """Where they change, nothing is done any more with those from before."""
        file = self._engine.places.config_file
        before = file.read_bytes()
        try:
            yield
        finally:
            if file.read_bytes() != before:
                _logger.info("the settings changed: beginning anew with them")
                self._settings_changed = True
                # The next command waits for the new one: this service takes a while to end.
                self._up.clear()
                service.stop()

    async def _in_thread(self, work: Callable[[], int]) -> int:
        worker = Worker("command", self._gate)
        try:
            return await worker.call(work)
        finally:
            worker.end()
