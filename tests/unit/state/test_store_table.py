"""What is known of each store: which events it lacks, what was listed when."""

from tests.unit.state.samples import add, put, time

from firnline.state.folder_state import FolderState
from firnline.state.journal import EventState
from firnline.state.store_table import NEVER, StoreRow


def _events(state: FolderState, count: int = 3) -> list[int]:
    return [add(state, put(second, "f", str(second))) for second in range(1, count + 1)]


def _ids(found: list[tuple[int, str]]) -> list[int]:
    return [event for event, _ in found]


def test_store_that_joins_lacks_everything(state: FolderState) -> None:
    """Until it was listed: nothing is taken for granted."""
    events = _events(state)
    with state.transaction("test"):
        state.stores.attach("s1", "generation")
    assert state.stores.get("s1") == StoreRow("s1", "generation", NEVER, NEVER, 0)
    assert _ids(state.stores.lacking("s1")) == events
    assert state.stores.lacking_count("s1") == 3
    assert state.stores.ids() == ["s1"]
    assert state.stores.get("s2") is None


def test_what_was_listed_is_remembered(state: FolderState) -> None:
    """The later row replaces the earlier one."""
    row = StoreRow("s1", "generation", time(2), time(1), 3)
    with state.transaction("test"):
        state.stores.put(StoreRow("s1", "generation", NEVER, NEVER, 0))
        state.stores.put(row)
    assert state.stores.get("s1") == row


def test_store_that_leaves_leaves_nothing(state: FolderState) -> None:
    """Of others nothing is forgotten."""
    events = _events(state)
    with state.transaction("test"):
        for store in ("s1", "s2"):
            state.stores.attach(store, "generation")
            state.stores.add_hints(store, "late", ["name"])
        state.stores.detach("s1")
    assert state.stores.ids() == ["s2"]
    assert state.stores.lacking("s1") == []
    assert state.stores.hints("s1") == []
    assert state.stores.hint_files("s1") == set()
    assert _ids(state.stores.lacking("s2")) == events
    assert state.stores.hints("s2") == ["name"]


def test_new_event_is_owed_until_it_stands_there(state: FolderState) -> None:
    """To each store for itself; what is told twice counts once."""
    first, second, _ = _events(state)
    with state.transaction("test"):
        for _ in range(2):
            state.stores.owe(first, ["s1", "s2"])
        state.stores.owe(second, ["s1"])
        state.stores.has("s1", [first])
    assert _ids(state.stores.lacking("s1")) == [second]
    assert _ids(state.stores.lacking("s2")) == [first]
    assert state.stores.lacks("s2", first)
    assert not state.stores.lacks("s2", second)


def test_what_a_store_lacks_is_in_the_order_of_names(state: FolderState) -> None:
    """Parents come before children nearly always."""
    later, first = add(state, put(9, "f", "later")), add(state, put(1, "f", "first"))
    with state.transaction("test"):
        state.stores.attach("s1", "generation")
    assert _ids(state.stores.lacking("s1")) == [first, later]


def test_event_that_is_gone_may_be_seen_again(state: FolderState) -> None:
    """One that was looked up in vain is absent; one with a wrong body is not, so that a listing
    does not take it for whole; once wrong it stays so until it is written again."""
    absent, wrong, _ = _events(state)
    names = {row: state.journal.by_id(row).name for row in (absent, wrong)}
    with state.transaction("test"):
        state.stores.lost("s1", absent)
        state.stores.lost("s1", wrong, wrong=True)
        state.stores.lost("s1", wrong)
    assert state.stores.absent("s1") == {names[absent]: absent}
    assert _ids(state.stores.lacking("s1")) == [absent, wrong]
    with state.transaction("test"):
        state.stores.lost("s1", absent, wrong=True)
    assert state.stores.absent("s1") == {}
    with state.transaction("test"):
        state.stores.has("s1", [absent, wrong])
        state.stores.lost("s1", wrong)
    assert state.stores.absent("s1") == {names[wrong]: wrong}


def test_what_the_home_store_holds(state: FolderState) -> None:
    """By name, and whether every store has to have it before it may go."""
    first, second, third = _events(state)
    with state.transaction("test"):
        state.stores.hold(second, whole=False)
        state.stores.hold(first, whole=True)
        state.stores.hold(second, whole=True)
        state.stores.hold(third, whole=False)
        state.stores.release(first)
    held = [(event, whole) for event, _, whole in state.stores.held()]
    assert held == [(second, True), (third, False)]
    assert state.stores.holds(second)
    assert not state.stores.holds(first)
    assert _ids(state.stores.not_held()) == [first]


def test_events_that_are_nowhere(state: FolderState) -> None:
    """Neither in any store nor at home."""
    everywhere, one, home, nowhere = _events(state, 4)
    with state.transaction("test"):
        for store in ("s1", "s2"):
            state.stores.attach(store, "generation")
            state.stores.has(store, [everywhere])
        state.stores.has("s2", [one])
        state.stores.hold(home, whole=True)
    assert _ids(state.stores.nowhere()) == [nowhere]


