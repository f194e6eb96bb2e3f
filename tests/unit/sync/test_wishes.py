"""What the log wants at a path, and where its content may be."""

from tests.unit.sync.words import delete, event, file_row, gone_row, move, put

from firnline.core.entry import Entry
from firnline.core.event import Op
from firnline.core.hashing import NO_PARENT, Ref
from firnline.sync.wishes import Origins, wish_for

BASE = Ref("0123456789")


def _nothing_lacks(entry: Entry) -> bool:
    return False


def _lacks(*entries: Entry):
    missing = {entry.data_hash for entry in entries}
    return lambda entry: entry.puts and entry.data_hash in missing


def test_winner_is_wanted() -> None:
    """Of a straight log the last one, of several heads the largest name."""
    first = put(1, "f", "first")
    second = put(2, "f", "second", first.ref)
    beside = put(3, "f", "beside", first.ref)
    for log, winner in (([first, second], second), ([first, second, beside], beside)):
        wish = wish_for("f", log, None, _nothing_lacks)
        assert wish is not None
        assert (wish.entry, wish.base, wish.pending) == (winner, winner.ref, False)


def test_nothing_is_wanted_where_all_is_deleted() -> None:
    """The path stands on the deletion then: on the largest one, if there are several."""
    first = put(1, "f", "first")
    gone = delete(2, "f", first.ref)
    moved = move(3, "f", "g", "first", first.ref)[1]
    for log, deletion in (([first, gone], gone), ([first, gone, moved], moved)):
        wish = wish_for("f", log, None, _nothing_lacks)
        assert wish is not None
        assert (wish.entry, wish.base) == (None, deletion.ref)


def test_path_without_a_log_stands_on_nothing() -> None:
    """Nothing is wanted there, and nothing was deleted."""
    wish = wish_for("f", [], None, _nothing_lacks)
    assert wish is not None
    assert (wish.entry, wish.base) == (None, NO_PARENT)


def test_file_that_is_here_stays_while_the_newest_cannot_be_had() -> None:
    """Nobody's file is replaced by an older version."""
    first = put(1, "f", "first")
    second = put(2, "f", "second", first.ref)
    log = [first, second]
    assert wish_for("f", log, file_row("f", "first", first.ref), _lacks(second)) is None


def test_nearest_ancestor_is_shown_where_nothing_is() -> None:
    """It is what the next change names, and the path goes on waiting for the newest."""
    first = put(1, "f", "first")
    second = put(2, "f", "second", first.ref)
    third = put(3, "f", "third", second.ref)
    log = [first, second, third]
    for row in (None, gone_row("f", BASE)):
        wish = wish_for("f", log, row, _lacks(second, third))
        assert wish is not None
        assert (wish.entry, wish.base, wish.pending) == (first, first.ref, True)


def test_no_ancestor_can_be_had() -> None:
    """Nothing is done: neither a file nor a deletion is made up."""
    first = put(1, "f", "first")
    gone = delete(2, "f", first.ref)
    again = put(3, "f", "again", gone.ref)
    unknown = put(4, "g", "text", BASE)
    assert wish_for("f", [first, gone, again], None, _lacks(again)) is None
    assert wish_for("g", [unknown], None, _lacks(unknown)) is None


def test_ring_of_ancestors_ends() -> None:
    """Somebody forged two events that stand on each other, and neither can be had."""
    one, two = put(1, "f", "one"), put(2, "f", "two")
    ring = [one._replace(parent=two.ref), two._replace(parent=one.ref)]
    assert wish_for("f", ring, None, _lacks(one, two)) is None


# --- origins --------------------------------------------------------------------------------------


def _origin(entry: Entry, logs: dict[str, list[Entry]], here: set[str]) -> str | None:
    return Origins(lambda path: logs.get(path, []), here.__contains__).of(entry)


def test_content_that_came_from_a_path_here() -> None:
    """The path where this device has it."""
    arrived, _ = move(2, "a", "b", "text", BASE)
    assert _origin(arrived, {}, {"a"}) == "a"
    assert _origin(arrived, {}, set()) is None
    assert _origin(put(1, "f", "text"), {}, {"f"}) is None


def test_renames_are_followed_back() -> None:
    """What was renamed several times while this device was away is one rename here."""
    first = put(1, "a", "text")
    b, _ = move(2, "a", "b", "text", first.ref)
    c, _ = move(3, "b", "c", "text", b.ref)
    assert _origin(c, {"a": [first], "b": [b]}, {"a"}) == "a"


def test_other_content_is_not_followed() -> None:
    """Nor what was brought there without having been moved."""
    first = put(1, "a", "text")
    other = put(2, "b", "other")
    c, _ = move(3, "b", "c", "text", first.ref)
    assert _origin(c, {"b": [other]}, {"a"}) is None
    copied = event(4, Op.PUT, "b", "text").entries[0]
    assert _origin(c, {"b": [copied]}, {"a"}) is None


def test_ring_of_renames_ends() -> None:
    """Two paths that were moved onto each other for ever lead nowhere."""
    b, _ = move(2, "a", "b", "text", BASE)
    a, _ = move(3, "b", "a", "text", b.ref)
    assert _origin(a, {"a": [a], "b": [b]}, set()) is None
