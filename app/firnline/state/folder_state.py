"""All that this device keeps about one folder, behind one database."""

from pathlib import Path

from firnline.core.steps import Steps, no_steps
from firnline.state.alias_table import AliasTable
from firnline.state.database import Database
from firnline.state.device_changes import DeviceChanges
from firnline.state.directory_moves import DirectoryMoves
from firnline.state.dirty_paths import DirtyPaths
from firnline.state.file_index import FileIndex
from firnline.state.folder_schema import MIGRATIONS
from firnline.state.intents import IntentTable
from firnline.state.journal import Journal
from firnline.state.questions import QuestionTable
from firnline.state.resting import Resting
from firnline.state.store_table import StoreTable
from firnline.state.table_age import TableAge

BEGUN = "begun"
"""The fact that a pass came to its end with this table."""


class FolderState:
    """The tables of one folder. `database.transaction(name)` spans all of them."""

    def __init__(
        self,
        path: Path,
        *,
        steps: Steps = no_steps,
        check: bool = False,
        patience: float = 5.0,
    ) -> None:
        """`check`, `patience`: see `Database`. Raises DatabaseError."""
        self.database = Database(path, MIGRATIONS, steps=steps, check=check, patience=patience)
        self.transaction = self.database.transaction
        self.journal = Journal(self.database)
        self.dirty = DirtyPaths(self.database)
        self.resting = Resting(self.database)
        self.age = TableAge(self.database)
        self.files = FileIndex(self.database, self.age)
        self.stores = StoreTable(self.database)
        self.intents = IntentTable(self.database, self.age)
        self.questions = QuestionTable(self.database)
        self.directory_moves = DirectoryMoves(self.database, self.age)
        self.aliases = AliasTable(self.database)
        self.device_changes = DeviceChanges(self.database)

    def fact(self, name: str) -> str | None:
        """A single remembered value, such as the root's identity."""
        row = self.database.connection.execute(
            "SELECT value FROM facts WHERE name=?", (name,)
        ).fetchone()
        return None if row is None else str(row[0])

    def set_fact(self, name: str, value: str) -> None:
        self.database.connection.execute(
            "INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value)
        )

    def forget_folder(self, age: int) -> None:
        """From now on this is the table of a device that lost it: nothing is known of the folder,
        which is of this age. What was seen in stores stays known; they are listed in full again.
        In the caller's transaction."""
        execute = self.database.connection.execute
        for table in ("files", "intents", "rescued"):
            execute(f"DELETE FROM {table}")
        execute("DELETE FROM facts WHERE name=?", (BEGUN,))
        self.dirty.mark_unbooked()
        self.stores.list_anew()
        self.age.set(age)

    def close(self) -> None:
        self.database.close()
