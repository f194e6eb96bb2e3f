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

    def are_many(self, device: DeviceId, low: str, high: str, least: int) -> bool:
        """True when the device made so many changes on top of something between two names."""
        row = self._sql.execute(
            "SELECT count(*) FROM (SELECT 1 FROM events e CROSS JOIN entries n ON n.event=e.id"
            f" WHERE e.name>=? AND e.name<=? AND {_DEVICE}=? AND n.parent!='0' AND {COUNTS}"
            f" AND {_CHANGES} LIMIT ?)",
            (low, high, device, least),
        ).fetchone()
        return int(row[0]) >= least

    def between(self, device: DeviceId, low: str, high: str) -> list[Entry]:
        """Its changes of files, new ones included; moves and copies are none."""
        rows = self._sql.execute(
            f"SELECT {ENTRY} FROM events e CROSS JOIN entries n ON n.event=e.id"
            f" WHERE e.name>=? AND e.name<=? AND {_DEVICE}=? AND {COUNTS} AND {_CHANGES}",
            (low, high, device),
        )
        return [entry_of_row(row) for row in rows]
