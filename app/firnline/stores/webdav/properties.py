"""What stands on a WebDAV server: names, sizes, room."""

from collections.abc import AsyncGenerator, AsyncIterator

from firnline.stores.base import Listed
from firnline.stores.errors import CredentialsError, DeniedError, NotFoundError, ServerError
from firnline.stores.webdav.connection import Connection
from firnline.stores.webdav.multistatus import (
    MultistatusError,
    MultistatusReader,
    Resource,
    name_below,
    path_parts,
)

_QUESTION = (
    b'<?xml version="1.0" encoding="utf-8"?>\n'
    b'<D:propfind xmlns:D="DAV:"><D:prop><D:resourcetype/><D:getcontentlength/>%s</D:prop>'
    b"</D:propfind>"
)
_ROOM = b"<D:quota-available-bytes/>"
_MULTISTATUS = frozenset({207})
_PIECE = 64 * 1024


async def _answers(
    connection: Connection, path: str, depth: str, extra: bytes, *, directory: bool
) -> AsyncGenerator[Resource, None]:
    question = _QUESTION % extra

    async def body() -> AsyncIterator[bytes]:
        yield question

    headers = {"Depth": depth, "Content-Type": "application/xml; charset=utf-8"}
    reader = MultistatusReader()
    async with connection.ask(
        "PROPFIND",
        path,
        expected=_MULTISTATUS,
        headers=headers,
        body=(len(question), body),
        directory=directory,
    ) as answer:
        try:
            async for piece in answer.content.iter_chunked(_PIECE):
                for resource in reader.feed(piece):
                    yield resource
            reader.close()
        except MultistatusError as error:
            raise ServerError(path, str(error)) from error


async def look_at(connection: Connection, path: str, extra: bytes = b"") -> Resource | None:
    """At one name; None when there is none. Raises StoreError."""
    wanted = place_of(connection, path)
    found: Resource | None = None
    try:
        async for resource in _answers(connection, path, "0", extra, directory=not path):
            if resource.parts == wanted and resource.status == 200:
                found = resource
    except NotFoundError:
        return None
    except CredentialsError:
        raise
    except DeniedError:
        if path and await _is_no_directory(connection, path.rpartition("/")[0]):
            return None
        raise
    return found


async def _is_no_directory(connection: Connection, path: str) -> bool:
    """Below which there is nothing, in the words of whatever server."""
    above = await look_at(connection, path)
    return above is None or not above.is_directory


async def free_space(connection: Connection) -> int | None:
    """Bytes; None where the server does not say. Raises StoreError."""
    base = await look_at(connection, "", _ROOM)
    return base.free if base is not None else None


async def listing(
    connection: Connection, directory: str, after: str, sizes: bool
) -> AsyncGenerator[list[Listed], None]:
    """The names in a directory, in portions. A directory that is not there has none.

    Raises StoreError, also when it breaks off, and when the server says that it cut it off.
    """
    place = place_of(connection, directory)
    portion: list[Listed] = []
    seen_any = False
    try:
        async for resource in _answers(connection, directory, "1", b"", directory=True):
            seen_any = seen_any or resource.parts[: len(place)] == place
            if resource.status == 507:
                raise ServerError(directory, "the server lists only a part of these names")
            entry = _listed(resource, place, sizes)
            if entry is not None and entry.name > after:
                portion.append(entry)
            if len(portion) >= 1_000:
                yield portion
                portion = []
    except NotFoundError:
        return
    except CredentialsError:
        raise
    except DeniedError:
        there = await look_at(connection, directory)
        if there is None or not there.is_directory:
            return
        raise
    if not seen_any:
        raise ServerError(directory, "the server answers about other places")
    yield portion


def _listed(resource: Resource, place: tuple[str, ...], sizes: bool) -> Listed | None:
    name = name_below(resource.parts, place)
    if name is None or resource.status != 200:
        return None
    if resource.is_directory:
        return Listed(name, None, True)
    return Listed(name, resource.size if sizes else None, False)


def place_of(connection: Connection, path: str) -> tuple[str, ...]:
    """The parts of a path on the server."""
    return path_parts(connection.address.url(path))
