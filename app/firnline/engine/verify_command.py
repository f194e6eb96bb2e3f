"""`firnline verify`: is all that the stores should have there, and is it right?

Only looks; with `repair` what is bad is replaced from another place that has the right bytes.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from firnline.config.settings import FolderSettings
from firnline.engine.errors import UsageError
from firnline.engine.folder_root import FolderAwayError
from firnline.engine.open_folder import open_folder
from firnline.engine.problems import explain
from firnline.engine.runtime import Engine
from firnline.folder.errors import FolderError
from firnline.state.database import DatabaseError
from firnline.stores.errors import StoreError
from firnline.sync.check_store import StoreCheck
from firnline.sync.context import HOME, Connected, FolderContext
from firnline.sync.repair_store import Repair


@dataclass(frozen=True, slots=True)
class BadFile:
    """Something in a store that is not as it should be."""

    folder: str
    name: str
    """An event's name, a content's hash, or the path of what is neither."""
    why: str
    repaired: bool
    note: str = ""
    """Where what stood there before is kept now; '' when there was nothing to keep."""


@dataclass(slots=True)
class Verdict:
    """What was found in one store, all folders together."""

    store: str
    checked: int = 0
    bytes: int = 0
    bad: list[BadFile] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)
    """Why it could not be looked at, or not to the end."""

    @property
    def good(self) -> bool:
        """All was looked at, and all is right by now."""
        return not self.errors and all(bad.repaired for bad in self.bad)

    def to_json(self) -> dict[str, object]:
        return {
            "store": self.store,
            "checked": self.checked,
            "bytes": self.bytes,
            "bad": [
                {
                    "name": bad.name,
                    "why": bad.why,
                    "repaired": bad.repaired,
                    "folder": bad.folder,
                    "note": bad.note,
                }
                for bad in self.bad
            ],
            "errors": [explain(error, f"store {self.store}").line for error in self.errors],
        }


def verify(
    engine: Engine, folders: Iterable[str], store: str | None, *, repair: bool
) -> list[Verdict]:
    """Look at those folders (all, when none is named) in one store or in all, home included.

    Raises NoSuchFolderError, AmbiguousNameError, NoSuchStoreError and UsageError before anything
    is read, and CancelledError.
    """
    chosen = engine.folders(folders)
    if store not in (None, HOME):
        engine.store_settings(store or "")
    names = _names(engine, chosen, store)
    verdicts = {name: Verdict(name) for name in names}
    for folder in chosen:
        try:
            with open_folder(engine, folder) as context:
                _verify_folder(context, verdicts, repair=repair)
        except (FolderAwayError, StoreError, FolderError, DatabaseError, OSError) as error:
            for verdict in verdicts.values():
                verdict.errors.append(error)
    return list(verdicts.values())


def _names(engine: Engine, folders: Sequence[FolderSettings], store: str | None) -> list[str]:
    used = {name for folder in folders for name in folder.stores}
    ordered = [each.name for each in engine.settings.stores if each.name in used]
    names = [*ordered, HOME]
    if store is None:
        return names
    if store not in names:
        folder_names = ", ".join(folder.name for folder in folders)
        raise UsageError(f"{folder_names}: does not go to the store {store!r}")
    return [store]


def _verify_folder(context: FolderContext, verdicts: dict[str, Verdict], *, repair: bool) -> None:
    for unreached in context.unreached:
        if unreached.name in verdicts:
            verdicts[unreached.name].errors.append(unreached.why)
    for connected in _places(context):
        if connected.name in verdicts:
            _verify_store(context, connected, verdicts[connected.name], repair=repair)


def _places(context: FolderContext) -> Iterator[Connected]:
    """The home store first: what is whole there is a source for the others."""
    yield context.home
    yield from list(context.stores)


def _verify_store(
    context: FolderContext, connected: Connected, verdict: Verdict, *, repair: bool
) -> None:
    check = StoreCheck(context, connected)
    mender = Repair(context, connected) if repair else None
    try:
        for finding in check.findings():
            before = len(context.set_aside)
            repaired = mender is not None and mender.repair(finding)
            note = "; ".join(kept.message for kept in context.set_aside[before:])
            verdict.bad.append(BadFile(context.name, finding.name, finding.why, repaired, note))
    except StoreError as error:
        verdict.errors.append(error)
    verdict.checked += check.checked
    verdict.bytes += check.bytes
