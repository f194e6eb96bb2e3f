"""One fault of a store at a chosen call of a pass, of each kind that fits the call.

`Haunted` wraps every store of a laptop: it notes the calls of a pass over all of them, and lets
one fault happen at one of them.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from tests.doubles.faulty_store import ANY, Fault, FaultyStore
from tests.scenario.laptops import Laptop

from firnline.stores.base import Listed, Store
from firnline.stores.errors import (
    AlreadyExistsError,
    DeniedError,
    FullError,
    NotFoundError,
    UnavailableError,
)
from firnline.sync.context import HOME

TIMEOUT = UnavailableError("", "timed out")
BROKE_OFF = UnavailableError("", "broke off")
REFUSED = DeniedError("", "permission denied")
FULL = FullError("", "no space left on device")
MISSING = NotFoundError("", "no such file")
EXISTS = AlreadyExistsError("", "exists")

WRITING = frozenset(
    {"upload", "write", "flush", "commit", "put_many", "create", "rename", "copy", "delete"}
)
FOREVER = 10**9


def stride(default: int) -> int:
    """How many of the possible faults are passed over for each that is tried: as FIRNLINE_FAULTS
    says, a number or `all`."""
    wanted = os.environ.get("FIRNLINE_FAULTS", "")
    return 1 if wanted == "all" else int(wanted or default)


class Kind(NamedTuple):
    """What goes wrong, and in calls of which methods; `ANY`: it goes on in all calls after."""

    fault: Fault
    methods: frozenset[str] = frozenset()
    """Empty: of all."""

    def fits(self, call: "Call") -> bool:
        """Also: this computer's own disk does not list what stood there once."""
        if call.is_home and (
            self.fault.stale or (call.method == "list" and self.fault.short is not None)
        ):
            return False
        return not self.methods or call.method in self.methods

    def at(self, call: "Call") -> Fault:
        """The fault at this very call."""
        method = self.fault.method or call.method
        return replace(self.fault, method=method, after=call.number)


def _in(*methods: str) -> frozenset[str]:
    return frozenset(methods)


KINDS: dict[str, Kind] = {
    "timeout before the effect": Kind(Fault("", error=TIMEOUT)),
    "timeout after the effect": Kind(Fault("", error_after=TIMEOUT), WRITING),
    "gone and back": Kind(Fault(ANY, error=TIMEOUT, repeat=FOREVER)),
    "no permission": Kind(Fault("", error=REFUSED)),
    "slow": Kind(Fault("", delay=100.0)),
    "no space": Kind(Fault("", error=FULL), WRITING - {"delete"}),
    "no space for long": Kind(Fault("", error=FULL, repeat=FOREVER), WRITING - {"delete"}),
    "partial write": Kind(
        Fault("", error_midway=BROKE_OFF), _in("write", "commit", "put_many", "create")
    ),
    "exists already": Kind(Fault("", error_after=EXISTS), _in("create", "commit", "rename")),
    "not found": Kind(Fault("", error=MISSING), _in("open", "read_small")),
    "cut": Kind(Fault("", short=3), _in("read", "read_small")),
    "garbled": Kind(Fault("", garble=True), _in("read", "read_small", "read_back")),
    "broke off": Kind(Fault("", error_midway=BROKE_OFF), _in("list")),
    "stale listing": Kind(Fault("", stale=True), _in("list")),
    "shortened listing": Kind(Fault("", short=1), _in("list")),
    "empty listing": Kind(Fault("", short=0), _in("list")),
    "disorder": Kind(Fault("", disorder=True), _in("list")),
}
"""By words of RELIABILITY section 2."""


class Call(NamedTuple):
    """One call of a pass."""

    store: str
    number: int
    """Of the calls of this store."""
    method: str
    path: str

    def __str__(self) -> str:
        return f"call {self.number} of {self.store}, {self.method} {self.path}"

    @property
    def is_home(self) -> bool:
        """The store on this very computer."""
        return self.store == HOME


@dataclass
class Haunted:
    """Wraps the stores of a laptop while it lasts; with a target, the fault happens there."""

    laptop: Laptop
    target: Call | None = None
    kind: Kind | None = None
    before: Mapping[str, Path] = field(default_factory=dict)
    """By store: a directory that stands as the store once stood; what stale listings show."""
    stores: dict[str, FaultyStore] = field(default_factory=dict)

    def __enter__(self) -> "Haunted":
        self.laptop.wrap = self._wrap
        return self

    def __exit__(self, *exc: object) -> None:
        self.laptop.wrap = lambda name, store: store

    def _wrap(self, name: str, inner: Store) -> Store:
        store = FaultyStore(inner, self.laptop.clock)
        self.stores[name] = store
        if self.target is not None and self.kind is not None and self.target.store == name:
            store.add(self.kind.at(self.target))
            if self.kind.fault.stale and name in self.before:
                store.listings.update(_listing(self.before[name], self.target.path))
        return store

    def calls(self) -> Iterator[Call]:
        """All calls of the pass."""
        for name, store in self.stores.items():
            for number, (method, path) in enumerate(store.calls):
                yield Call(name, number, method, path)

    def happened(self) -> bool:
        return any(fault.hits for store in self.stores.values() for fault in store.faults)


def _listing(base: Path, directory: str) -> dict[str, list[Listed]]:
    place = base / directory
    if not place.is_dir():
        return {}
    return {directory: [Listed(path.name, None, path.is_dir()) for path in place.iterdir()]}
