"""What looks like the encryption of many files by malware (docs/design.md section 7, *Safety*).

Two kinds of signs, the cheap ones first. From the log alone: one device replaced the content of
`LEAST` files that were there, within `SPAN`. A file counts that has another content under its name,
or that is gone while a new one stands beside it under its name with another ending. Moves, copies,
new files and contents that the log had before (restore, undo) do not count. Only then contents are
read, a sample of the newest: before, they were something that can be recognised (compressible, or
of a known compressed format); after, they are noise (incompressible, and of no known format).

Why these numbers. CryptoDrop (Scaife and others, ICDCS 2016) watches a device itself and joins
changed file types, dissimilar contents and entropy, since each alone is common; so are joined signs
here. We can wait for more files than a guard on the device itself, since nothing is lost by then:
each version is in the log. 100 in ten minutes is little for malware, which does hundreds a minute,
and few people replace so many files so fast by noise. `zlib` tells noise from text in 256 bytes;
entropy per byte does not before some ten thousand. Half of the sample is enough, since ordinary
saves may be among it. What gzip, zip or an image converter makes begins with a known mark.

Not found: malware that is slow, that writes text (base64), that forges marks, or that encrypts a
part of each file only. What it overwrites stays in the history all the same.
"""

import zlib
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from firnline.core.clock import parse_time
from firnline.core.entry import Entry
from firnline.core.event import DeviceId, Kind
from firnline.core.hashing import NO_PARENT, Ref
from firnline.core.heads import by_name, by_ref, heads_of

SPAN = 600.0
"""Seconds."""
LEAST = 100
SAMPLE = 16
"""Files whose contents are compared."""
MEASURED = 8
"""With fewer that could be read and are large enough there is no verdict."""
SMALLEST = 256
"""Bytes; less does not tell noise from text."""

_LOOKED_AT = 2**16
_NOISE = 0.95
_MARKS = (
    b"\x1f\x8b", b"PK", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd", b"7z\xbc\xaf", b"Rar!",
    b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"RIFF", b"%PDF", b"ID3", b"\xff\xfb", b"OggS", b"fLaC",
    b"\x1a\x45\xdf\xa3", b"\x04\x22\x4d\x18", b"PACK", b"wOF2",
)  # fmt: skip
_MEDIA = b"ftyp"
"""At byte 4: MP4, HEIC, AVIF."""


class Replaced(NamedTuple):
    """A file whose content one device replaced."""

    old: Entry
    new: Entry
    gone: Entry | None = None
    """The deletion of `old`, where the new content has another name."""

    @property
    def entries(self) -> tuple[Entry, ...]:
        """What the device did."""
        return (self.new,) if self.gone is None else (self.new, self.gone)


def replaced(
    changes: Iterable[Entry], before: Callable[[Entry], Entry | None]
) -> dict[str, Replaced]:
    """Per path, what the changes of one device replaced; `before` tells what a change closes."""
    found: dict[str, Replaced] = {}
    gone: dict[str, tuple[Entry, Entry]] = {}
    fresh: list[Entry] = []
    for entry in sorted(changes, key=by_name):
        old = before(entry)
        was_file = old is not None and old.kind is Kind.FILE
        if entry.kind is Kind.FILE and not was_file and entry.offset is not None:
            fresh.append(entry)
        if old is None or not was_file:
            continue
        if entry.kind is Kind.NOTHING:
            gone[entry.path] = (old, entry)
        elif entry.offset is not None and entry.data_hash != old.data_hash:
            first = found.get(entry.path)
            found[entry.path] = Replaced(old if first is None else first.old, entry)
    found.update(_renamed(gone, fresh))
    return found


