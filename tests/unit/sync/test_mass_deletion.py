"""What counts as a mass deletion, and what of it waits."""

from collections.abc import Collection, Mapping, Sequence

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.state.samples import change, time
from tests.unit.sync.words import DEVICE, delete, move, put

from firnline.core.entry import Entry
from firnline.core.event import Op
from firnline.core.hashing import PLAIN
from firnline.sync.drafts import draft_batch
from firnline.sync.mass_deletion import (
    ELSEWHERE,
    LATELY,
    LEAST,
    deleted_by,
    details,
    hold,
    is_lost,
    is_mass_deletion,
    still_lately,
    without_replaced,
)

PATHS = [f"{top}/{number}" for top in "abc" for number in range(14)] + list("uvwxyz")
trees = st.sets(st.sampled_from(PATHS)).flatmap(
    lambda tree: st.tuples(st.just(tree), st.sets(st.sampled_from(sorted(tree) or ["-"])))
)
"""A folder's files, and some of them that are lost."""
asked_sets = st.dictionaries(st.sampled_from(PATHS), st.sampled_from(["old", "base"]))


def held(tree: set[str], lost: set[str], asked: Mapping[str, str], done: int = 0) -> set[str]:
    """What `hold` says about a whole folder whose files all stand on `base`."""
    lost = lost & tree

    def survives(top: str) -> bool:
        return any(path.startswith(f"{top}/") for path in tree - lost)

    found = hold(
        dict.fromkeys(lost, "base"), asked, before=len(tree) + done, done=done, survives=survives
    )
    assert set(found.values()) <= {"base"}
    return set(found)


@given(trees, asked_sets, st.integers(0, 30))
def test_waits_all_or_what_was_asked(
    folder: tuple[set[str], set[str]], asked: dict[str, str], done: int
) -> None:
    """Nothing but lost files waits: all of them, or those of the open question."""
    tree, lost = folder
    lost &= tree
    found = held(tree, lost, asked, done)
    again = {path for path in lost if asked.get(path) == "base"}
    assert found in (lost, again)
    assert again <= found


@given(trees)
def test_half_of_ten_or_more_waits(folder: tuple[set[str], set[str]]) -> None:
    """And fewer than ten never do; nor does less than half that leaves something everywhere."""
    tree, lost = folder
    lost &= tree
    tops = {path[0] for path in tree if "/" in path}
    whole = any(
        len([path for path in lost if path.startswith(f"{top}/")]) >= LEAST
        and not any(path.startswith(f"{top}/") for path in tree - lost)
        for top in tops
    )
    mass = len(lost) >= LEAST and (len(lost) * 2 >= len(tree) or whole)
    assert held(tree, lost, {}) == (lost if mass else set())


@given(trees, st.sets(st.sampled_from(PATHS)))
def test_more_that_is_lost_frees_nothing(folder: tuple[set[str], set[str]], more: set[str]) -> None:
    """What waits goes on waiting while the user goes on deleting."""
    tree, lost = folder
    first = held(tree, lost, {})
    assert first <= held(tree, lost | (more & tree), dict.fromkeys(first, "base"))


@given(trees, st.lists(st.integers(0, 41)))
def test_parts_of_a_pass_count_together(folder: tuple[set[str], set[str]], cuts: list[int]) -> None:
    """However a pass comes to know of the deletions, it never carries out half of the folder."""
    tree, lost = folder
    ordered = sorted(lost & tree)
    done = 0
    for start, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(ordered)], strict=True):
        part = dict.fromkeys(ordered[start:end], "base")
        waits = hold(part, {}, before=len(tree), done=done, survives=lambda top: True)
        done += len(part) - len(waits)
    assert done < LEAST or 2 * done < len(tree)


def test_nothing_lost_is_no_mass_deletion() -> None:
    """Also of an empty folder, and after much was deleted."""
    assert not is_mass_deletion([], before=0, done=100, survives=lambda top: False)


def logs(*entries: Entry) -> Mapping[str, Sequence[Entry]]:
    found: dict[str, list[Entry]] = {}
    for entry in sorted(entries, key=lambda entry: entry.event):
        found.setdefault(entry.path, []).append(entry)
    return found


def lost(path: str, *entries: Entry) -> bool:
    return is_lost(path, lambda asked: logs(*entries).get(asked, []))


