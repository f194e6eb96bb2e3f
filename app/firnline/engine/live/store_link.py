"""The link to one store: connects, stays connected, and tells what is new there.

On a thread of its own, so that a store that takes minutes for a call holds nobody up. It connects
with back-off for ever, beats, knows who leads, and looks for news: a store that is watched tells
by itself and is looked at once an hour, another one is polled. The thread sleeps on a condition
with a deadline, so nothing ticks while nothing is due.

A store that is not the one it should be is told as lost with a ReplacedError, which is what the
question to the user is made of. It is looked at again as every lost one is, so a disk that is
mounted later connects by itself, and `wake` after an answer connects at once.
"""

import logging
import threading
from collections.abc import Callable, Collection
from typing import NamedTuple, Protocol

from firnline.core.backoff import Backoff
from firnline.core.clock import Clock
from firnline.core.connection_state import ConnectionEvent, ConnectionState, next_state
from firnline.core.polling import POLLED, WATCHED, Pace
from firnline.engine.live.store_session import StoreSession
from firnline.engine.live.store_watch import MakeWatch
from firnline.stores.errors import FutureFormatError, StoreError, UnavailableError
from firnline.sync.connection import Expected, ReplacedError
from firnline.sync.context import Connected, Unreached
from firnline.sync.heartbeat import NOBODY, ClonedError, Look
from firnline.sync.news import News

CLOSING = 1.0
"""Seconds that closing waits for a call that hangs; the thread ends with it, whenever that is."""
Wait = Callable[[threading.Condition, float | None], object]
"""Waits on a condition that is held, at most so many seconds; tests pass their own."""
_logger = logging.getLogger(__name__)


class Hears(Protocol):
    """Who is told. Called on threads of the link, so it has to be quick, and raises nothing."""

    def connected(self, store: Connected) -> None:
        """It can be used from now on, and has to be listed: there may be news."""
        ...

    def lost(self, store: Unreached) -> None:
        """It cannot be used any more, or for another reason than before."""
        ...

    def news(self, store_id: str, news: News) -> None:
        """Something came. Names may be known already."""
        ...

    def cloned(self, store_id: str) -> None:
        """Another device uses this one's identity: this device has to take a new one, and its
        tables are lost (docs/design.md section 5). The link ends itself."""
        ...


class Standing(NamedTuple):
    """How a link stands at the moment."""

    state: ConnectionState
    reached: Connected | Unreached
    look: Look
    """Who else is connected; nobody while this device is not."""

    @property
    def leads(self) -> bool:
        """Whether this device does the store's housekeeping."""
        reached = self.reached
        return isinstance(reached, Connected) and reached.connection == self.look.lead


