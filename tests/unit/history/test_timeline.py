"""`log`: what happened, newest first."""

import pytest
from tests.unit.history.log_builder import ANNA, BERT, NAMES, NAS, LogBuilder, at, member

from firnline.core.event import Op, ref_of
from firnline.history.moments import format_time_of
from firnline.history.names import Names
from firnline.history.timeline import UnknownDeviceError, Wanted, merged_log
from firnline.history.timeline import log as read_log
from firnline.state.journal import EventState


def told(log, **wanted):
    """The lines as (op, path, source)."""
    lines = read_log(log.context, NAMES, Wanted(**wanted))
    return [(str(line.op), line.path, line.source) for line in lines]


def test_line_has_the_fields_of_the_contract(log):
    """A line says all that the name says, with the parent's whole name and where it is stored."""
    log.state.stores.attach(NAS, "g" * 16)
    first = log.put("a/b.txt", "one")
    second = log.put("a/b.txt", "second", first, device=BERT)
    log.state.stores.has(NAS, [log.id_of(first)])
    log.state.stores.release(log.id_of(second))
    newest, oldest = read_log(log.context, NAMES)
    assert newest.to_json() == {
        "event": second,
        "time": format_time_of(second),
        "device": "bert",
        "device_id": BERT,
        "op": "put",
        "path": "a/b.txt",
        "source": None,
        "size": 6,
        "hash": second[21:53],
        "parent": first,
        "batch": None,
        "frozen": False,
        "stores": {"home": 0, "nas": 0},
        "folder": "docs",
    }
    assert oldest.parent is None
    assert dict(oldest.stores) == {"home": 2, "nas": 2}


def test_store_that_does_not_belong_to_the_folder_is_not_mentioned(log):
    """Only attached stores can have events of the folder."""
    log.put("a", "x")
    assert [dict(line.stores) for line in read_log(log.context, NAMES)] == [{"home": 2}]


def test_device_without_a_name_shows_as_its_id(log):
    """A device whose record was not read yet is still told apart."""
    log.put("a", "x", device=BERT)
    (line,) = read_log(log.context, Names({}, {}))
    assert line.device == line.device_id == BERT


def test_parent_that_was_never_seen_is_null(log):
    """A parent whose name is unknown cannot be shown."""
    log.event(member(Op.PUT, "a", "x", ref_of("nobody knows")))
    assert [line.parent for line in read_log(log.context, NAMES)] == [None]


def test_members_of_a_batch_come_one_by_one_by_path_with_the_batch_named(log):
    """A batch is listed as its members, all under its own name."""
    log.put("z", "0")
    batch = log.batch(member(Op.PUT, "b", "2"), member(Op.PUT, "a", "1"), member(Op.MKD, "c"))
    lines = list(read_log(log.context, NAMES))
    assert [(line.path, line.event, line.batch) for line in lines[:3]] == [
        ("a", batch, batch),
        ("b", batch, batch),
        ("c", batch, batch),
    ]
    assert (lines[3].path, lines[3].batch) == ("z", None)


def test_move_is_one_line_wherever_one_looks_from(log):
    """A move is told once, under its target, to who asks for either path or for both."""
    first = log.put("d/p", "x")
    log.move("d/p", "e/q", "x", first)
    move = ("mov", "e/q", "d/p")
    assert told(log) == [move, ("put", "d/p", None)]
    assert told(log, path="d/p") == [move, ("put", "d/p", None)]
    assert told(log, path="d") == [move, ("put", "d/p", None)]
    assert told(log, path="e/q") == [move]
    assert told(log, path="e") == [move]


def test_move_within_a_directory_is_told_once_to_who_asks_for_the_directory(log):
    """Both ends of a move below the same directory are one line."""
    first = log.put("d/p", "x")
    log.move("d/p", "d/q", "x", first)
    assert told(log, path="d") == [("mov", "d/q", "d/p"), ("put", "d/p", None)]


def test_deletion_in_a_batch_has_no_source(log):
    """That its content went elsewhere is the put's line to say."""
    first = log.put("p", "x")
    log.batch(
        member(Op.PUT, "q", "x", source="p", carried=False),
        member(Op.DEL, "p", None, ref_of(first)),
    )
    assert told(log)[:2] == [("del", "p", None), ("put", "q", "p")]


def test_path_means_itself_and_what_is_below_it_and_not_its_neighbours(log):
    """Names that merely begin alike are others; slashes at the ends do not matter."""
    for path in ("a", "a/b", "a/b/c", "a-1", "a.txt", "ab", "b"):
        log.put(path, "x")
    assert [path for _, path, _ in told(log, path="/a/")] == ["a/b/c", "a/b", "a"]
    assert [path for _, path, _ in told(log, path="a/b/c")] == ["a/b/c"]
    assert told(log, path="nothing") == []


