"""Names that only one may make: *create if absent*, where the server keeps to it.

Some servers take the header `If-None-Match: *` and ignore it. So it is tried once for each store
that is opened, when it is first needed: a name of our own is made twice, and where that works the
second time, a look before writing is all there is.
"""

import os
from contextlib import suppress
from threading import Lock

from firnline.stores.errors import AlreadyExistsError, StoreError
from firnline.stores.s3.objects import Objects


class Claims:
    """Of one store. May be used from several threads at once."""

    def __init__(self, objects: Objects, tmp: str | None) -> None:
        """`tmp`: the directory of this connection; None: it only reads."""
        self._objects = objects
        self._tmp = tmp
        self._trial = f"{tmp}/claim-{os.urandom(6).hex()}"
        self._lock = Lock()
        self._kept: bool | None = None

    def made(self, path: str) -> bool:
        """Whether it is the trial's own name."""
        return path == self._trial

    def are_kept(self) -> bool:
        """Whether the server lets one alone create a name; False where that cannot be tried."""
        with self._lock:
            if self._kept is None and self._tmp is not None:
                with suppress(StoreError):
                    self._kept = self._tried()
            return bool(self._kept)

    def _tried(self) -> bool:
        """Raises StoreError when it cannot be known."""
        self._objects.claim(self._trial, b"first")
        try:
            self._objects.claim(self._trial, b"second")
        except AlreadyExistsError:
            return True
        finally:
            with suppress(StoreError):
                self._objects.delete([self._trial])
        return False

    def create(self, path: str, body: bytes) -> None:
        """Raises AlreadyExistsError, and other StoreErrors."""
        if not self.are_kept() and self._objects.size(path) is not None:
            raise AlreadyExistsError(path, "it is there already")
        if self._kept:
            self._objects.claim(path, body)
        else:
            self._objects.put(path, body)
