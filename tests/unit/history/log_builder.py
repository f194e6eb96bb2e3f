"""A folder with a log, for the tests of history: real state, a real home store, events with bodies.

Each method writes one event at the next second and returns its name. Nothing is resolved or
applied, so a test says exactly what the log holds.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

from firnline.core.clock import DateTime, format_time
from firnline.core.entry import Change, Entry
from firnline.core.event import DeviceId, EventText, Op, ref_of
from firnline.core.hashing import EMPTY_HASH, NO_PARENT, PLAIN, Ref
from firnline.folder.filesystem import Root
from firnline.history.names import Names
from firnline.state.folder_state import FolderState
from firnline.state.journal import EventState
from firnline.stores.directory import DirectoryStore
from firnline.stores.layout import FolderId, FolderLayout
from firnline.sync.context import Connected, FolderContext
from firnline.sync.drafts import Draft, draft_batch, draft_single

START = datetime(2026, 11, 22, 8, 26, tzinfo=UTC)
ANNA, BERT = DeviceId("aaaaaaaa"), DeviceId("bbbbbbbb")
NAS = "nasnasnasnasnas0"
HOME_ID = "homehomehomehome"
NAMES = Names({ANNA: "anna", BERT: "bert"}, {NAS: "nas"})

Member = tuple[Change, bytes | None]


class StillClock:
    """A clock that a test sets."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return self.moment.timestamp()

    def sleep(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


def at(seconds: float) -> DateTime:
    """The DATETIME `seconds` after the builder's first event could be."""
    return format_time(START + timedelta(seconds=seconds))


def member(
    op: Op,
    path: str,
    content: str | None = None,
    parent: Ref = NO_PARENT,
    *,
    source: str | None = None,
    flags: str = "-",
    mtime: int = 0,
    carried: bool = True,
) -> Member:
    """A change; its body comes along where `op` has one and it is `carried`."""
    body = (content or "").encode("utf-8", "surrogateescape")
    data_hash = EMPTY_HASH if content is None else PLAIN.data(body)
    change = Change(op, path, source, parent, data_hash, len(body), mtime, flags)
    return change, body if carried and op in (Op.PUT, Op.LNK) else None


class LogBuilder:
    """One folder as one device knows it."""

    def __init__(self, directory: Path, name: str = "docs") -> None:
        self.clock = StillClock(START)
        self.state = FolderState(directory / f"{name}.db")
        base = directory / f"{name}-home"
        DirectoryStore.create_base(base)
        self.store = DirectoryStore(base, connection="c" * 16, clock=self.clock)
        self.layout = FolderLayout(name, FolderId("f" * 16))
        self.context = FolderContext(
            folder_id=self.layout.folder_id,
            name=name,
            device=ANNA,
            root=cast(Root, None),  # no file of the local folder is ever read here
            state=self.state,
            layout=self.layout,
            home=Connected("home", self.store, HOME_ID, "g" * 16, "c" * 16, 50, False),
            stores=[],
            unreached=[],
            keep_all=True,
            clock=self.clock,
            random=bytes,
        )

    def close(self) -> None:
        self.state.close()
        self.store.close()

    # --- events -------------------------------------------------------------------------------

    def event(
        self, *members: Member, device: DeviceId = ANNA, time: DateTime | None = None
    ) -> EventText:
        """One change, or a batch of several, at `time` or a second after the event before."""
        self.clock.sleep(1)
        time = time or format_time(self.clock.now())
        if len(members) == 1:
            change, body = members[0]
            draft = draft_single(change, time, device, body or b"", PLAIN)
        else:
            draft = self._batch(members, device, time)
        self._take_in(draft)
        return draft.name

    def batch(self, *members: Member, device: DeviceId = ANNA) -> EventText:
        """A batch, also of one change."""
        self.clock.sleep(1)
        draft = self._batch(members, device, format_time(self.clock.now()))
        self._take_in(draft)
        return draft.name

    def put(
        self, path: str, content: str, parent: EventText | None = None, **more: Any
    ) -> EventText:
        """A file; `more` as of `member` and `event`."""
        return self._one(Op.PUT, path, content, parent, **more)

    def delete(self, path: str, parent: EventText, **more: Any) -> EventText:
        return self._one(Op.DEL, path, None, parent, **more)

    def move(
        self, source: str, path: str, content: str, parent: EventText, **more: Any
    ) -> EventText:
        return self._one(Op.MOV, path, content, parent, source=source, **more)

    def mkdir(self, path: str, **more: Any) -> EventText:
        return self._one(Op.MKD, path, None, None, **more)

    def write(self, changes: Iterable[Change], device: DeviceId = ANNA) -> list[EventText]:
        """Concrete changes without bodies, as the publisher writes them: a `cpy` by itself."""
        changes = list(changes)
        copies = [change for change in changes if change.op is Op.CPY]
        others: list[Member] = [(change, None) for change in changes if change.op is not Op.CPY]
        names = [self.event((copy, None), device=device) for copy in copies]
        return names + ([self.batch(*others, device=device)] if others else [])

    def _one(
        self, op: Op, path: str, content: str | None, parent: EventText | None, **more: Any
    ) -> EventText:
        when = {key: more.pop(key) for key in ("device", "time") if key in more}
        ref = ref_of(parent) if parent else NO_PARENT
        change = member(op, path, content, ref, **more)
        return self.event(change, **when)

    def _batch(self, members: Iterable[Member], device: DeviceId, time: DateTime) -> Draft:
        return draft_batch(members, time, device, PLAIN)

    def _take_in(self, draft: Draft) -> None:
        self.store.put_many([(self.layout.event(draft.name), b"".join(draft.body))])
        with self.state.transaction("test"):
            event = self.state.journal.add(draft.name, draft.ref, draft.size, EventState.KNOWN)
            self.state.journal.add_entries(event, draft.entries)
            self.state.stores.hold(event, whole=True)
            self.state.stores.owe(event, self.state.stores.ids())

    # --- what the log holds -------------------------------------------------------------------

    def all_entries(self) -> list[Entry]:
        return [entry for _, entries in self.state.journal.logs() for entry in entries]

    def id_of(self, event: str) -> int:
        row = self.state.journal.event(event)
        assert row is not None
        return row.id
