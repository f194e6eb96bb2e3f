"""What a store can really do, found by trying it when the user adds it.

No two kinds of servers agree on what is exclusive or atomic, and some say more than they do, so
a store is tried rather than believed. Everything happens in the connection's own `tmp/`, under
names of its own, which are removed again. What is found is shown to the user and says which way is
quick; safety never rests on it.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from threading import Barrier, Thread

from firnline.core.clock import DAY_AHEAD, Clock
from firnline.stores.base import Capabilities, Store
from firnline.stores.deletion import delete_many
from firnline.stores.errors import AlreadyExistsError, NotFoundError, StoreError, UnavailableError
from firnline.stores.layout import ConnectionLayout
from firnline.stores.remarks import remarks_of

MANY = 1_200
"""Names in one directory: some servers list 750 or 1,000 and say nothing of the rest."""
RIVALS = 8
CLOCK_OFF = timedelta(minutes=5)
_BODY = b"0123456789" * 100


@dataclass(frozen=True, slots=True)
class Finding:
    """One line about one ability."""

    ability: str
    ok: bool
    meaning: str
    """What it means that the ability is missing; what was found, where there is more to say."""


@dataclass(frozen=True, slots=True)
class Report:
    """All that was found; `usable` is False when the store cannot keep anything."""

    findings: tuple[Finding, ...]
    capabilities: Capabilities
    usable: bool


def probe(store: Store, connection: str, clock: Clock, random: Callable[[int], bytes]) -> Report:
    """Try a store that was opened for `connection`.

    Raises UnavailableError when the store cannot be reached; what it refuses is a finding.
    """
    trial = _Trial(store, f"{ConnectionLayout(connection).tmp}/probe-{random(8).hex()}", clock)
    try:
        first = trial.check("write and read", "nothing can be kept there", trial.writes)
        if not first.ok:
            return Report((first,), store.capabilities, usable=False)
        found = [first, *trial.rest()]
    finally:
        trial.clean()
    return Report(tuple(found), trial.capabilities(found), usable=True)


class _Trial:
    """The trials, and the names that they leave."""

    def __init__(self, store: Store, prefix: str, clock: Clock) -> None:
        self._store = store
        self._prefix = prefix
        self._clock = clock
        self._made: set[str] = set()

    def check(self, ability: str, meaning: str, trial: Callable[[], str | None]) -> Finding:
        """A trial returns None when it went well, else what was wrong.

        Raises UnavailableError: a store that broke off cannot be judged.
        """
        try:
            wrong = trial()
        except UnavailableError:
            raise
        except StoreError as error:
            wrong = error.detail
        return Finding(ability, wrong is None, f"{meaning} ({wrong})" if wrong else "")

    def rest(self) -> Iterator[Finding]:
        check = self.check
        yield check("read a range", "batches are read whole: slower", self.reads_ranges)
        yield check(_EXCLUSIVE, "two devices may both think they were first", self.excludes)
        yield check(_RENAME, "half files may be seen; readers check each body", self.renames)
        yield check(_COPY, "copies travel over this device: slower", self.copies)
        yield check("list after write", "news are seen late", self.lists_new)
        yield check(_MANY, "parts of long listings are missing: use another store", self.lists_many)
        yield check("clock", "this device's own clock has to be right", self.tells_time)
        yield check("free space", "a full store is noticed only by failing", self.tells_space)
        yield check(_CLONES, "copies take space and time", self.shares_blocks)
        for ability, meaning, trial in remarks_of(self._store):
            yield check(ability, meaning, trial)

    def capabilities(self, findings: list[Finding]) -> Capabilities:
        """What the store says of itself, less what was not so."""
        ok = {finding.ability: finding.ok for finding in findings}
        said = self._store.capabilities
        return said._replace(
            exclusive_create=said.exclusive_create and ok[_EXCLUSIVE],
            atomic_rename=said.atomic_rename and ok[_RENAME],
            server_copy=said.server_copy and ok[_COPY],
            clones=ok[_CLONES],
        )

    def clean(self) -> None:
        """What cannot be removed now goes when the store is opened next."""
        with suppress(StoreError):
            delete_many(self._store, sorted(self._made))

    def writes(self) -> str | None:
        path = self._path("written")
        self._write(path, _BODY)
        return _unless(self._read(path) == _BODY, "other content came back")

    def reads_ranges(self) -> str | None:
        path = self._path("range")
        self._write(path, _BODY)
        with self._store.open(path, 7, 15) as reader:
            found = reader.read(1_000)
        return _unless(found == _BODY[7:22], "another range came back")

    def excludes(self) -> str | None:
        """Twice in a row, then all at once."""
        path = self._path("created")
        if self._create(path, b"first") is not None or self._create(path, b"second") is None:
            return "a second create went through"
        if self._read(path) != b"first":
            return "a second create changed the first"
        winners = self._race(self._path("race"))
        return _unless(winners == 1, f"{winners} of {RIVALS} at once went through")

    def renames(self) -> str | None:
        old, new = self._path("old"), self._path("new")
        self._write(old, b"old")
        self._write(new, b"new")
        self._store.rename(old, new)
        if self._store.size(old) is not None:
            return "the old name is still there"
        return _unless(self._read(new) == b"old", "the name that stood there was not replaced")

    def copies(self) -> str | None:
        source, target = self._path("source"), self._path("copy")
        self._write(source, _BODY)
        self._store.copy(source, target)
        if self._read(source) != _BODY or self._read(target) != _BODY:
            return "the copy is not the same"
        return _unless(self._store.capabilities.server_copy, "not inside the store")

    def lists_new(self) -> str | None:
        path = self._path("listed")
        self._write(path, b"")
        return _unless(path in self._listed(), "a new name is not listed")

    def lists_many(self) -> str | None:
        paths = [self._path(f"many-{number}") for number in range(MANY)]
        self._store.put_many((path, b"") for path in paths)
        found = len(self._listed() & set(paths))
        return _unless(found == MANY, f"{found} of {MANY} names")

    def tells_time(self) -> str | None:
        there = self._store.server_time()
        if there is None:
            return "it tells no time"
        off = abs(there - self._clock.now())
        if off > DAY_AHEAD:
            return "more than a day off this device's: one of them is wrong"
        return _unless(off <= CLOCK_OFF, f"{off.total_seconds():.0f} s off this device's")

    def tells_space(self) -> str | None:
        return _unless(self._store.free_space() is not None, "it does not tell")

    def shares_blocks(self) -> str | None:
        return _unless(self._store.capabilities.clones, "no reflinks")

    def _path(self, name: str) -> str:
        path = f"{self._prefix}-{name}"
        self._made.add(path)
        return path

    def _write(self, path: str, body: bytes) -> None:
        with self._store.upload() as upload:
            upload.write(body)
            upload.commit(path)

    def _read(self, path: str) -> bytes:
        try:
            return self._store.read_small(path, 2 * len(_BODY))
        except NotFoundError:
            return b""

    def _listed(self) -> set[str]:
        directory = self._prefix.rpartition("/")[0]
        return {f"{directory}/{entry.name}" for entry in self._store.list(directory)}

    def _create(self, path: str, body: bytes) -> AlreadyExistsError | None:
        try:
            self._store.create(path, body)
        except AlreadyExistsError as error:
            return error
        return None

    def _race(self, path: str) -> int:
        """How many of several writers that create one name at once are told that they did."""
        start, winners = Barrier(RIVALS), list[int]()

        def rival(number: int) -> None:
            start.wait()
            try:
                self._store.create(path, b"%d" % number)
            except StoreError:
                return
            winners.append(number)

        rivals = [Thread(target=rival, args=(number,)) for number in range(RIVALS)]
        for thread in rivals:
            thread.start()
        for thread in rivals:
            thread.join()
        return len(winners)


_EXCLUSIVE = "create exclusively"
_RENAME = "rename over a name"
_COPY = "copy inside the store"
_MANY = f"{MANY:,} names in one directory"
_CLONES = "share blocks (reflink)"


def _unless(fine: bool, wrong: str) -> str | None:
    return None if fine else wrong
