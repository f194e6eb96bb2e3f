"""A question, ready to be shown and to be answered, whatever it is about."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from firnline.engine.sync_command import FolderOutcome


@dataclass(frozen=True, slots=True)
class Waiting:
    """One question, ready to be shown and to be answered."""

    id: str
    folder: str | None
    """The folder's name on this device; None for what concerns several."""
    kind: str
    text: str
    """One sentence or two."""
    choices: Mapping[str, str]
    """What can be answered, and what each does."""
    since: str
    """ISO 8601."""
    details: Mapping[str, Any]
    decide: Callable[[str], list[FolderOutcome]]
    """Carries out a choice, or as much of it as can be done now; the rest is remembered. What
    passes over the folders did for it comes back."""

    def to_json(self) -> dict[str, object]:
        return {
            "id": self.id,
            "folder": self.folder,
            "kind": self.kind,
            "text": self.text,
            "choices": list(self.choices),
            "since": self.since,
            "details": dict(self.details),
        }
