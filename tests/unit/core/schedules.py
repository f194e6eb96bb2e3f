"""Schedules for the model of `observers.py`: what users and devices do, one step after the other.

A schedule is plain data, so that hypothesis can cut a failing one down to the steps that matter.
"""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import NamedTuple

from hypothesis import strategies as st
from tests.unit.core.builders import data_hash
from tests.unit.core.observers import Observer, World

from firnline.core.event import Kind
from firnline.core.hashing import EMPTY_HASH
from firnline.core.reconcile import Finding

PATHS = ("p", "q", "r", "d", "d/x", "e/x")
SKEWS = (0.0, 1.0, -5.0, 100.0)
"""How far the devices' clocks may be off, in seconds."""


class Verb(StrEnum):
    """What can happen."""

    NOTHING = "nothing"
    SAVE = "save"
    SAVE_AND_SCAN = "save and scan"
    REMOVE = "remove"
    RENAME = "rename"
    RENAME_AND_SAVE = "rename and save"
    RENAME_DIRECTORY = "rename directory"
    SWAP = "swap"
    COPY = "copy"
    CHMOD = "chmod"
    LINK = "link"
    MAKE_DIRECTORY = "make directory"
    SCAN = "scan"
    DELIVER = "deliver"
    DELIVER_ALL = "deliver all"
    APPLY = "apply"
    APPLY_ALL = "apply all"
    RESOLVE = "resolve"
    LOSE_TABLE = "lose table"
    LOSE_PATIENCE = "lose patience"
    EVERYBODY = "everybody"


class Step(NamedTuple):
    """Who does what to which paths; `choice` decides what remains open."""

    who: int
    verb: Verb
    path: str = "p"
    other: str = "q"
    choice: int = 0


def perform(world: World, steps: Sequence[Step]) -> None:
    """The schedule; afterwards nobody has lost patience, and nothing is settled yet."""
    for number, step in enumerate(steps):
        world.seconds += (0, 0.3, 1, 0.000_001)[step.choice % 4]
        observer = world.observers[step.who % len(world.observers)]
        _DO[step.verb](observer, step, f"content {number}")
    for observer in world.observers:
        observer.impatient = False


def _save(observer: Observer, step: Step, fresh: str) -> None:
    """Mostly a content of its own; now and then one that somebody else may have as well."""
    content = fresh if step.choice % 3 else f"common {step.choice % 2}"
    flags = "x" if step.choice % 7 == 6 else "-"
    observer.save(step.path, Finding(Kind.FILE, data_hash(content), flags))


def _save_and_scan(observer: Observer, step: Step, fresh: str) -> None:
    _save(observer, step, fresh)
    _scan(observer, step, fresh)


def _remove(observer: Observer, step: Step, fresh: str) -> None:
    observer.remove(step.path)


def _rename(observer: Observer, step: Step, fresh: str) -> None:
    observer.rename(step.path, step.other)


def _rename_and_save(observer: Observer, step: Step, fresh: str) -> None:
    observer.rename(step.path, step.other)
    if step.other in observer.renamed:
        observer.folder[step.other] = Finding(Kind.FILE, data_hash(fresh), "-")


def _rename_directory(observer: Observer, step: Step, fresh: str) -> None:
    source, target = ("d", "e") if step.choice % 2 else ("e", "d")
    for path in [path for path in observer.folder if path.startswith(f"{source}/")]:
        observer.rename(path, f"{target}/{path.partition('/')[2]}")


def _swap(observer: Observer, step: Step, fresh: str) -> None:
    folder, path, other = observer.folder, step.path, step.other
    both = [folder.get(path), folder.get(other)]
    if path != other and all(found is not None and found.kind is Kind.FILE for found in both):
        folder[path], folder[other] = folder[other], folder[path]
        observer.renamed |= {path: other, other: path}


def _copy(observer: Observer, step: Step, fresh: str) -> None:
    found = observer.folder.get(step.path)
    if found is not None and found.kind is not Kind.DIRECTORY:
        observer.save(step.other, found)


def _chmod(observer: Observer, step: Step, fresh: str) -> None:
    found = observer.folder.get(step.path)
    if found is not None and found.kind is Kind.FILE:
        observer.folder[step.path] = found._replace(flags="x" if found.flags == "-" else "-")


def _link(observer: Observer, step: Step, fresh: str) -> None:
    target = fresh if step.choice % 3 else "common"
    observer.save(step.path, Finding(Kind.LINK, data_hash(target), "-"))


