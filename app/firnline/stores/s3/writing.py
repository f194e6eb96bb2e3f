"""Many objects at once: written, and removed."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import wait
from functools import partial

from firnline.stores.errors import (
    CredentialsError,
    DeniedError,
    NotFoundError,
    StoreError,
    UnavailableError,
)
from firnline.stores.s3.objects import Objects
from firnline.stores.s3.workers import Workers

_MANY = 512
"""Objects that are written before the next ones are looked at."""
_PORTION = 8 << 20
"""Bytes of them."""
_AT_A_BLOW = 1_000
"""Objects that one request removes, at most."""


def put_all(
    objects: Objects,
    workers: Workers,
    files: Iterable[tuple[str, bytes]],
    changing: Callable[[], None],
) -> None:
    """Of two bodies for one path the later one stays; `changing` is called before each portion.
    Raises StoreError; any of them may stand then."""
    portion: dict[str, bytes] = {}
    size = 0
    for path, body in files:
        if len(portion) == _MANY or size > _PORTION:
            changing()
            _put(objects, workers, portion)
            portion, size = {}, 0
        portion[path] = body
        size += len(body)
    if portion:
        changing()
        _put(objects, workers, portion)


def _put(objects: Objects, workers: Workers, portion: dict[str, bytes]) -> None:
    if len(portion) == 1:
        for path, body in portion.items():
            objects.put(path, body)
        return
    putting = [workers.submit(partial(objects.put, path, body)) for path, body in portion.items()]
    wait(putting)
    for each in putting:
        each.result()


def delete_all(objects: Objects, paths: Sequence[str]) -> None:
    """Raises StoreError; any of them may be gone then. That one is gone already is no error."""
    for start in range(0, len(paths), _AT_A_BLOW):
        _delete(objects, paths[start : start + _AT_A_BLOW])


def _delete(objects: Objects, paths: Sequence[str]) -> None:
    try:
        objects.delete(paths)
    except CredentialsError:
        raise
    except (DeniedError, NotFoundError, UnavailableError) as error:
        if isinstance(error, UnavailableError) and "(InternalError)" not in error.detail:
            raise
        # A server that cannot remove many, or one of the names is a directory there.
        for path in paths:
            _delete_one(objects, path)


def _delete_one(objects: Objects, path: str) -> None:
    try:
        objects.delete_one(path)
    except StoreError:
        if objects.size(path) is not None:
            raise
