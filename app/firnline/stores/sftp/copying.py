"""Renames, copies and deletions inside an SFTP store, and what the server says of itself."""

import asyncssh

from firnline.stores.errors import DeniedError, NotFoundError, UnavailableError
from firnline.stores.sftp.faults import store_error, translated
from firnline.stores.sftp.reading import OpenFile
from firnline.stores.sftp.session import Session, together
from firnline.stores.sftp.writing import Body, Places, Temporary, publish, split


async def rename(session: Session, source: str, target: str) -> None:
    """Raises NotFoundError when `source` is no file, and other StoreErrors."""
    wire = await session.wire()
    async with Places(session) as places:
        status, _, _ = await together(
            session.status(source),
            places.prepare(split(target)[0]),
            places.prepare(split(source)[0]),
        )
        if status is None or not status.is_file:
            raise NotFoundError(source, "not a file")
        await publish(session, source, target)
        await places.sync(wire)


async def copy(files: Temporary, source: str, target: str) -> None:
    """By the server itself (`copy-data`). Raises NotFoundError and other StoreErrors."""
    session = files.session
    wire = await session.wire()
    async with Places(session) as places, await OpenFile.open(session, source) as file:
        body, _ = await together(Body.begin(files), places.prepare(split(target)[0]))
        try:
            with translated(target, missing=UnavailableError):
                await wire.copy(file.handle, body.handle)
            body.size = file.size
            await body.end()
            await publish(session, body.path, target)
        except Exception:
            await body.drop()
            raise
        await places.sync(wire)


async def delete(session: Session, path: str) -> None:
    """Nothing happens when there is no such file. Raises StoreError."""
    wire = await session.wire()
    try:
        await wire.remove(session.full(path))
    except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNotADirectory):
        return
    except (asyncssh.Error, OSError, EOFError) as error:
        found = store_error(error, path)
        if isinstance(found, UnavailableError):
            raise found from error
        status = await session.status(path)
        if status is not None and not status.is_directory:
            raise found from error


async def look_at_clock(files: Temporary) -> int | None:
    """Seconds since 1970, by a file made for it; None where the server does not say."""
    body = await Body.begin(files)
    try:
        with translated(body.path, missing=UnavailableError):
            wire = await files.session.wire()
            return (await wire.handle_status(body.handle)).mtime
    finally:
        await body.drop()


async def free_space(session: Session) -> int | None:
    """Bytes, None where the server does not say. Raises StoreError."""
    wire = await session.wire()
    if not wire.tells_space:
        return None
    with translated(""):
        return await wire.free_space(session.full(""))


async def make_base(session: Session) -> None:
    """Make the base directory where it is not there yet. Raises NotFoundError when what it would
    stand in is missing, and other StoreErrors."""
    wire = await session.wire()
    status = await session.status("")
    if status is None:
        try:
            with translated(""):
                await wire.make_directory(session.full(""))
        except NotFoundError as error:
            raise NotFoundError(
                "", "the directory above it does not exist on the server"
            ) from error
    elif not status.is_directory:
        raise DeniedError("", "its path is no directory on the server")
