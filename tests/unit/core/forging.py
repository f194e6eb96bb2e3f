"""Logs that nobody of ours would write, but that a store can hold: any operation on any parent.

A draft is plain data; `forge` makes events of drafts, one after the other, so that a parent can be
any event before it, an unknown one, or (with a weak hash) the event itself.
"""

from collections.abc import Iterable
from typing import NamedTuple

from hypothesis import strategies as st
from tests.unit.core.builders import A, B, C, Event, at, change, named

from firnline.core.entry import Change
from firnline.core.event import Op
from firnline.core.hashing import NO_PARENT, PLAIN, Hasher, Ref

PATHS = ("p", "q", "p/x")
_CONTENTS = ("", "1", "2")
_BARE = frozenset({Op.DEL, Op.MKD, Op.RMD})


class Draft(NamedTuple):
    """One change, before its parent has a name."""

    op: Op
    path: str
    source: str
    content: str
    flags: str
    parent: int
    second: int
    device: int
    joined: bool
    """In one batch with the draft before it, where no path is touched twice."""


DRAFTS = st.builds(
    Draft,
    st.sampled_from([Op.PUT, Op.PUT, Op.DEL, Op.MOV, Op.MOV, Op.CPY, Op.MKD, Op.RMD, Op.LNK]),
    st.sampled_from(PATHS),
    st.sampled_from(PATHS),
    st.sampled_from(_CONTENTS),
    st.sampled_from("-xl"),
    st.integers(0, 20),
    st.integers(0, 3),
    st.integers(0, 2),
    st.booleans(),
)


def forged(most: int = 10, hasher: Hasher = PLAIN) -> st.SearchStrategy[list[Event]]:
    """Logs of at most so many changes."""
    return st.lists(DRAFTS, min_size=1, max_size=most).map(lambda drafts: forge(drafts, hasher))


def forge(drafts: Iterable[Draft], hasher: Hasher = PLAIN) -> list[Event]:
    """The events of these drafts, each once."""
    events: dict[str, Event] = {}
    group: list[Change] = []
    first: Draft | None = None
    for draft in drafts:
        made = _change(draft, list(events.values()))
        if first is not None and not _joins(draft, made, group):
            _add(events, first, group, hasher)
            first, group = None, []
            made = _change(draft, list(events.values()))
        first = first or draft
        group.append(made)
    if first is not None:
        _add(events, first, group, hasher)
    return list(events.values())


def _add(events: dict[str, Event], first: Draft, group: list[Change], hasher: Hasher) -> None:
    event = named(at(first.second), (A, B, C)[first.device], group, hasher)
    events[event.text] = event


def _joins(draft: Draft, made: Change, group: list[Change]) -> bool:
    touched = {path for change in group for path in _touched(change)}
    return draft.joined and Op.CPY not in (made.op, group[0].op) and not touched & _touched(made)


def _touched(change: Change) -> set[str]:
    return {change.path, change.source or ""} if change.op is Op.MOV else {change.path}


def _change(draft: Draft, events: list[Event]) -> Change:
    op = Op.PUT if draft.op is Op.MOV and draft.path == draft.source else draft.op
    flags = {Op.PUT: "-x", Op.CPY: "-x", Op.MOV: "-xl"}.get(op, "-")
    on = draft.source if op is Op.MOV else draft.path
    return change(
        op,
        draft.path,
        "" if op in _BARE else draft.content,
        _parent(draft.parent, on, events),
        source=None if op in _BARE else draft.source,
        flags=draft.flags if draft.flags in flags else "-",
    )


def _parent(choice: int, path: str, events: list[Event]) -> Ref:
    here = [event.ref for event in events if any(e.path == path for e in event.entries)]
    elsewhere = [event.ref for event in events if event.ref not in here]
    pool = [NO_PARENT, *here, *here, *here, Ref("u" * 10), *elsewhere]
    return pool[choice % len(pool)]
