"""A table that is older than its folder: brought back from a backup, or of a folder that another
profile synced meanwhile (docs/design.md section 7, docs/decisions/0018).

What this device did since would look like edits of the user. So it is the table of a device that
lost it: nothing is told before the stores were read, what equals a logged version is that version,
and nothing that is missing was deleted.
"""

import logging
from contextlib import suppress

from firnline.folder.errors import FolderError
from firnline.sync.context import FolderContext, Problem

_logger = logging.getLogger(__name__)


def begin_age(context: FolderContext) -> None:
    """To be called when the folder is known to be here, before anything is settled: from now on
    the folder hears how far the table is. Raises DatabaseError."""
    state, age = context.state, 0
    with suppress(FolderError):
        age = context.root.age

    def tell(value: int) -> None:
        # Told by the next pass that changes something; until then an older table may be believed.
        with suppress(FolderError):
            context.root.note_age(value)

    state.age.begin(age, tell)
    if state.age.value >= age:
        return
    if not state.files.is_empty():
        _logger.info("folder %s: its table is older than the folder", context.name)
        message = "what is known of it here is older than the folder, as from a backup"
        context.found.append(Problem("", "state older", message))
    with state.transaction("forget folder"):
        state.forget_folder(age)
