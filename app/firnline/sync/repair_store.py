"""Making good what a look at a store has found, from wherever the right bytes are.

An event comes from another store, the home store, or is made again from contents that are still at
hand, those of the folder's files included; so do paths and contents. What is damaged is replaced
in one step by what was checked on its way, after a copy of it was kept on this device (it may be
what somebody wrote there), and stays where nobody has the right bytes: a part of it may be the only
copy. Whether it was repaired is what reading it again says.
"""

from collections.abc import Iterator

from firnline.core.event import EventText, parse_name
from firnline.core.hashing import DataHash
from firnline.core.paths import MAX_PATH_BYTES
from firnline.state.journal import EventRow, EventState
from firnline.stores.errors import StoreError
from firnline.sync.check_store import Finding, Part, StoreCheck
from firnline.sync.context import Connected, FolderContext
from firnline.sync.copier import Copier
from firnline.sync.filling import Filling, TargetError
from firnline.sync.odd_files import keep_odd
from firnline.sync.verify_stream import verified


class Repair:
    """Repairs one store of a folder, which has to be opened for writing."""

    def __init__(self, context: FolderContext, target: Connected) -> None:
        self._context = context
        self._target = target
        self._check = StoreCheck(context, target)
        self._copier = Copier(context)

    def repair(self, finding: Finding) -> bool:
        """True when what was found is all right now. Raises CancelledError and DatabaseError."""
        try:
            if finding.part is Part.EVENT:
                return self._repair_event(finding)
            if finding.part is Part.INDEX:
                return self._repair_index(finding.name)
            return self._repair_content(DataHash(finding.name))
        except (StoreError, TargetError):
            return False

    # --- events -------------------------------------------------------------------------------

    def _repair_event(self, finding: Finding) -> bool:
        name = EventText(finding.name)
        row = self._context.state.journal.event(name)
        if row is not None and row.state in (EventState.KNOWN, EventState.BODILESS):
            self._bring(row, finding)
        else:
            self._copy(name)
        return self._check.check_event(parse_name(name)) is None

    def _bring(self, row: EventRow, finding: Finding) -> None:
        """As to a store that lacks it. Where a damaged one stands, its whole parts are a source."""
        if self._target is not self._context.home:
            state = self._context.state
            with state.transaction("event lost"):
                state.stores.lost(self._target.store_id, row.id, wrong=finding.stands)
        filling = Filling(self._context, self._target)
        filling.replaces(self._context.layout.event(row.name))
        self._copier.bring(filling, row)
        filling.flush()

    def _copy(self, name: EventText) -> None:
        """One that this device cannot read: nothing but its name says what is right."""
        context, path = self._context, self._context.layout.event(name)
        for source in self._others():
            try:
                chunks = verified(parse_name(name), source.store.open(path), context.hasher)
                self._write(path, chunks)
            except StoreError:
                continue
            return

    # --- paths and contents -------------------------------------------------------------------

    def _repair_index(self, path: str) -> bool:
        for body in self._paths(path):
            if self._context.layout.index(self._context.hasher.path(body.decode())) == path:
                self._target.require_current()
                keep_odd(self._context, self._target, path, body)
                self._target.store.put_many([(path, body)])
                return self._check.check_index(path) is None
        return False

    def _paths(self, place: str) -> Iterator[bytes]:
        """What may stand at that place of `eventsindex`: as others have it, else as the log does.

        Only valid UTF-8.
        """
        for source in self._others():
            try:
                body = source.store.read_small(place, MAX_PATH_BYTES)
                body.decode()
            except (StoreError, UnicodeDecodeError):
                continue
            yield body
        yield from (path.encode() for path, _ in self._context.state.journal.logs())

    def _repair_content(self, data_hash: DataHash) -> bool:
        filling = Filling(self._context, self._target)
        filling.replaces(self._context.layout.history(data_hash))
        filling.bring_content(data_hash)
        return self._check.check_content(data_hash) is None

    # --- both ---------------------------------------------------------------------------------

    def _others(self) -> list[Connected]:
        places = [self._context.home, *self._context.stores]
        return [place for place in places if place is not self._target]

    def _write(self, path: str, chunks: Iterator[bytes]) -> None:
        with self._target.store.upload() as upload:
            for chunk in chunks:
                upload.write(chunk)
            upload.flush()
            self._target.require_current()
            keep_odd(self._context, self._target, path)
            upload.commit(path)
