"""What `FOLDER:some/path` and a time on the command line mean."""

from typing import NamedTuple

from firnline.core.paths import BadPathError, check_path
from firnline.engine.errors import UsageError
from firnline.engine.system import SystemClock
from firnline.history.moments import BadMomentError, Moment, parse_moment
from firnline.history.names import settle_path


class Target(NamedTuple):
    """A path in a folder."""

    folder: str
    """Name or id, as typed."""
    path: str
    """In the log's form; '' for the folder's root."""


def parse_target(text: str) -> Target:
    """`FOLDER`, `FOLDER:` or `FOLDER:some/path`. Raises UsageError for a path that none can be."""
    folder, _, typed = text.partition(":")
    if not folder:
        raise UsageError(f"{text!r} names no folder", "write it as FOLDER:some/path")
    path = settle_path(typed)
    if path:
        try:
            check_path(path)
        except BadPathError as error:
            raise UsageError(f"{typed!r} is no path in a folder: {error}") from error
    return Target(folder, path)


def within(target: Target) -> Target:
    """`target`, if it names something inside the folder. Raises UsageError for the root."""
    if not target.path:
        raise UsageError(
            f"{target.folder}: is the whole folder", "name what is in it: FOLDER:some/path"
        )
    return target


def moment(text: str | None) -> Moment | None:
    """The moment that an option names; None where it was not given. Raises UsageError."""
    if text is None:
        return None
    try:
        return parse_moment(text, SystemClock().now())
    except BadMomentError as error:
        raise UsageError(str(error)) from error
