"""Devices that share a log: converge, come to rest, lose nothing, bring nothing back.

docs/design.md section 10, invariants 1 to 5, with several devices that resolve at the same time on
different knowledge. The model is in `observers.py`; `World.check` holds the invariants.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.core.builders import data_hash
from tests.unit.core.observers import Observer, World
from tests.unit.core.schedules import Step, Verb, clocks, perform, schedules

from firnline.core.event import Kind
from firnline.core.reconcile import Finding


def file(content: str, flags: str = "-") -> Finding:
    return Finding(Kind.FILE, data_hash(content), flags)


def shared(count: int = 2, **contents: str) -> World:
    """Devices that all show the same files."""
    world = World([0.0] * count)
    first = world.observers[0]
    for path, content in contents.items():
        first.save(path, file(content))
    first.scan(in_batch=False)
    world.exchange()
    for observer in world.observers:
        observer.apply_all()
    world.seconds += 10
    return world


def shown(observer: Observer) -> dict[str, str]:
    """What the folder shows, contents by their hashes."""
    return {path: found.data_hash for path, found in observer.folder.items()}


def hashes(**contents: str) -> dict[str, str]:
    return {path: data_hash(content) for path, content in contents.items()}


def settled(world: World) -> dict[str, str]:
    """What everybody shows in the end."""
    world.settle()
    world.check()
    return shown(world.observers[0])


@pytest.mark.timeout(600)  # With the examples of CI, counted for coverage, on a slow machine.
class TestAnySchedule:
    """Whatever users and devices do in whatever order."""

    @given(schedules(), clocks(2))
    def test_two_devices_converge_and_rest(self, steps, skews):
        """Two devices end with one tree, at rest, and nothing is lost or brought back."""
        world = World(skews)
        perform(world, steps)
        settled(world)

    @given(schedules(), clocks(3))
    def test_three_devices_converge_and_rest(self, steps, skews):
        """Three devices, of which two can resolve what the third does not know of yet."""
        world = World(skews)
        perform(world, steps)
        settled(world)

    @given(schedules(("p", "q"), steps=60), clocks(3))
    def test_a_crowd_on_two_paths(self, steps, skews):
        """Three devices that hardly ever touch anything but the same two files."""
        world = World(skews)
        perform(world, steps)
        settled(world)

    @given(schedules(("d", "d/x", "d/x/y"), steps=25), clocks(2))
    def test_files_where_others_have_directories(self, steps, skews):
        """Rule 6: each of three paths may be a file for one and a directory for the other."""
        world = World(skews)
        perform(world, steps)
        settled(world)

    @given(schedules(steps=40), clocks(3))
    def test_observers_with_the_same_knowledge_write_the_same_events(self, steps, skews):
        """A rule's event depends on the log alone, not on who sees it."""
        world = World(skews)
        perform(world, steps)
        world.exchange()
        before = set(world.events)
        written = []
        for observer in world.observers:
            observer.resolve()
            written.append(observer.known.keys() - before)
        assert all(names == written[0] for names in written)

    @given(schedules(steps=40), clocks(2))
    def test_nobody_writes_when_nothing_changes(self, steps, skews):
        """Once settled, another scan, resolve and apply by everybody adds no event."""
        world = World(skews)
        perform(world, steps)
        world.settle()
        before = set(world.events)
        assert world.settle() == 0
        assert set(world.events) == before

    @given(schedules(steps=40), clocks(2), st.data())
    def test_a_device_that_joins_shows_the_same(self, steps, skews, data):
        """A new device that gets all events in any order shows what the others show."""
        world = World(skews)
        perform(world, steps)
        expected = settled(world)
        newcomer = Observer(world, world.observers[0].device, 0.0)
        for text in data.draw(st.permutations(sorted(world.events))):
            newcomer.receive(world.events[text])
        assert newcomer.resolve() == 0
        newcomer.apply_all()
        assert shown(newcomer) == expected


