"""How it stands with a store: the states of a connection, and what leads from one to another.

A table, in the style of h11: state → event → state. What does not stand there cannot happen, and
raises. Trying again is for ever (docs/design.md section 5), so every state but the last leads back
to an attempt.
"""

from collections.abc import Mapping
from enum import StrEnum


class ConnectionState(StrEnum):
    """How a connection stands."""

    WAITING = "waiting"
    """Not in reach; it is tried again."""
    CONNECTING = "connecting"
    CONNECTED = "connected"
    REFUSED = "refused"
    """Somebody is there, but it does not work; it is tried again."""
    REPLACED = "replaced"
    """Not the store that should stand there; the user is asked, and it is looked at again."""
    CLOSED = "closed"

    @property
    def sentence(self) -> str:
        """For people."""
        return _SENTENCES[self]


class ConnectionEvent(StrEnum):
    """What happens to a connection."""

    ATTEMPT = "attempt"
    REACHED = "reached"
    UNREACHED = "unreached"
    """It was not reached, or broke off: worth another attempt."""
    FAILED = "failed"
    """It was reached and did not do what it was asked for."""
    MISTAKEN = "mistaken"
    """It is not the store that it should be."""
    CLOSE = "close"


class IllegalEventError(Exception):
    """A mistake in the program: this cannot happen in that state."""

    def __init__(self, state: ConnectionState, event: ConnectionEvent) -> None:
        super().__init__(f"{event} cannot happen while {state}")
        self.state = state
        self.event = event


_SENTENCES = {
    ConnectionState.WAITING: "not in reach; it is tried again by itself",
    ConnectionState.CONNECTING: "connecting",
    ConnectionState.CONNECTED: "connected",
    ConnectionState.REFUSED: "it does not work; it is tried again by itself",
    ConnectionState.REPLACED: "not the store that should be there; it waits for your answer",
    ConnectionState.CLOSED: "closed",
}

_BROKEN = {
    ConnectionEvent.UNREACHED: ConnectionState.WAITING,
    ConnectionEvent.FAILED: ConnectionState.REFUSED,
    ConnectionEvent.MISTAKEN: ConnectionState.REPLACED,
    ConnectionEvent.CLOSE: ConnectionState.CLOSED,
}
_AGAIN = {
    ConnectionEvent.ATTEMPT: ConnectionState.CONNECTING,
    ConnectionEvent.CLOSE: ConnectionState.CLOSED,
}

TABLE: Mapping[ConnectionState, Mapping[ConnectionEvent, ConnectionState]] = {
    ConnectionState.WAITING: _AGAIN,
    ConnectionState.CONNECTING: {ConnectionEvent.REACHED: ConnectionState.CONNECTED, **_BROKEN},
    ConnectionState.CONNECTED: _BROKEN,
    ConnectionState.REFUSED: _AGAIN,
    ConnectionState.REPLACED: _AGAIN,
    ConnectionState.CLOSED: {},
}


def next_state(state: ConnectionState, event: ConnectionEvent) -> ConnectionState:
    """Where `event` leads from `state`. Raises IllegalEventError."""
    try:
        return TABLE[state][event]
    except KeyError:
        raise IllegalEventError(state, event) from None
