"""A store on a server, as the engine calls it: what failed on the way is called again.

Each call is made again after UnavailableError, as `core.circuit` says, since each can be: reading
changes nothing; what is written whole at a name, copied or deleted is the same when it is done
twice; and where it is not, an answer that was lost is looked for first. A `create` that finds its
name taken then compares the content; a `rename` whose source is gone looks for the target. Other
errors are answers, and come out at once.

Time limits are kept below, by whoever can end a call (`stores.loop_thread`): a call that makes no
progress is an UnavailableError.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice

from firnline.stores import deletion, foresight
from firnline.stores.base import Capabilities, Listed, Store
from firnline.stores.calling.bodies import CallingReader, CallingUpload
from firnline.stores.calling.caller import Caller
from firnline.stores.errors import (
    AlreadyExistsError,
    CorruptError,
    NotFoundError,
    UnavailableError,
)
from firnline.stores.foresight import Questions
from firnline.stores.line import GoOn
from firnline.stores.remarks import Remark, remarks_of

_NAMES = 256
"""Names of a listing that are asked for at once."""
_FILES, _BYTES = 512, 8 << 20
"""Small files that are sent at once, and kept until they stand."""


class CallingStore:
    """See `stores.base.Store`. Any number of them may share a `calling.shared.Shared`."""

    def __init__(self, inner: Store, caller: Caller) -> None:
        self._inner = inner
        self._caller = caller

    @classmethod
    def connect(cls, opening: Callable[[], Store], caller: Caller) -> "CallingStore":
        """Raises what `opening` raises, SpentError, and UnavailableError for a server that asked
        for more time than anybody waits."""
        return cls(caller.open(opening), caller)

    def ended_by(self, go_on: GoOn) -> "CallingStore":
        """See `stores.line.Ended`."""
        return CallingStore(self._inner, self._caller.ended_by(go_on))

    @property
    def kind(self) -> str:
        return self._inner.kind

    @property
    def capabilities(self) -> Capabilities:
        """Some have to be tried first."""
        return self._caller.again(lambda unsure: self._inner.capabilities)

    @property
    def foresees(self) -> bool:
        return foresight.foresees(self._inner)

    def expect(self, questions: Questions) -> None:
        foresight.expect(self._inner, questions)

    def remarks(self) -> Iterator[Remark]:
        yield from remarks_of(self._inner)

    # --- reading ------------------------------------------------------------------------------

    def list(self, directory: str, after: str = "", sizes: bool = False) -> Iterator[Listed]:
        """A listing that breaks off is begun anew; names that were given are left out then."""
        given: set[str] = set()
        names: Iterator[Listed] | None = None

        def piece(unsure: bool) -> list[Listed]:
            nonlocal names
            if names is None:
                found = self._inner.list(directory, after, sizes)
                names = (each for each in found if each.name not in given) if given else found
            try:
                return list(islice(names, _NAMES))
            except UnavailableError:
                names = None
                raise

        while entries := self._caller.again(piece):
            given.update(entry.name for entry in entries)
            yield from entries

    def size(self, path: str) -> int | None:
        return self._caller.again(lambda unsure: self._inner.size(path))

    def open(self, path: str, offset: int = 0, length: int | None = None) -> CallingReader:
        return CallingReader(self._caller, path, lambda: self._inner.open(path, offset, length))

    def read_small(self, path: str, limit: int) -> bytes:
        return self._caller.again(lambda unsure: self._inner.read_small(path, limit), 0)

    # --- writing ------------------------------------------------------------------------------

    def upload(self) -> CallingUpload:
        return CallingUpload(self._caller, self._inner.upload)

    def put_many(self, files: Iterable[tuple[str, bytes]]) -> None:
        for portion, size in _portions(files):
            self._put(portion, size)

    def _put(self, portion: Sequence[tuple[str, bytes]], size: int) -> None:
        self._caller.again(lambda unsure: self._inner.put_many(portion), size)

    def create(self, path: str, body: bytes) -> None:
        def attempt(unsure: bool) -> None:
            try:
                self._inner.create(path, body)
            except AlreadyExistsError:
                if not (unsure and self._stands(path, body)):
                    raise

        self._caller.again(attempt, len(body))

    def _stands(self, path: str, body: bytes) -> bool:
        try:
            return self._inner.read_small(path, len(body)) == body
        except (NotFoundError, CorruptError):
            return False

    def rename(self, source: str, target: str) -> None:
        def attempt(unsure: bool) -> None:
            try:
                self._inner.rename(source, target)
            except NotFoundError:
                if not (unsure and self._inner.size(target) is not None):
                    raise

        self._caller.again(attempt)

    def copy(self, source: str, target: str) -> None:
        self._caller.again(lambda unsure: self._inner.copy(source, target))

    def delete(self, path: str) -> None:
        self._caller.again(lambda unsure: self._inner.delete(path))

    def delete_many(self, paths: Sequence[str]) -> None:
        """See `stores.deletion`."""
        self._caller.again(lambda unsure: deletion.delete_many(self._inner, paths))

    # --- the server itself --------------------------------------------------------------------

    def server_time(self) -> datetime | None:
        return self._caller.again(lambda unsure: self._inner.server_time())

    def free_space(self) -> int | None:
        return self._caller.again(lambda unsure: self._inner.free_space())

    def close(self) -> None:
        self._caller.close()
        self._inner.close()


def _portions(
    files: Iterable[tuple[str, bytes]],
) -> Iterator[tuple[Sequence[tuple[str, bytes]], int]]:
    """What is sent at once, and its bytes."""
    portion: list[tuple[str, bytes]] = []
    size = 0
    for path, body in files:
        portion.append((path, body))
        size += len(body)
        if len(portion) == _FILES or size >= _BYTES:
            yield portion, size
            portion, size = [], 0
    if portion:
        yield portion, size