def deliveries(choices: st.SearchStrategy[int]) -> st.SearchStrategy[list[Step]]:
    """Three devices get events one by one and resolve on what they have."""
    verbs = st.sampled_from([Verb.NOTHING] + [Verb.DELIVER] * 3 + [Verb.RESOLVE])
    step = st.builds(Step, st.integers(0, 2), verbs, choice=choices)
    return st.lists(step, min_size=15, max_size=15)


IN_ANY_ORDER = deliveries(st.integers(0, 41))
IN_ORDER = deliveries(st.just(0))


class TestEditsFollowMoves:
    """Rule 5, with observers that see the edits and the moves in any order."""

    @given(st.integers(1, 3), st.integers(1, 3), IN_ANY_ORDER, st.booleans())
    def test_saves_follow_a_chain_of_moves(self, moves, saves, deliveries, together):
        """Who goes on saving p while another moves it p→q→r→s finds the last save at its end."""
        world = shared(3, p="first")
        mover, writer, observer = world.observers
        hops = ["p", "q", "r", "s"][: moves + 1]
        for number in range(max(moves, saves)):
            world.seconds += 1
            if number < saves:
                writer.save("p", file(f"save {number}"))
                writer.scan(in_batch=False)
            if number < moves:
                mover.rename(hops[number], hops[number + 1])
                mover.scan(in_batch=together)
        perform(world, [step._replace(who=2) for step in deliveries])
        assert settled(world) == {hops[-1]: data_hash(f"save {saves - 1}")}
        assert observer.folder.keys() == {hops[-1]}

    @given(IN_ANY_ORDER)
    def test_of_two_moves_the_larger_name_is_followed(self, deliveries):
        """The edit is at one of the targets, and at both where somebody saw but one of the moves;
        the source is gone."""
        world = shared(3, p="first")
        one, other, writer = world.observers
        one.rename("p", "q")
        one.scan(in_batch=False)
        world.seconds += 1
        other.rename("p", "r")
        other.scan(in_batch=False)
        writer.save("p", file("edited"))
        writer.scan(in_batch=False)
        perform(world, deliveries)
        end = settled(world)
        assert end.keys() == {"q", "r"}
        assert data_hash("edited") in end.values()
        assert set(end.values()) <= {data_hash("first"), data_hash("edited")}

    def test_the_other_target_keeps_what_was_moved(self):
        """Who knows both moves writes but one event."""
        world = shared(3, p="first")
        one, other, writer = world.observers
        one.rename("p", "q")
        one.scan(in_batch=False)
        world.seconds += 1
        other.rename("p", "r")
        other.scan(in_batch=False)
        writer.save("p", file("edited"))
        writer.scan(in_batch=False)
        assert settled(world) == hashes(q="first", r="edited")

    @given(IN_ANY_ORDER)
    def test_an_edit_of_a_moved_directory_follows(self, deliveries):
        """A renamed directory is one batch of moves, and each edit in it follows its own."""
        world = shared(3, **{"d/x": "x", "d/y": "y"})
        mover, writer, _ = world.observers
        for name in ("x", "y"):
            mover.rename(f"d/{name}", f"e/{name}")
        mover.scan(in_batch=True)
        writer.save("d/x", file("edited"))
        writer.scan(in_batch=False)
        perform(world, deliveries)
        assert settled(world) == hashes(**{"e/x": "edited", "e/y": "y"})


