"""A store behind a line with a limit.

Counted is the content of files, both ways: what is written and read. Names (listings, renames,
sizes) are not. A copy inside the store brings nothing over the line, so it is not counted, unless
the store has no such copy of its own. A `clone` is made, since it spares the disk, and waits for
its size like any other body: so a limit means the same for a store on the same disk as for any
other (docs/decisions/0017).

What waits can be ended: `go_on` is asked at least four times a second, and what it raises comes
out of the call, which then was as if it had not begun or broke off.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from itertools import groupby
from types import TracebackType

from firnline.stores import deletion, foresight
from firnline.stores.base import Capabilities, Listed, Reader, Store, Upload
from firnline.stores.errors import CorruptError
from firnline.stores.foresight import Questions
from firnline.stores.line import GoOn, Line, Lines
from firnline.stores.remarks import Remark, remarks_of


class ThrottledStore:
    """See `stores.base.Store`. Any number of them may share the lines."""

    def __init__(self, inner: Store, lines: Lines, go_on: GoOn) -> None:
        self._inner = inner
        self._lines = lines
        self._go_on = go_on

    @property
    def kind(self) -> str:
        return self._inner.kind

    @property
    def capabilities(self) -> Capabilities:
        return self._inner.capabilities

    @property
    def foresees(self) -> bool:
        return foresight.foresees(self._inner)

    def expect(self, questions: Questions) -> None:
        """What is asked in advance is small, and not counted; its answers are, when they serve a
        call."""
        foresight.expect(self._inner, questions)

    def remarks(self) -> Iterator[Remark]:
        yield from remarks_of(self._inner)

    def list(self, directory: str, after: str = "", sizes: bool = False) -> Iterator[Listed]:
        return self._inner.list(directory, after, sizes)

    def size(self, path: str) -> int | None:
        return self._inner.size(path)

    def open(self, path: str, offset: int = 0, length: int | None = None) -> "_ThrottledReader":
        reader = self._inner.open(path, offset, length)
        rest = max(reader.size - offset, 0)
        if length is not None:
            rest = min(rest, length)
        return _ThrottledReader(reader, rest, self._lines.down, self._go_on)

    def read_small(self, path: str, limit: int) -> bytes:
        """Read like any file: what is not known to be small yet is not asked for at once."""
        with self.open(path) as reader:
            if reader.size > limit:
                raise CorruptError(path, f"larger than {limit} bytes")
            return reader.read(reader.size)

    def upload(self) -> "_ThrottledUpload":
        return _ThrottledUpload(self._inner.upload(), self._lines.up, self._go_on)

    def put_many(self, files: Iterable[tuple[str, bytes]]) -> None:
        """A body of more than one portion goes by itself: it would leave at one blow."""
        for alone, group in groupby(files, lambda file: len(file[1]) > self._lines.up.largest):
            if not alone:
                self._inner.put_many(self._when_it_may(group))
                continue
            for path, body in group:
                with self.upload() as upload:
                    upload.write(body)
                    upload.flush()
                    upload.commit(path)

    def _when_it_may(self, files: Iterable[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
        for path, body in files:
            self._lines.up.take(len(body), self._go_on)
            yield path, body

    def create(self, path: str, body: bytes) -> None:
        self._lines.up.take(len(body), self._go_on)
        self._inner.create(path, body)

    def rename(self, source: str, target: str) -> None:
        self._inner.rename(source, target)

    def copy(self, source: str, target: str) -> None:
        if not self._inner.capabilities.server_copy:
            size = self._inner.size(source) or 0
            self._lines.down.take(size, self._go_on)
            self._lines.up.take(size, self._go_on)
        self._inner.copy(source, target)

    def delete(self, path: str) -> None:
        self._inner.delete(path)

    def delete_many(self, paths: Sequence[str]) -> None:
        """See `stores.deletion`."""
        deletion.delete_many(self._inner, paths)

    def server_time(self) -> datetime | None:
        return self._inner.server_time()

    def free_space(self) -> int | None:
        return self._inner.free_space()

    def close(self) -> None:
        self._inner.close()


class _ThrottledReader:
    """See `stores.base.Reader`."""

    def __init__(self, inner: Reader, rest: int, line: Line, go_on: GoOn) -> None:
        self._inner = inner
        self._rest = rest
        self._line = line
        self._go_on = go_on
        self.size = inner.size

    def __enter__(self) -> "_ThrottledReader":
        return self

    def __exit__(self, *exc: object) -> None:
        self._inner.__exit__(*exc)

    def read(self, count: int) -> bytes:
        pieces: list[bytes] = []
        for portion in self._line.portions(min(count, self._rest), self._go_on):
            piece = self._inner.read(portion)
            self._rest -= len(piece)
            pieces.append(piece)
            if len(piece) < portion:
                self._rest = 0
                break
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)


class _ThrottledUpload:
    """See `stores.base.Upload`. What is read back was just brought: it is not counted."""

    def __init__(self, context: AbstractContextManager[Upload], line: Line, go_on: GoOn) -> None:
        self._context = context
        self._line = line
        self._go_on = go_on

    def __enter__(self) -> Upload:
        self._inner = self._context.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._context.__exit__(kind, error, trace)

    def write(self, chunk: bytes | bytearray | memoryview) -> None:
        rest = memoryview(chunk)
        for portion in self._line.portions(len(rest), self._go_on):
            self._inner.write(rest[:portion])
            rest = rest[portion:]

    def clone(self, descriptor: int) -> bool:
        if not self._inner.clone(descriptor):
            return False
        self._line.take(os.fstat(descriptor).st_size, self._go_on)
        return True

    def read_back(self) -> Iterator[bytes]:
        return self._inner.read_back()

    def flush(self) -> None:
        self._inner.flush()

    def commit(self, path: str) -> None:
        self._inner.commit(path)