def _renamed(
    gone: Mapping[str, tuple[Entry, Entry]], fresh: Iterable[Entry]
) -> dict[str, Replaced]:
    """`a.txt` that went where `a.txt.locked` or `a.locked` came."""
    stems = {_stem(path): path for path in gone}
    found = {}
    for entry in fresh:
        stem = _stem(entry.path)
        path = stem if stem in gone else stems.get(stem)
        if path is None or path == entry.path:
            continue
        old = gone[path][0]
        if old.event < entry.event and old.data_hash != entry.data_hash:
            found[entry.path] = Replaced(old, entry, gone[path][1])
    return found


def _stem(path: str) -> str:
    directory, slash, leaf = path.rpartition("/")
    stem = leaf.rpartition(".")[0]
    return directory + slash + (stem or leaf)


def burst(found: Iterable[Replaced], held: Iterable[str] = ()) -> list[Replaced]:
    """Those that stand with so many others within `SPAN`, or within it of the events in `held`."""
    ordered = sorted(found, key=lambda one: one.new.event)
    times = [_seconds(one.new.event) for one in ordered]
    near = sorted(_seconds(name) for name in held)
    last = -1
    chosen: set[int] = set()
    for start, time in enumerate(times):
        end = bisect_right(times, time + SPAN)
        if end - start >= LEAST:
            chosen.update(range(max(start, last), end))
            last = end
        place = bisect_left(near, time - SPAN)
        if place < len(near) and near[place] <= time + SPAN:
            chosen.add(start)
    return [ordered[place] for place in sorted(chosen)]


def sample(found: Sequence[Replaced], most: int) -> list[Replaced]:
    """The files to compare: of the newest `LEAST`, spread evenly over those of a fitting size, in
    bytes."""
    newest = sorted(found, key=lambda one: one.new.event)[-LEAST:]
    fitting = [one for one in newest if all(SMALLEST <= e.size <= most for e in (one.old, one.new))]
    count = min(SAMPLE, len(fitting))
    return [fitting[place * len(fitting) // count] for place in range(count)]


def looks_encrypted(contents: Sequence[tuple[bytes, bytes]]) -> bool | None:
    """The verdict over old and new contents; None where there are too few to tell."""
    if len(contents) < MEASURED:
        return None
    turned = sum(not is_noise(old) and is_noise(new) for old, new in contents)
    return 2 * turned >= len(contents)


def is_noise(content: bytes) -> bool:
    """Incompressible, and of no known format."""
    head = content[:_LOOKED_AT]
    if head.startswith(_MARKS) or head[4:8] == _MEDIA:
        return False
    return len(zlib.compress(head, 6)) >= _NOISE * len(head)


def held_refs(entries: Sequence[Entry], roots: Iterable[str]) -> set[str]:
    """The held events of one path and all that descends from them."""
    found = set(roots)
    size = -1
    while size != len(found):
        size = len(found)
        found.update(entry.ref for entry in entries if entry.closes in found)
    return found


def before_burst(entry: Entry, entries: Sequence[Entry], held: set[str]) -> Entry | None:
    """The version of the path that `entry` stands on and that is not held."""
    known, seen = by_ref(entries), set[Ref]()
    ref = entry.closes
    while ref in known and ref in held and ref not in seen:
        seen.add(ref)
        ref = known[ref].closes
    return None if ref == NO_PARENT or ref in held else known.get(ref)


def held_heads(
    entries: Sequence[Entry], held: set[str], is_own: Callable[[Entry], bool]
) -> list[Entry]:
    """The heads by which a path is held, by name. What this device wrote itself is none, nor is
    what brings back the version before: an undo of somebody else."""
    found = []
    for head in sorted(heads_of(entries), key=by_name) if entries else ():
        if head.ref not in held or is_own(head):
            continue
        old = before_burst(head, entries, held)
        was = (Kind.NOTHING, "", "") if old is None else old.content
        if head.content != was:
            found.append(head)
    return found


def device_in(event: str) -> DeviceId:
    """The DEVICE of an event name, without parsing it."""
    return DeviceId(event[-20:-12])


def _seconds(event: str) -> float:
    return parse_time(event[:20]).timestamp()