class TestNothingIsBroughtBack:
    """Invariant 3."""

    @given(IN_ANY_ORDER)
    def test_a_deletion_closes_what_two_devices_had_brought(self, deliveries):
        """Two laptops bring the same file; who deletes it has deleted both, whoever came later."""
        world = World([0.0, 0.0, 0.0])
        first, second, third = world.observers
        for observer in (first, second):
            observer.save("p", file("same"))
            observer.scan(in_batch=False)
        third.receive(next(iter(world.events.values())))
        third.apply_all()
        third.remove("p")
        world.seconds += 1
        third.scan(in_batch=False)
        perform(world, deliveries)
        assert settled(world) == {}

    @given(IN_ORDER)
    def test_a_writer_closes_equal_heads(self, deliveries):
        """Two devices came to the same content by different ways; an edit replaces both."""
        world = shared(3, p="old")
        first, second, third = world.observers
        first.save("p", file("same"))
        first.scan(in_batch=False)
        second.save("p", file("between"))
        second.scan(in_batch=False)
        second.save("p", file("same"))
        second.scan(in_batch=False)
        world.exchange()
        third.apply_all()
        world.seconds += 1
        third.save("p", file("edited"))
        third.scan(in_batch=False)
        perform(world, deliveries)
        assert settled(world) == hashes(p="edited")

    @given(IN_ANY_ORDER)
    def test_an_edit_survives_a_deletion_that_had_not_seen_it(self, deliveries):
        """Rule 2, whichever of the two comes first."""
        world = shared(3, p="old")
        first, second, _ = world.observers
        first.remove("p")
        first.scan(in_batch=False)
        second.save("p", file("edited"))
        second.scan(in_batch=False)
        perform(world, deliveries)
        assert settled(world) == hashes(p="edited")


class TestFound:
    """Schedules that once broke an invariant, as they were found."""

    @pytest.mark.parametrize("resolving", [(0,), (1,), (0, 1)])
    def test_two_files_moved_onto_each_other_come_to_rest(self, resolving):
        """One moves p onto q, another q onto p: two observers that began at different ends let
        each follow the other for ever. Nobody follows in a ring, so both contents stay."""
        world = shared(2, p="P", q="Q")
        first, second = world.observers
        first.rename("p", "q")
        first.scan(in_batch=True)
        second.rename("q", "p")
        second.scan(in_batch=True)
        world.exchange()
        for number in resolving:
            world.observers[number].resolve(backwards=number == 1)
        assert settled(world) == hashes(p="Q", q="P")

    def test_three_files_moved_onto_each_other_come_to_rest(self):
        """The same in a ring of three."""
        world = shared(3, p="P", q="Q", r="R")
        ring = [("p", "q"), ("q", "r"), ("r", "p")]
        for observer, (source, target) in zip(world.observers, ring, strict=True):
            observer.rename(source, target)
            observer.scan(in_batch=True)
        assert settled(world) == hashes(p="R", q="P", r="Q")

    def test_an_edit_does_not_replace_what_was_edited_in_the_move(self):
        """A batch says that q came from p, but brings other content: an edit of p that had not
        seen that content stays at p."""
        world = shared(2, p="old")
        mover, writer = world.observers
        mover.rename("p", "q")
        mover.folder["q"] = file("moved and edited")
        mover.scan(in_batch=True)
        writer.save("p", file("edited"))
        writer.scan(in_batch=False)
        assert settled(world) == hashes(p="edited", q="moved and edited")

    def test_flags_changed_at_the_source_follow_the_move(self):
        """A changed flag is an edit as well."""
        world = shared(2, p="old")
        mover, writer = world.observers
        mover.rename("p", "q")
        mover.scan(in_batch=False)
        writer.save("p", file("old", "x"))
        writer.scan(in_batch=False)
        assert settled(world) == hashes(q="old")
        assert mover.folder["q"].flags == "x"

    def test_flags_changed_beside_an_edit_are_carried_over(self):
        """Rule 4a: no conflict copy; the edit gets the flag."""
        world = shared(2, p="old")
        first, second = world.observers
        first.save("p", file("old", "x"))
        first.scan(in_batch=False)
        second.save("p", file("edited"))
        second.scan(in_batch=False)
        assert settled(world) == hashes(p="edited")
        assert first.folder["p"].flags == "x"

    def test_flags_that_several_changed_beside_an_edit_are_carried_over(self):
        """The same where two did so, and all three see different things first."""
        world = shared(3, p="old")
        for observer in world.observers[:2]:
            observer.save("p", file("old", "x"))
            observer.scan(in_batch=False)
        world.observers[2].save("p", file("edited"))
        world.observers[2].scan(in_batch=False)
        assert settled(world) == hashes(p="edited")
        assert {observer.folder["p"].flags for observer in world.observers} == {"x"}
