"""What a command cannot do, as exceptions that carry the facts.

    EngineError
    ├── UsageError            the request itself is wrong
    │   ├── NoSuchFolderError
    │   ├── NoSuchStoreError
    │   └── AmbiguousNameError
    └── RefusedError          the request is clear, and is not done, to keep something safe

The message of each is one sentence; `advice` is what to do about it.
"""

from collections.abc import Iterable


class EngineError(Exception):
    """`what` happened, and what to do about it."""

    def __init__(self, what: str, advice: str = "") -> None:
        super().__init__(what, advice)
        self.what = what
        self.advice = advice

    def __str__(self) -> str:
        return self.what


class UsageError(EngineError):
    """The request names something that is not there, or asks for what cannot be."""


class NoSuchFolderError(UsageError):
    """No folder of this device has that name or id."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        names = ", ".join(known)
        advice = f"folders here: {names}" if names else "`firnline folder create` makes one"
        super().__init__(f"no folder here is called {name!r}", advice)


class NoSuchStoreError(UsageError):
    """This device knows no store of that name."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        names = ", ".join(known)
        advice = f"stores here: {names}" if names else "`firnline store add` adds one"
        super().__init__(f"no store here is called {name!r}", advice)


class AmbiguousNameError(UsageError):
    """A name that fits several; `ids` tells them apart."""

    def __init__(self, name: str, ids: Iterable[str]) -> None:
        super().__init__(f"{name!r} fits several", f"name it by its id: {', '.join(ids)}")


class RefusedError(EngineError):
    """Not done, to keep something safe."""