class StoreLink:
    """One store of the settings. `start` it once, `close` it once; the rest from any thread."""

    def __init__(
        self,
        expected: Expected,
        connect: Callable[[], Connected],
        folder_ids: Collection[str],
        hears: Hears,
        *,
        run: str,
        clock: Clock,
        random: Callable[[int], bytes],
        pace: Pace = POLLED,
        make_watch: MakeWatch | None = None,
        wait: Wait = threading.Condition.wait,
    ) -> None:
        """`connect` opens the store anew. `folder_ids`: of the folders that are kept in it.
        `run`: see `sync.heartbeat.new_run`, one for all links of a process. `pace`: of
        looking for news. `make_watch`: for a
        store that can be watched."""
        self._expected = expected
        self._connect = connect
        self._folder_ids = folder_ids
        self._hears = hears
        self._run = run
        self._clock = clock
        self._random = random
        self._pace = pace
        self._make_watch = make_watch
        self._wait = wait
        self._condition = threading.Condition()
        self._asked = _Asked()
        self._closing = False
        self._held = 0
        self._thread = threading.Thread(target=self._live, name=f"store {expected.name}")
        self._thread.daemon = True
        self._state = ConnectionState.WAITING
        self._backoff = Backoff()
        self._due = clock.monotonic()
        self._session: StoreSession | None = None
        self._standing = Standing(self._state, self._unreached(_not_tried()), NOBODY)

    @property
    def standing(self) -> Standing:
        """How it stands."""
        return self._standing

    # --- from any thread --------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to connect."""
        self._thread.start()

    def wake(self) -> None:
        """The network is back, the user asks, or an answer was given: try at once, look at once."""
        self._ask(_Asked(wake=True))

    def failed(self, store: Connected, why: Exception) -> None:
        """A job could not use the store: it is connected anew, after a while.

        What only one folder's user can mend (its tables know another generation, its format is a
        later one) takes the store from nobody else; it is only asked whether it is still the one.
        """
        refilled = isinstance(why, ReplacedError) and why.refilled
        if refilled or isinstance(why, FutureFormatError):
            self._ask(_Asked(beat=True))
        else:
            self._ask(_Asked(failed=(store, why)))

    def active(self) -> None:
        """Something happened: others may answer soon, so a polled store is asked soon."""
        self._ask(_Asked(active=True))

    def hold(self) -> None:
        """Until `go_on` the store is not connected anew: a command works there with this device's
        connection, and whoever opens a connection sweeps its `tmp/`."""
        with self._condition:
            self._held += 1

    def go_on(self) -> None:
        """After `hold`: the command may have changed how the store stands."""
        with self._condition:
            self._held -= 1
        self.wake()

    def close(self) -> None:
        """Ends the link; nothing is told any more. Returns within `CLOSING` seconds."""
        with self._condition:
            self._closing = True
            self._condition.notify_all()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(CLOSING)

    def _ask(self, asked: "_Asked") -> None:
        with self._condition:
            self._asked = self._asked.joined(asked)
            self._condition.notify_all()

    # --- the thread -------------------------------------------------------------------------------

    def _live(self) -> None:
        try:
            while not self._closing:
                seconds = self._safe_step()
                with self._condition:
                    if not (self._asked or self._closing):
                        self._wait(self._condition, seconds)
        except ClonedError:
            if not self._closing:
                self._hears.cloned(self._expected.store_id)
        finally:
            self._end()

    def _safe_step(self) -> float:
        """A mistake in the program costs this store, and not the link."""
        try:
            return self.step()
        except ClonedError:
            raise
        except Exception as error:
            _logger.exception("store %s: a mistake in the program", self._expected.name)
            self._lose(error)
            return self._rest()

    def step(self) -> float:
        """Does what is due now; returns the seconds until there is something to do again.

        Raises ClonedError.
        """
        with self._condition:
            asked, self._asked = self._asked, _Asked()
        now = self._clock.monotonic()
        session = self._session
        if (
            asked.failed is not None
            and session is not None
            and session.connected is asked.failed[0]
        ):
            self._lose(asked.failed[1])
        elif session is not None:
            self._tend(session, asked)
        elif not self._held and (asked.wake or now >= self._due):
            if asked.wake:
                # What is just coming back may take a moment more.
                self._backoff = Backoff()
            self._try()
        return self._rest()

    def _rest(self) -> float:
        """Seconds until something is due."""
        if self._session is None and self._held:
            return WATCHED.longest
        due = self._due if self._session is None else self._session.due
        return max(due - self._clock.monotonic(), 0.0)

    def _try(self) -> None:
        self._change(ConnectionEvent.ATTEMPT)
        self._stand(self._standing.reached)
        try:
            connected = self._connect()
        except StoreError as error:
            self._lose(error)
            return
        if self._closing:
            # The call hung. Whoever took over from this link connects by himself.
            connected.store.close()
            return
        session = StoreSession(
            connected,
            self._run,
            self._folder_ids,
            self._clock,
            self._pace,
            self._make_watch,
            self._hear,
        )
        try:
            session.begin()
        except StoreError as error:
            session.close()
            self._lose(error)
            return
        self._session = session
        self._change(ConnectionEvent.REACHED)
        self._stand(connected)
        _logger.info("store %s: connected", connected.name)
        if not self._closing:
            self._hears.connected(connected)

    def _tend(self, session: StoreSession, asked: "_Asked") -> None:
        """Beat and look for news, where it is time."""
        if asked.active:
            session.active()
        try:
            if asked.beat:
                session.beat()
            news = session.tend(at_once=asked.wake)
        except StoreError as error:
            self._lose(error)
            return
        self._stand(session.connected)
        if news and not self._closing:
            self._hears.news(self._expected.store_id, news)

    def _hear(self, news: News) -> None:
        """On the thread of a watch. What comes before all hear that the store is connected is found
        by their listing."""
        if self._session is None or self._closing:
            return
        self._hears.news(self._expected.store_id, news)
        if None in news.values():
            # The watch may be at its end, and the store may be what is gone.
            self._ask(_Asked(beat=True))

    def _lose(self, why: Exception) -> None:
        """Not connected, or no more: try again later."""
        held, before = 0.0, self._standing.reached
        session, self._session = self._session, None
        if session is not None:
            held = session.age
            session.close()
        self._backoff = self._backoff.failed(held)
        self._due = self._clock.monotonic() + self._backoff.delay(self._random)
        self._change(_kind_of(why))
        lost = self._unreached(why)
        self._stand(lost)
        if _differs(before, lost) and not self._closing:
            _logger.info("store %s: %s", lost.name, why)
            self._hears.lost(lost)

    def _end(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None
        self._change(ConnectionEvent.CLOSE)
        self._stand(self._unreached(UnavailableError("", "the link was closed")))

    # --- how it stands ----------------------------------------------------------------------------

    def _change(self, event: ConnectionEvent) -> None:
        self._state = next_state(self._state, event)

    def _stand(self, reached: Connected | Unreached) -> None:
        look = NOBODY if self._session is None else self._session.seen
        self._standing = Standing(self._state, reached, look)

    def _unreached(self, why: Exception) -> Unreached:
        return Unreached(self._expected.name, self._expected.store_id, self._expected.minor, why)


class _Asked(NamedTuple):
    """What other threads asked of the link since it last looked."""

    wake: bool = False
    active: bool = False
    beat: bool = False
    failed: tuple[Connected, Exception] | None = None

    def __bool__(self) -> bool:
        return any(self)

    def joined(self, other: "_Asked") -> "_Asked":
        """Both."""
        return _Asked(
            self.wake or other.wake,
            self.active or other.active,
            self.beat or other.beat,
            other.failed or self.failed,
        )


def _not_tried() -> UnavailableError:
    return UnavailableError("", "not tried yet")


def _kind_of(why: Exception) -> ConnectionEvent:
    if isinstance(why, ReplacedError):
        return ConnectionEvent.MISTAKEN
    if isinstance(why, UnavailableError):
        return ConnectionEvent.UNREACHED
    return ConnectionEvent.FAILED


def _differs(before: Connected | Unreached, lost: Unreached) -> bool:
    """Whether somebody should hear of it."""
    if isinstance(before, Connected):
        return True
    return (type(before.why), str(before.why)) != (type(lost.why), str(lost.why))
