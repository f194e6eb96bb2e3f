"""Names in a bucket, page by page; copies; and uploads that nobody ended."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from urllib.parse import quote

from firnline.stores.base import Listed
from firnline.stores.errors import (
    CorruptError,
    DeniedError,
    NotFoundError,
    ServerError,
    StoreError,
    UnavailableError,
)
from firnline.stores.foreseen import Tree
from firnline.stores.s3.answers import (
    AnswerError,
    Unfinished,
    check_copied,
    parse_page,
    parse_uploads,
)
from firnline.stores.s3.asking import Asker
from firnline.stores.s3.faults import NO_BUCKET

COPYING = 600.0
"""Seconds: a server that copies a large file may say nothing meanwhile."""
LEFT = timedelta(days=7)
"""An upload that was begun so long ago is nobody's any more."""
_PORTAL = "a web page instead of an answer: a login page in between?"


def look(asker: Asker) -> None:
    """Whether the bucket is there, and may be asked. Raises NotFoundError when it is not there,
    and other StoreErrors."""
    prefix = asker.address.directory_key("")
    try:
        answer = asker.ask("GET", query=_query(prefix, {"max-keys": "1"}))
        parse_page(answer.body, prefix)
    except AnswerError as error:
        raise ServerError("", _PORTAL) from error
    except UnavailableError as error:
        if error.detail == NO_BUCKET:
            raise NotFoundError("", error.detail) from error
        raise


def _query(prefix: str, more: dict[str, str]) -> dict[str, str]:
    fixed = {"list-type": "2", "delimiter": "/", "encoding-type": "url"}
    return {**fixed, "prefix": prefix, **more} if prefix else {**fixed, **more}


def list_directory(asker: Asker, directory: str, after: str) -> Iterator[list[Listed]]:
    """All names of a directory that sort after `after`, in portions. Raises StoreError."""
    prefix = asker.address.directory_key(directory)
    more = {"start-after": prefix + after} if after else {}
    last = ""
    while True:
        answer = asker.ask("GET", query=_query(prefix, more), about=directory)
        try:
            page = parse_page(answer.body, prefix)
        except AnswerError as error:
            raise ServerError(directory, f"{_PORTAL} ({error})") from error
        yield [entry for entry in page.entries if entry.name > after]
        if page.token is None:
            return
        if page.last <= last:
            raise CorruptError(directory, "the server lists the same names again and again")
        last = page.last
        more = {"continuation-token": page.token}


def whole_directory(asker: Asker, directory: str) -> list[Listed]:
    """All names at once. Raises StoreError."""
    return [each for portion in list_directory(asker, directory, "") for each in portion]


def whole_tree(asker: Asker, directory: str) -> Tree:
    """Of a directory and of those directly in it, one after the other. Raises StoreError."""
    found = {directory: whole_directory(asker, directory)}
    for each in found[directory]:
        if each.is_directory:
            below = f"{directory}/{each.name}" if directory else each.name
            found[below] = whole_directory(asker, below)
    return found


def copy(asker: Asker, source: str, target: str) -> None:
    """Inside the bucket. Raises NotFoundError about `source`, and other StoreErrors."""
    address = asker.address
    place = quote(f"/{address.bucket}/{address.key(source)}", safe="/")
    try:
        answer = asker.ask(
            "PUT",
            address.key(target),
            headers={"x-amz-copy-source": place},
            about=source,
            seconds=COPYING,
        )
        check_copied(answer.body)
    except AnswerError as error:
        raise ServerError(target, "the server began to copy, and failed") from error


def unfinished_uploads(asker: Asker) -> list[Unfinished]:
    """Uploads in parts that were begun below the store's base: a thousand at most. Raises
    StoreError; a server that cannot tell says so by one."""
    prefix = asker.address.directory_key("")
    query = {"uploads": "", "encoding-type": "url"}
    if prefix:
        query["prefix"] = prefix
    try:
        return parse_uploads(asker.ask("GET", query=query).body)
    except NotFoundError as error:
        raise DeniedError("", "the server does not tell of them") from error
    except AnswerError as error:
        raise ServerError("", _PORTAL) from error


def abort(asker: Asker, key: str, upload: str) -> None:
    """Remove what an upload has left. Raises StoreError."""
    with suppress(NotFoundError):
        asker.ask("DELETE", key, query={"uploadId": upload})


def sweep_uploads(asker: Asker, now: datetime) -> None:
    """Remove what is left of uploads that nobody is at any more; what cannot be removed stays."""
    with suppress(StoreError):
        for each in unfinished_uploads(asker):
            if now - each.begun > LEFT:
                abort(asker, each.key, each.upload)
