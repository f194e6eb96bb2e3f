"""Many small files into a directory store, with one durability barrier for all.

First every body is written under a temporary name, then one barrier, then the renames in order,
then one barrier for the names: no name ever stands without its whole body, whatever happens.
"""

import os
from collections.abc import Iterable
from contextlib import ExitStack
from itertools import chain, groupby, islice

from firnline.stores.cloning import write_all
from firnline.stores.confined import Place
from firnline.stores.durability import FEW, barrier, sync_directories, sync_file
from firnline.stores.errors import UnavailableError
from firnline.stores.os_errors import translated
from firnline.stores.store_path import check_store_path
from firnline.stores.transfer import DirectoryUpload, TemporaryFiles, split


def put_many(files: TemporaryFiles, bodies: Iterable[tuple[str, bytes]]) -> None:
    """Write (path, body) pairs in this order. See `stores.base.Store.put_many`."""
    remaining = iter(bodies)
    first = list(islice(remaining, FEW + 1))
    if not first:
        return
    with translated("", missing=UnavailableError), files.tree.enter("") as base:
        if len(first) <= FEW:
            changed = _put_few(files, first)
        else:
            changed = _put_lots(files, base, chain(first, remaining))
        sync_directories(files.tree, base, changed, files.steps)


def _put_few(files: TemporaryFiles, bodies: Iterable[tuple[str, bytes]]) -> set[str]:
    """Each is flushed by itself, so that nobody waits for what other programs wrote."""
    changed = set[str]()
    with ExitStack() as stack:
        uploads: list[tuple[str, DirectoryUpload]] = []
        for path, body in bodies:
            check_store_path(path)
            upload = stack.enter_context(DirectoryUpload(files))
            upload.write(body)
            uploads.append((path, upload))
        for _, upload in uploads:
            upload.flush()
            upload.close()
        for path, upload in uploads:
            with translated(path, missing=UnavailableError):
                upload.place(path, changed)
    return changed


def _put_lots(files: TemporaryFiles, base: Place, bodies: Iterable[tuple[str, bytes]]) -> set[str]:
    """`base` was entered before, so that its barrier tells of every write that failed."""
    waiting: dict[str, str] = {}
    try:
        with files.tree.enter(files.directory, set()) as place:
            for path, body in bodies:
                _write_temporary(files, place, check_store_path(path), body, waiting)
            files.steps("store.sync")
            if not barrier(base):
                _sync_each(place, waiting)
            return _publish_all(files, place, waiting)
    except Exception:
        for name in waiting:
            files.discard(name)
        raise


def _write_temporary(
    files: TemporaryFiles, place: Place, path: str, body: bytes, waiting: dict[str, str]
) -> None:
    with translated(path, missing=UnavailableError):
        descriptor, name = files.make(place)
        waiting[name] = path
        try:
            files.steps("store.write")
            write_all(descriptor, body)
        finally:
            os.close(descriptor)


def _sync_each(place: Place, names: Iterable[str]) -> None:
    for name in names:
        descriptor = os.open(place.name(name), os.O_RDWR, dir_fd=place.descriptor)
        try:
            sync_file(descriptor)
        finally:
            os.close(descriptor)


def _publish_all(files: TemporaryFiles, place: Place, waiting: dict[str, str]) -> set[str]:
    """Neighbours with one directory are moved through one handle; the order stays."""
    changed = set[str]()
    pairs = [(name, *split(path)) for name, path in waiting.items()]
    for directory, group in groupby(pairs, key=lambda pair: pair[1]):
        with translated(directory, missing=UnavailableError):
            files.publish(place, [(name, leaf) for name, _, leaf in group], directory, changed)
    return changed