def _make_directory(observer: Observer, step: Step, fresh: str) -> None:
    observer.save(step.path, Finding(Kind.DIRECTORY, EMPTY_HASH, "-"))


def _scan(observer: Observer, step: Step, fresh: str) -> None:
    observer.scan(in_batch=bool(step.choice % 2))


def _deliver(observer: Observer, step: Step, fresh: str) -> None:
    missing = sorted(observer.world.events.keys() - observer.known.keys())
    if missing:
        observer.receive(observer.world.events[missing[step.choice % len(missing)]])


def _deliver_all(observer: Observer, step: Step, fresh: str) -> None:
    for event in list(observer.world.events.values()):
        observer.receive(event)


def _apply(observer: Observer, step: Step, fresh: str) -> None:
    if step.path in observer.paths:
        observer.apply(step.path)


def _apply_all(observer: Observer, step: Step, fresh: str) -> None:
    observer.apply_all()


def _resolve(observer: Observer, step: Step, fresh: str) -> None:
    observer.resolve(backwards=bool(step.choice % 2))


def _lose_table(observer: Observer, step: Step, fresh: str) -> None:
    """A device without its table first reads every store in full (section 7)."""
    _deliver_all(observer, step, fresh)
    observer.table.clear()
    observer.renamed.clear()
    _scan(observer, step, fresh)


def _lose_patience(observer: Observer, step: Step, fresh: str) -> None:
    observer.impatient = not observer.impatient
    observer.unresolved |= observer.paths.keys()


def _everybody(observer: Observer, step: Step, fresh: str) -> None:
    """All devices meet: what follows happens on top of one common state."""
    for each in observer.world.observers:
        _scan(each, step, fresh)
    observer.world.exchange()
    for each in observer.world.observers:
        each.resolve()
    observer.world.exchange()
    for each in observer.world.observers:
        each.apply_all()


def _nothing(observer: Observer, step: Step, fresh: str) -> None:
    """Where a failing schedule had a step that does not matter."""


_DO: dict[Verb, Callable[[Observer, Step, str], None]] = {
    Verb.NOTHING: _nothing,
    Verb.SAVE: _save,
    Verb.SAVE_AND_SCAN: _save_and_scan,
    Verb.REMOVE: _remove,
    Verb.RENAME: _rename,
    Verb.RENAME_AND_SAVE: _rename_and_save,
    Verb.RENAME_DIRECTORY: _rename_directory,
    Verb.SWAP: _swap,
    Verb.COPY: _copy,
    Verb.CHMOD: _chmod,
    Verb.LINK: _link,
    Verb.MAKE_DIRECTORY: _make_directory,
    Verb.SCAN: _scan,
    Verb.DELIVER: _deliver,
    Verb.DELIVER_ALL: _deliver_all,
    Verb.APPLY: _apply,
    Verb.APPLY_ALL: _apply_all,
    Verb.RESOLVE: _resolve,
    Verb.LOSE_TABLE: _lose_table,
    Verb.LOSE_PATIENCE: _lose_patience,
    Verb.EVERYBODY: _everybody,
}

# How often each verb comes, as far as hypothesis follows it: what meets conflicts, more.
_VERBS = (
    [Verb.NOTHING]
    + [Verb.SAVE_AND_SCAN] * 6
    + [Verb.RENAME, Verb.SCAN, Verb.RESOLVE] * 5
    + [Verb.DELIVER] * 8
    + [Verb.SAVE, Verb.REMOVE, Verb.CHMOD, Verb.APPLY, Verb.APPLY_ALL, Verb.EVERYBODY] * 3
    + [*Verb][1:]
)


def schedules(
    paths: Sequence[str] = PATHS, verbs: Sequence[Verb] = _VERBS, steps: int = 40
) -> st.SearchStrategy[list[Step]]:
    """Schedules of so many steps, on these paths.

    All have the same length, or hypothesis would hardly try a long one; what does not matter
    shrinks to NOTHING.
    """
    path = st.sampled_from(paths)
    step = st.builds(
        Step, st.integers(0, 3), st.sampled_from(verbs), path, path, st.integers(0, 41)
    )
    return st.lists(step, min_size=steps, max_size=steps)


def clocks(devices: int) -> st.SearchStrategy[list[float]]:
    """How far off each of so many devices' clocks is."""
    return st.lists(st.sampled_from(SKEWS), min_size=devices, max_size=devices)
