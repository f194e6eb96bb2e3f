"""What people call the devices: read from the stores, remembered for when none is in reach."""

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from firnline.core.steps import Steps, no_steps
from firnline.engine.identity import write_private
from firnline.stores.errors import StoreError
from firnline.sync.connection import device_names
from firnline.sync.context import Connected

FILE = "devices.json"


def remembered(state: Path) -> dict[str, str]:
    """Device id → name, from the directory `state`. It is a cache: garbage counts as nothing."""
    with suppress(OSError, ValueError, RecursionError):
        found = json.loads((state / FILE).read_bytes())
        if isinstance(found, dict) and all(isinstance(name, str) for name in found.values()):
            return found
    return {}


def refresh(state: Path, stores: Iterable[Connected], steps: Steps = no_steps) -> Mapping[str, str]:
    """Ask the stores in reach, and remember what is new."""
    known = remembered(state)
    names = dict(known)
    for connected in stores:
        with suppress(StoreError):
            names |= device_names(connected.store)
    if names != known:
        write_private(state / FILE, (json.dumps(names, indent=0) + "\n").encode(), steps)
    return names
