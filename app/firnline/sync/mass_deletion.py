"""What counts as a mass deletion (docs/design.md section 7, *Safety*).

A pass that would delete half of a folder or more, and at least ten files, waits for the user's
answer, whether the files are gone here or were deleted by other devices. Ten files or more that
were all there was in a directory of the first level count as well. Moves do not.

Pure; `sync.deletion_guard` asks the folder's log and tables.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from firnline.core.entry import Entry
from firnline.core.event import EventText
from firnline.core.heads import by_name, state_of
from firnline.core.paths import ancestors

MASS_DELETION = "mass deletion"
"""The kind of question."""
HERE, ELSEWHERE = "here", "elsewhere"
"""Its subjects, and `side` in its details: where the files were deleted."""
DELETE, KEEP = "delete", "keep"
"""Its choices."""
LATELY = 600.0
"""Seconds in which deletions count as one, however many passes tell of them."""
LEAST = 10
"""Fewer files than this are never a mass deletion."""
_EXAMPLES = 5
_MAX_MOVES = 50
"""Renames of one file that are followed."""

Logs = Callable[[str], Sequence[Entry]]


def hold(
    lost: Mapping[str, str],
    asked: Mapping[str, str],
    *,
    before: int,
    done: int = 0,
    lately: Collection[str] = (),
    survives: Callable[[str], bool],
) -> dict[str, str]:
    """Those of `lost` that wait for an answer; both map a path to the event it stood on.

    `asked`: what the open question is about already; it stays held while it is still lost, even
    where the rest came back. `before`: files before the pass, those of `lately` included; `done`:
    those that it deleted already; `lately`: those that passes just before it deleted. `survives`
    tells whether a directory of the first level still holds a file.
    """
    if is_mass_deletion(lost, before=before, done=done, lately=lately, survives=survives):
        return dict(lost)
    return {path: base for path, base in lost.items() if asked.get(path) == base}


def is_mass_deletion(
    lost: Collection[str],
    *,
    before: int,
    done: int,
    lately: Collection[str] = (),
    survives: Callable[[str], bool],
) -> bool:
    """See `hold`. What an earlier part of the same pass deleted counts for the half, and so does
    what passes just before it did: who watches a folder sees one large deletion as many."""
    total = len(lost) + done + len(lately)
    if total < LEAST or not lost:
        return False
    if 2 * total >= before:
        return True
    counts = Counter(path.partition("/")[0] for path in lost if "/" in path)
    for path in lately:
        top = path.partition("/")[0]
        if top in counts:
            counts[top] += 1
    return any(count >= LEAST and not survives(top) for top, count in counts.items())


def still_lately(deleted: Mapping[str, float], now: float) -> dict[str, float]:
    """Those that were deleted in the last `LATELY` seconds."""
    return {path: when for path, when in deleted.items() if now - when <= LATELY}


def is_lost(path: str, logs: Logs) -> bool:
    """True when the log says that what stood at `path` is gone, and not only to another path."""
    return state_of(logs(_followed(path, logs))).winner is None


def deleted_by(path: str, logs: Logs) -> EventText | None:
    """The event that deleted what stood at `path`, there or where it was moved to; None without."""
    heads = state_of(logs(_followed(path, logs))).heads
    return max(heads, key=by_name).event if heads else None


def _followed(path: str, logs: Logs) -> str:
    """Where the moves end that what stood at `path` went through, as long as nothing stands."""
    seen = set()
    for _ in range(_MAX_MOVES):
        seen.add(path)
        state = state_of(logs(path))
        goals = [head.other for head in sorted(state.heads, key=by_name) if head.other is not None]
        if state.winner is not None or not goals or goals[-1] in seen:
            break
        path = goals[-1]
    return path


def without_replaced(lost: Mapping[str, str], present: Iterable[str]) -> dict[str, str]:
    """Without files that had to make room for a directory: a path below is among `present`."""
    if not lost:
        return {}
    directories = {above for path in present for above in ancestors(path)}
    return {path: base for path, base in lost.items() if path not in directories}


def details(
    side: str, files: Collection[str], before: int, devices: Sequence[str] = ()
) -> dict[str, object]:
    """The facts of a question, for its words and for programs. `devices`: names of those that
    deleted the files."""
    return {
        "side": side,
        "devices": list(devices),
        "files": len(files),
        "of": max(before, len(files)),
        "examples": sorted(files)[:_EXAMPLES],
    }
