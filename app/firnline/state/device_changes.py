"""What one device changed, by the log: for `sync.burst_guard`."""

from typing import NamedTuple

from firnline.core.entry import Entry
from firnline.core.event import DeviceId
from firnline.state.database import Database
from firnline.state.journal import COUNTS, ENTRY, entry_of_row

_DEVICE = "substr(e.name, -20, 8)"
_CHANGES = """n.kind IN ('f', '-') AND (n.op = 'del' OR n."offset" IS NOT NULL)"""


class Incoming(NamedTuple):
    """What a device changed and is not applied here: the first and the last event."""

    device: DeviceId
    first: str
    last: str


class DeviceChanges:
    """Read only."""

    def __init__(self, database: Database) -> None:
        self._sql = database.connection

    def incoming(self, *, fresh: bool = False) -> list[Incoming]:
        """Per device, changes of files that stand here, on top of what this device applied.
        `fresh`: without those that rest (`state.resting`)."""
        dirty = "dirty" if fresh else "all_dirty"
        rows = self._sql.execute(
            f"SELECT {_DEVICE}, min(e.name), max(e.name) FROM {dirty} d"
            " CROSS JOIN files f ON f.path=d.path AND f.kind='f'"
            " CROSS JOIN entries n ON n.path=d.path AND n.parent=f.base"
            " CROSS JOIN events e ON e.id=n.event"
            f" WHERE {COUNTS} AND {_CHANGES} GROUP BY 1"
        )
        return [Incoming(*row) for row in rows]

    def closing(self, device: DeviceId, low: str, high: str) -> list[Entry]:
        """Its changes of files that stood there, after `low` and up to `high`, which are names of
        events or beginnings of them; moves and copies are none."""
        indexed = "INDEXED BY entries_closing"
        return self._between(device, low, high, "n.parent!='0'", indexed)

    def fresh(self, device: DeviceId, low: str, high: str) -> list[Entry]:
        """Its files where nothing was before, as `closing`."""
        return self._between(device, low, high, "n.parent='0'")

    def _between(
        self, device: DeviceId, low: str, high: str, which: str, by: str = ""
    ) -> list[Entry]:
        rows = self._sql.execute(
            f"SELECT {ENTRY} FROM events e CROSS JOIN entries n {by} ON n.event=e.id"
            f" WHERE e.name>? AND e.name<=? AND {_DEVICE}=? AND {COUNTS} AND {which}"
            f" AND {_CHANGES}",
            (low, high, device),
        )
        return [entry_of_row(row) for row in rows]
