"""`firnline run`."""

import asyncio
import signal
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from types import FrameType

from firnline.cli import output
from firnline.cli.handing import carry_out
from firnline.cli.opening import open_engine
from firnline.cli.sync import NO_FOLDERS, out_of_reach, what_is_left, what_was_done
from firnline.config.errors import ConfigError
from firnline.engine.live.commanded import Commanded
from firnline.engine.live.loop_gate import LoopGate
from firnline.engine.live.memory import stay_small
from firnline.engine.live.worker import Worker
from firnline.engine.runtime import Engine
from firnline.engine.sync_command import FolderOutcome
from firnline.sync.context import CancelledError

DONE = 0
PATIENCE = 30.0
"""Seconds that a command has to be done with the profile."""
_LAST_WORDS = 0.5
"""Seconds that what is still to be said has at the end."""
_CLONED = (
    "Another device uses the identity of this one (a cloned disk, or a copied profile). This"
    " device takes a new one and goes on; nothing is lost."
)


def run(arguments: Namespace, asked_to_stop: Callable[[], bool]) -> int:
    """Keep everything in sync until SIGTERM or Ctrl-C; then 0.

    `asked_to_stop`: one of them came already. Until the work begins they may raise
    KeyboardInterrupt.
    """
    stay_small()
    cloned = True
    while cloned:
        with open_engine(arguments, lock=True, patience=PATIENCE) as engine:
            _open_secrets(engine)
            cloned = asyncio.run(_live(engine, asked_to_stop))
            if cloned:
                engine.become_another()
                output.message(_CLONED)
    output.message("Stopped.")
    return DONE


def _open_secrets(engine: Engine) -> None:
    """Ask once for the passphrase of the file with passwords, where a store needs one of them:
    later nobody is asked."""
    if not (engine.places.sealed_secrets.exists() and output.can_ask()):
        return
    from firnline.cli.asking import opened
    from firnline.engine.store_secrets import waits_for_file

    credentials = engine.outside.credentials()
    if waits_for_file(credentials, engine.settings.stores):
        opened(credentials)


async def _live(engine: Engine, asked_to_stop: Callable[[], bool]) -> bool:
    """Until it is told to stop; True when it ended because of a clone."""
    gate = LoopGate(asyncio.get_running_loop(), engine.outside.clock)
    places, teller = engine.places, Teller()
    # Who reads what is said may have stopped to read: that holds up nobody else.
    saying = Worker("messages", gate)
    service = Commanded(
        engine,
        gate,
        lambda outcome: saying.send(partial(teller.tell, outcome)),
        lambda request, caller: carry_out(
            request, places, caller.say, lambda: caller.gone, engine.outside.credentials
        ),
        lambda error: saying.send(partial(_tell_refused, error)),
    )
    with _told_to_stop(lambda: gate.post(service.stop)):
        if asked_to_stop():
            service.stop()
        await service.run(lambda: output.message(_greeting(engine)))
    await asyncio.wait([saying.call(output.flush)], timeout=_LAST_WORDS)
    saying.end()
    return service.is_cloned


def _greeting(engine: Engine) -> str:
    folders = engine.settings.folders
    names = [folder.name for folder in folders if not folder.paused]
    if not folders:
        return NO_FOLDERS
    if not names:
        return "Every folder here is paused: `firnline folder resume NAME` lets one go on."
    return output.shown(f"Keeping {', '.join(names)} in sync; Ctrl-C ends it.")


def _tell_refused(error: ConfigError) -> None:
    with suppress(OSError):
        output.message(output.shown(f"firnline: {error}. The settings from before hold."))


@contextmanager
def _told_to_stop(stop: Callable[[], None]) -> Iterator[None]:
    """Ctrl-C and SIGTERM call `stop`."""

    def told(number: int, frame: FrameType | None) -> None:
        stop()

    before = {number: signal.signal(number, told) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Teller:
    """Says what was done, and what is left to do when that changes."""

    def __init__(self) -> None:
        self._left: dict[str, list[str]] = {}

    def tell(self, outcome: FolderOutcome) -> None:
        """Of one pass."""
        if isinstance(outcome.error, CancelledError):
            return
        name = output.shown(outcome.name)
        left = self._what_is_left(outcome)
        before = self._left.get(name, [])
        self._left[name] = left
        done = what_was_done(outcome)
        if before and not left:
            done.append("up to date")
        try:
            if done:
                output.line(f"{name}: {', '.join(done)}")
                output.flush()
            for line in left:
                if line not in before:
                    output.message(line)
        except OSError:
            # Nobody listens any more, or there is no room for it; the work goes on.
            output.drop_output()

    @staticmethod
    def _what_is_left(outcome: FolderOutcome) -> list[str]:
        lines = [] if outcome.complete else list(what_is_left(outcome))
        return [*lines, *(out_of_reach(each.name, each.why) for each in outcome.unreached)]