def test_path_may_be_typed_in_decomposed_letters(log):
    """What is typed is brought to NFC, as the log has it."""
    log.put("caf\u00e9", "x")
    assert told(log, path="cafe\u0301") == [("put", "caf\u00e9", None)]


def test_since_and_until_are_inclusive_for_times_and_for_names(log):
    """An event at the bound belongs to the span."""
    names = [log.put(path, path) for path in "abcd"]
    assert [path for _, path, _ in told(log, since=at(2), until=at(3))] == ["c", "b"]
    assert [path for _, path, _ in told(log, since=names[1], until=names[2])] == ["c", "b"]


def test_filters_by_device_op_and_number_hold_together(log):
    """Each filter narrows what the others leave."""
    first = log.put("a", "1")
    log.put("b", "1", device=BERT)
    log.delete("a", first, device=BERT)
    log.batch(member(Op.PUT, "c", "1"), member(Op.MKD, "d"), device=BERT)
    assert [path for _, path, _ in told(log, device="bert")] == ["c", "d", "a", "b"]
    assert [path for _, path, _ in told(log, device=ANNA)] == ["a"]
    assert [path for _, path, _ in told(log, op=Op.PUT)] == ["c", "b", "a"]
    assert [path for _, path, _ in told(log, op=Op.BAT)] == ["c", "d"]
    assert [path for _, path, _ in told(log, limit=3)] == ["c", "d", "a"]
    assert told(log, device="bert", op=Op.PUT, limit=1) == [("put", "c", None)]


def test_all_devices_of_one_name_are_meant(log):
    """Two devices may have the same name; both belong to it then."""
    log.put("a", "1")
    log.put("b", "1", device=BERT)
    names = Names({ANNA: "laptop", BERT: "laptop"}, {})
    lines = read_log(log.context, names, Wanted(device="laptop"))
    assert [line.path for line in lines] == ["b", "a"]


def test_unknown_device_is_said_at_once(log):
    """A device that does not exist is an error before the first line."""
    with pytest.raises(
        UnknownDeviceError, match="no device is called 'carl'; known are anna, bert"
    ):
        read_log(log.context, NAMES, Wanted(device="carl"))


def test_event_that_breaks_the_format_is_not_in_the_log(log):
    """A refused event did nothing."""
    event = log.put("a", "1")
    log.state.journal.set_state(log.id_of(event), EventState.REFUSED, "because")
    assert told(log) == []


def test_log_is_read_as_it_is_asked_for(log):
    """The first line of a long log comes without the others being read."""
    for number in range(50):
        log.put(f"f{number}", "x")
    lines = read_log(log.context, NAMES)
    assert next(lines).path == "f49"
    log.delete("f49", log.put("f49", "y"))
    assert len(list(lines)) == 49


def test_several_folders_are_one_log_by_time(log, tmp_path):
    """Lines of all folders stand in one order, and the limit is for all of them."""
    other = LogBuilder(tmp_path, "pictures")
    other.context.folder_id = "other"
    for number in range(3):
        log.put(f"d{number}", "x", time=at(10 * number))
        other.put(f"p{number}", "x", time=at(10 * number + 5))
    names = {log.context.folder_id: NAMES, "other": NAMES}
    contexts = [log.context, other.context]
    lines = [(line.folder, line.path) for line in merged_log(contexts, names)]
    assert lines == [
        ("pictures", "p2"), ("docs", "d2"), ("pictures", "p1"),
        ("docs", "d1"), ("pictures", "p0"), ("docs", "d0"),
    ]  # fmt: skip
    limited = merged_log(contexts, names, Wanted(limit=2))
    assert [(line.folder, line.path) for line in limited] == lines[:2]
    other.close()


def test_device_has_to_be_known_in_one_of_the_folders(log, tmp_path):
    """A device that only some folders know is no error, one that none knows is."""
    other = LogBuilder(tmp_path, "pictures")
    other.context.folder_id = "other"
    log.put("a", "1")
    names = {log.context.folder_id: NAMES, "other": Names({}, {})}
    contexts = [log.context, other.context]
    assert [line.path for line in merged_log(contexts, names, Wanted(device="anna"))] == ["a"]
    with pytest.raises(UnknownDeviceError, match="known are none"):
        merged_log(contexts, names, Wanted(device="carl"))
    other.close()


def test_names_come_from_the_stores_of_the_folder(log):
    """Reached or not, a store of the folder has its name."""
    from firnline.sync.context import Connected, Unreached

    nas = Connected("nas", log.store, NAS, "g" * 16, "c" * 16, 50, False)
    log.context.stores.append(nas)
    log.context.unreached.append(Unreached("stick", "stickstickstick0", True, OSError()))
    names = Names.of(log.context, {ANNA: "anna"})
    assert names == Names({ANNA: "anna"}, {NAS: "nas", "stickstickstick0": "stick"})
