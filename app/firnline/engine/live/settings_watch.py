"""`config.toml` while the program runs: people edit it by hand.

Its directory is watched; where that cannot be, the file is read once a minute. What an editor has
half written is waited for like any other save.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from firnline.config.errors import ConfigError, ConfigUnreadableError
from firnline.config.settings import Settings, load
from firnline.core.clock import Clock
from firnline.core.settling import Settle
from firnline.engine.live.alarm import Alarm
from firnline.engine.live.loop_gate import LoopGate
from firnline.engine.live.watches import MakeWatcher
from firnline.engine.live.worker import Worker
from firnline.watch.hints import Hints
from firnline.watch.watcher import Watcher

BETWEEN_LOOKS = 60.0
"""Seconds between two looks where it cannot be watched."""

Found = Settings | ConfigError
"""What the file says, or why it says nothing."""


def read_settings(file: Path, before: Settings) -> Found:
    """A file that is gone was perhaps moved away by an editor: that is no settings."""
    try:
        found = load(file)
    except ConfigError as error:
        return error
    if found != before and not file.exists():
        return ConfigUnreadableError("it is not there any more", file)
    return found


class SettingsWatch:
    """Belongs to the loop; the file is read on other threads."""

    def __init__(
        self,
        file: Path,
        read: Callable[[], Found],
        tell: Callable[[Found], None],
        gate: LoopGate,
        make: MakeWatcher,
        clock: Clock,
    ) -> None:
        """`read` is called on a thread, and `tell` on the loop with what it found, whenever it
        may be something new."""
        self._read_file = read
        self._tell = tell
        self._gate = gate
        self._worker = Worker("settings", gate)
        self._again = Alarm(self._look)
        # Where it is a link, what it points to is what people edit.
        real = file.resolve()
        self._watcher: Watcher = make(
            real.parent,
            self._hear,
            clock=clock,
            settle=Settle(),
            ignored=lambda path, is_directory: path != real.name,
            recursive=False,
        )

    async def start(self) -> None:
        """What changes from now on is told."""
        await self._worker.call(self._watcher.start)
        self._plan()

    async def close(self) -> None:
        """Nothing is told any more."""
        self._again.cancel()
        await self._worker.call(self._watcher.close)
        self._worker.end()

    def _hear(self, hints: Hints) -> None:
        """On the watcher's thread."""
        self._worker.send(self._read)
        self._gate.post(self._plan)

    def _plan(self) -> None:
        if not (self._watcher.works or self._again.is_set):
            self._again.set(BETWEEN_LOOKS)

    def _look(self) -> None:
        self._worker.send(self._read)
        self._plan()

    def _read(self) -> None:
        self._gate.post(partial(self._tell, self._read_file()))
