"""What stands in a store under a name of the log and is not what belongs there.

Before it is replaced by the right bytes it is kept on this device: it may be bit rot, and it may be
that somebody opened the file in the store and wrote into it. Nothing that a person wrote is thrown
away without a trace; a part of the right bytes, as a write that broke off leaves it, is no loss.
"""

from collections.abc import Iterable

from firnline.stores.base import Reader
from firnline.stores.errors import StoreError, UnavailableError
from firnline.sync.bodies import read_range
from firnline.sync.context import SET_ASIDE, Connected, FolderContext, Problem


def keep_odd(
    context: FolderContext, connected: Connected, path: str, right: bytes | None = None
) -> None:
    """Keep what stands at `path` in a store, unless it is a part of `right` or cannot be read.

    To be called just before it is replaced. Raises UnavailableError when the store does not answer
    or this device cannot keep it: then nothing may be replaced.
    """
    if context.keep_aside is None:
        return
    try:
        with connected.store.open(path) as reader:
            if right is None or reader.size > len(right):
                _keep(context, connected, path, read_range(reader, reader.size), reader)
                return
            found = b"".join(read_range(reader, reader.size))
            if not right.startswith(found):
                _keep(context, connected, path, [found], reader)
    except UnavailableError:
        raise
    except StoreError:
        return


def _keep(
    context: FolderContext,
    connected: Connected,
    path: str,
    chunks: Iterable[bytes],
    reader: Reader,
) -> None:
    if not reader.size or context.keep_aside is None:
        return
    try:
        place = context.keep_aside(connected.name, path, chunks)
    except OSError as error:
        why = f"it has to be replaced, and what stands there cannot be kept here: {error.strerror}"
        raise UnavailableError(path, why) from error
    leaf = path.rpartition("/")[2]
    message = f"{leaf} was not what it has to be; what stood there is kept as {place}"
    context.set_aside.append(Problem("", SET_ASIDE, message, connected.name))