def test_deleted_is_lost_and_what_stands_is_not() -> None:
    """An edit beside the deletion saves it."""
    first = put(0, "p", "1")
    gone = delete(1, "p", first.ref)
    assert lost("p", first, gone)
    assert not lost("p", first)
    assert not lost("p", first, gone, put(2, "p", "2", first.ref))


def test_moved_is_not_lost_however_often() -> None:
    """Until it is deleted where it went; a ring of moves ends as well."""
    first = put(0, "p", "1")
    arrived, gone = move(1, "p", "q", "1", first.ref)
    further, left = move(2, "q", "r", "1", arrived.ref)
    assert not lost("p", first, arrived, gone)
    assert not lost("p", first, arrived, gone, further, left)
    assert lost("p", first, arrived, gone, further, left, delete(3, "r", further.ref))
    back, away = move(3, "r", "p", "1", further.ref)
    ring = (first, arrived, gone, further, left, back, away)
    assert not lost("q", *ring)
    assert lost("q", *ring, delete(4, "p", back.ref))


def test_who_deleted_is_asked_where_the_file_went() -> None:
    """It was moved by one and deleted by another: the latter's event counts."""
    first = put(0, "p", "1")
    arrived, gone = move(1, "p", "q", "1", first.ref)
    end = delete(2, "q", arrived.ref)

    def named(path: str, *entries: Entry) -> str | None:
        return deleted_by(path, lambda asked: logs(*entries).get(asked, []))

    assert named("p", first, arrived, gone, end) == end.event
    assert named("p", first, delete(1, "p", first.ref)) == delete(1, "p", first.ref).event
    assert named("p") is None


def test_endless_moves_end() -> None:
    """A chain that nobody would make counts as lost: at worst the user is asked."""
    entries = [put(0, "0", "1")]
    for number in range(60):
        arrived, gone = move(number + 1, f"{number}", f"{number + 1}", "1", entries[-1].ref)
        entries += [gone, arrived]
    assert not lost("20", *entries)
    assert lost("0", *entries)


def test_batch_tells_where_a_file_went() -> None:
    """A deletion beside a `put` of the same content elsewhere is a move."""
    first, other = put(0, "p", "1"), put(0, "q", "2")
    onto = change(Op.PUT, "q", "1", other.ref, source="p")
    gone = change(Op.DEL, "p", None, first.ref)
    made = draft_batch([(onto, None), (gone, None)], time(1), DEVICE, PLAIN)
    assert not lost("p", first, other, *made.entries)


def test_file_that_makes_room_for_a_directory() -> None:
    """It is replaced, not deleted."""
    both = {"a": "base", "b": "base"}
    assert without_replaced(both, ["a/deep/inner", "c"]) == {"b": "base"}
    assert without_replaced({}, ["a/inner"]) == {}


def test_facts_for_the_words() -> None:
    """A few examples; never more of than there are."""
    found = details(ELSEWHERE, [str(number) for number in range(30)], 20)
    assert found["files"] == found["of"] == 30
    assert found["examples"] == ["0", "1", "10", "11", "12"]


def test_deletions_that_were_told_just_before() -> None:
    """They count for the half, for the least number and for what a directory held; without
    anything that is lost now there is nothing to hold."""

    def asks(lost: int, lately: int, before: int) -> bool:
        return is_mass_deletion(
            {f"x{number}" for number in range(lost)},
            before=before,
            done=0,
            lately={f"y{number}" for number in range(lately)},
            survives=lambda top: True,
        )

    assert asks(1, LEAST - 1, 2 * LEAST)
    assert not asks(1, LEAST - 2, 2 * LEAST)
    assert not asks(1, LEAST - 1, 2 * LEAST + 1)
    assert not asks(0, LEAST, LEAST)


def test_directory_that_went_in_parts() -> None:
    """The last file of a directory that held ten waits; one that others stand beside does not."""
    lately = {f"d/{number}" for number in range(LEAST - 1)}

    def waits(path: str, standing: Collection[str] = ()) -> bool:
        lost = {path: "base"}
        return bool(hold(lost, {}, before=1000, lately=lately, survives=standing.__contains__))

    assert waits("d/last")
    assert not waits("d/last", ["d"])
    assert not waits("e/last")


def test_what_is_long_ago() -> None:
    """After ten minutes a deletion is another one."""
    deleted = {"old": 0.0, "new": 1.0}
    assert still_lately(deleted, LATELY) == deleted
    assert still_lately(deleted, LATELY + 0.5) == {"new": 1.0}
