"""What stands in a store, read with nothing but the format: names, manifests, contents by hash.

Nothing here asks a laptop's tables, so it shows what another program would find there.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.scenario.laptops import Laptop

from firnline.core.batch import manifest_size, read_manifest
from firnline.core.entry import Entry, entries_of_batch, entries_of_event
from firnline.core.event import EventText, Kind, Op, parse_name, ref_of
from firnline.core.hashing import EMPTY_HASH, PLAIN, DataHash, PathHash


def event_files(store: Path) -> dict[EventText, Path]:
    """The event files of a store, by name."""
    found = sorted(store.glob("*/events/*/*"))
    return {EventText(path.name): path for path in found if path.is_file()}


def entries_in(store: Path) -> list[Entry]:
    """What all events of a store do."""
    return [entry for name, path in event_files(store).items() for entry in _entries(path, name)]


def operations(store: Path) -> Counter[tuple[str, ...]]:
    """What all events of a store do, whoever wrote them and when."""
    return Counter(
        (str(e.op), e.path, str(e.other), e.data_hash, e.flags) for e in entries_in(store)
    )


def contents_in(store: Path) -> dict[DataHash, bytes]:
    """Every content that the store has, in an event or in its history, under its true hash."""
    return {PLAIN.data(body): body for body in _all_bodies(store)}


def hashes_in(store: Path) -> set[DataHash]:
    """The true hashes of all contents that the store has; one file at a time is in memory."""
    return {PLAIN.data(body) for body in _all_bodies(store)}


def missing_contents(store: Path) -> set[DataHash]:
    """What events of the store bring or name, and nobody finds there by its hash."""
    return named_in(store) - hashes_in(store)


def named_in(store: Path) -> set[DataHash]:
    """The contents, but for the empty one, that events of the store bring or name."""
    named = {e.data_hash for e in entries_in(store) if e.kind in (Kind.FILE, Kind.LINK)}
    return named - {EMPTY_HASH}


def _all_bodies(store: Path) -> Iterator[bytes]:
    for name, path in event_files(store).items():
        yield from _bodies(path, name)
    for path in sorted(store.glob("*/history/data/*/*")):
        if path.is_file():
            yield path.read_bytes()


def everything_of(laptops: Iterable[Laptop]) -> set[DataHash]:
    """The hash of all that can still be read somewhere: folders, stores, home stores."""
    places = {place for laptop in laptops for place in (*laptop.stores, laptop.place / "home")}
    found = {data_hash for place in sorted(places) for data_hash in contents_in(place)}
    for laptop in laptops:
        found.update(folder_contents(laptop))
    return found


def folder_contents(laptop: Laptop) -> Counter[DataHash]:
    """The hash of every file and link in a laptop's folder, and how often it stands there."""
    found: Counter[DataHash] = Counter()
    for path in laptop.folder.rglob("*"):
        if ".firnline" in path.parts:
            continue
        if path.is_symlink():
            found[PLAIN.data(str(path.readlink()).encode())] += 1
        elif path.is_file():
            found[PLAIN.data(path.read_bytes())] += 1
    return found


def _entries(path: Path, name: EventText) -> list[Entry]:
    event, ref = parse_name(name), ref_of(name)
    if event.op is Op.BAT:
        changes = read_manifest(_split(path)[0])
        return entries_of_batch(changes, name, ref)
    target, source = _path(path, event.target), event.source and _path(path, event.source)
    return entries_of_event(event, name, ref, target, source or None, path.stat().st_size)


def _path(event: Path, path_hash: PathHash) -> str:
    """A path from `eventsindex`, of the store that has this event file."""
    return (event.parents[2] / "eventsindex" / path_hash[:2] / path_hash).read_text()


def _bodies(path: Path, name: EventText) -> Iterator[bytes]:
    op = parse_name(name).op
    if op in (Op.PUT, Op.LNK):
        yield path.read_bytes()
    if op is Op.BAT:
        manifest, bodies = _split(path)
        for change in read_manifest(manifest):
            # A batch may end with its manifest, where nobody has all that it brought.
            if change.offset is not None and bodies:
                yield bodies[change.offset : change.offset + change.size]


def _split(path: Path) -> tuple[bytes, bytes]:
    """Manifest and bodies of a batch."""
    whole = path.read_bytes()
    header, length = manifest_size(whole[:64])
    return whole[header : header + length], whole[header + length :]
