"""Settling a conflict: what stands in the folder is taken in first, then the decision is written,
then it is applied and sent like any other event."""

from firnline.engine.errors import RefusedError
from firnline.engine.open_folder import open_folder
from firnline.engine.runtime import Engine
from firnline.engine.sync_command import FolderOutcome
from firnline.history.conflicts import resolution
from firnline.sync.folder_pass import run_pass
from firnline.sync.publisher import publish_changes


def resolve_conflict(
    engine: Engine, folder_name: str, path: str, keep: str | None
) -> FolderOutcome:
    """Keep the version that the event `keep` wrote; None keeps both.

    Raises NoConflictError, NoSuchVersionError, DirectoryThereError, RefusedError for a paused
    folder, and what a pass raises.
    """
    folder = engine.folder(folder_name)
    if folder.paused:
        raise RefusedError(
            f"{folder.name!r} is paused", f"`firnline folder resume {folder.name}` first"
        )
    outcome = FolderOutcome(folder.name)
    with open_folder(engine, folder) as context:
        run_pass(context)
        publish_changes(context, resolution(context, path, keep))
        outcome.report = run_pass(context)
        outcome.unreached = list(context.unreached)
    return outcome