def test_hints_wait_until_they_are_found(state: FolderState) -> None:
    """A hint file is read once, and each name is looked for until it is there."""
    with state.transaction("test"):
        state.stores.add_hints("s1", "late_1", ["b", "a", "a"])
        state.stores.add_hints("s1", "late_1", [])
        state.stores.add_hints("s2", "late_2", ["c"])
    assert state.stores.hint_files("s1") == {"late_1"}
    assert state.stores.hints("s1") == ["a", "b"]
    with state.transaction("test"):
        state.stores.drop_hints("s1", ["a", "c"])
    assert state.stores.hints("s1") == ["b"]
    assert state.stores.hints("s2") == ["c"]


def test_doubtful_events(state: FolderState) -> None:
    """What a failed write may have left is told from what was never sent."""
    owed, doubtful, _ = _events(state)
    with state.transaction("test"):
        state.stores.owe(owed, ["s1"])
        state.stores.lost("s1", doubtful, wrong=True)
    assert not state.stores.is_doubtful("s1", owed)
    assert state.stores.is_doubtful("s1", doubtful)


def test_what_a_store_is_owed_says_what_is_known_of_it(state: FolderState) -> None:
    """By name, with the time of the last news; what this device could not read is left out."""
    first, second, third = _events(state)
    with state.transaction("test"):
        state.stores.owe(first, ["s1"], 100)
        state.stores.owe(second, ["s1", "s2"], 200, first_read=True)
        state.stores.owe(third, ["s1"])
        state.journal.set_state(third, EventState.NAMED)
    found = list(state.stores.owed("s1"))
    assert [(each.event, each.since, each.first_read) for each in found] == [
        (first, 100, False),
        (second, 200, True),
    ]
    assert [each.event for each in state.stores.owed("s1", [second, third])] == [second]
    sizes = {each.event: each.size for each in found}
    assert {each.event for each in state.stores.owed("s1", sizes=range(sizes[first] + 1))} == {
        event for event, size in sizes.items() if size <= sizes[first]
    }
    assert list(state.stores.owed("s1", sizes=range(max(sizes.values()) + 1, 2**63 - 1))) == []


def test_store_that_joins_is_first_read(state: FolderState) -> None:
    """What it lacks is the business of its lead."""
    _events(state)
    with state.transaction("test"):
        state.stores.attach("s1", "generation", 300)
    assert {(each.since, each.first_read) for each in state.stores.owed("s1")} == {(300, True)}


def test_what_failed_is_tried_later(state: FolderState) -> None:
    """Until something speaks for an earlier attempt; how often it failed is remembered."""
    first, second, _ = _events(state)
    with state.transaction("test"):
        state.stores.owe(first, ["s1", "s2"])
        for _ in range(2):
            state.stores.failed("s1", first, 400)
        state.stores.failed("s1", second, 400)
    (row,) = state.stores.owed("s1")
    assert (row.tries, row.not_before) == (2, 400)
    (other,) = state.stores.owed("s2")
    assert (other.tries, other.not_before) == (0, 0)
    with state.transaction("test"):
        state.stores.forgive()
    (row,) = state.stores.owed("s1")
    assert (row.tries, row.not_before) == (2, 0)


def test_parents_that_a_store_lacks(state: FolderState) -> None:
    """Those that it has, and those that could not be read, are waited for by nobody."""
    first = add(state, put(1, "f", "1"))
    second = add(state, put(2, "f", "2", parent=state.journal.by_id(first).ref))
    with state.transaction("test"):
        state.stores.owe(first, ["s1"])
        state.stores.owe(second, ["s1", "s2"])
    assert state.stores.lacking_parents("s1", [first, second]) == {second: {first}}
    assert state.stores.lacking_parents("s2", [first, second]) == {}
    with state.transaction("test"):
        state.journal.set_state(first, EventState.REFUSED)
    assert state.stores.lacking_parents("s1", [first, second]) == {}


def test_what_stands_in_a_store_newest_first(state: FolderState) -> None:
    """What this device can read and the store does not lack, from a name on downwards."""
    first, second, third = _events(state)
    unread = add(state, put(4, "f", "4"), EventState.NAMED)
    names = {event: state.journal.by_id(event).name for event in (first, second, third, unread)}
    with state.transaction("test"):
        state.stores.attach("s1", "generation")
        state.stores.has("s1", [first, second, third, unread])

    def standing(before: str = "", device: str | None = None, limit: int = 9) -> list[int]:
        return [row.id for row in state.stores.standing("s1", before, device, limit)]

    assert standing() == [third, second, first]
    assert standing(limit=2) == [third, second]
    assert standing(names[third]) == [second, first]
    device = names[first].split("-")[1]
    assert standing(device=device) == [third, second, first]
    assert standing(device="zzzzzzzz") == []
    with state.transaction("test"):
        state.stores.lost("s1", second)
    assert standing() == [third, first]


def test_what_stands_nowhere(state: FolderState) -> None:
    """No store has anything under the name, and the home store does not hold it."""
    event, *_ = _events(state)
    with state.transaction("test"):
        for store in ("s1", "s2"):
            state.stores.attach(store, "generation")
    assert state.stores.is_nowhere(event)
    with state.transaction("test"):
        state.stores.lost("s1", event, wrong=True)
    assert not state.stores.is_nowhere(event)
    with state.transaction("test"):
        state.stores.has("s1", [event])
        state.stores.lost("s1", event)
        state.stores.hold(event, whole=True)
    assert not state.stores.is_nowhere(event)
