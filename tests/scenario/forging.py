"""What somebody with access to a store may put there, and moments at which something happens."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from tests.scenario.laptops import LAYOUT

from firnline.core.clock import DateTime, format_time
from firnline.core.entry import Change
from firnline.core.event import DeviceId, EventName, EventText, Op
from firnline.core.hashing import EMPTY_HASH, NO_PARENT, PLAIN, Ref
from firnline.stores.layout import FolderLayout
from firnline.sync.drafts import Draft, draft_batch, draft_single

STRANGER = DeviceId("ssssssss")
TODAY = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)


class PowerCut(BaseException):
    """The process ends here. No Exception, so that nothing tidies up after it."""


def cut() -> None:
    """The power goes."""
    raise PowerCut


class At:
    """A `core.steps.Steps` that does something just before a step of this name, once."""

    def __init__(self, name: str, action: Callable[[], object] = cut, *, skip: int = 0) -> None:
        self._name = name
        self._action: Callable[[], object] | None = action
        self._skip = skip

    def __call__(self, name: str) -> None:
        if name != self._name or self._action is None:
            return
        if self._skip:
            self._skip -= 1
            return
        action, self._action = self._action, None
        action()

    @property
    def happened(self) -> bool:
        return self._action is None


def change(
    op: Op,
    path: str,
    body: bytes | None = None,
    parent: Ref = NO_PARENT,
    *,
    source: str | None = None,
    flags: str = "-",
) -> Change:
    """One change with the hash and the size of `body`."""
    data_hash = EMPTY_HASH if body is None else PLAIN.data(body)
    return Change(op, path, source, parent, data_hash, len(body or b""), 0, flags)


def single(
    wanted: Change, body: bytes = b"", *, time: DateTime | None = None, device: DeviceId = STRANGER
) -> Draft:
    """An event of one change."""
    return draft_single(wanted, time or format_time(TODAY), device, body, PLAIN)


def batch(*members: tuple[Change, bytes | None], time: DateTime | None = None) -> Draft:
    """An event of several."""
    return draft_batch(members, time or format_time(TODAY), STRANGER, PLAIN)


def plant(
    store: Path, draft: Draft, *, index: bool = True, layout: FolderLayout = LAYOUT
) -> EventText:
    """Put an event into a store, as its device would have; returns its name."""
    if index:
        for path in draft.index_paths:
            write(store / layout.index(PLAIN.path(path)), path.encode())
    write(store / layout.event(draft.name), b"".join(draft.body))
    return draft.name


def plant_manifest(
    store: Path,
    manifest: bytes,
    bodies: bytes = b"",
    *,
    time: DateTime | None = None,
    layout: FolderLayout = LAYOUT,
) -> EventText:
    """A batch whose manifest is these bytes, under its right name."""
    head = b"firnline-batch 1 %d\n%b" % (len(manifest), manifest)
    name = EventName(
        time or format_time(TODAY),
        PLAIN.data(head),
        Op.BAT,
        PLAIN.path(""),
        None,
        NO_PARENT,
        STRANGER,
        0,
        "-",
    ).text
    write(store / layout.event(name), head + bodies)
    return name


def member(path: str, **changed: object) -> bytes:
    """A manifest's line, as somebody may write it."""
    fields: dict[str, object] = {
        "flags": "-",
        "from": None,
        "hash": PLAIN.data(b""),
        "mtime": "000000000",
        "offset": 0,
        "op": "put",
        "parent": "0",
        "path": path,
        "size": 0,
    }
    line = json.dumps(fields | changed, sort_keys=True, separators=(",", ":"))
    return line.encode() + b"\n"


def write(place: Path, body: bytes) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(body)


def events(store: Path) -> list[Path]:
    """The event files of a store, by name."""
    return sorted(path for path in (store / LAYOUT.events).rglob("*") if path.is_file())
