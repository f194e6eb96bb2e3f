"""What looks like encryption by malware."""

import random
import zlib

import pytest
from tests.unit.core.builders import A, B, at, batch, change, delete, put, single

from firnline.core.burst import (
    LEAST,
    SPAN,
    Replaced,
    before_burst,
    burst,
    device_in,
    held_heads,
    held_refs,
    is_noise,
    looks_encrypted,
    replaced,
    sample,
)
from firnline.core.event import Op
from firnline.core.hashing import Ref

NOISE = random.Random(1).randbytes(4096)
TEXT = b"what somebody wrote down, " * 40


def entry(event):
    return event.entries[0]


def brought(path, content, parent="0", seconds=1.0):
    """A put that brings its content, as one entry."""
    made = change(Op.PUT, path, content, parent, offset=0)
    return entry(single(at(seconds), A, made))


def found_in(changes, *old):
    known = {(one.path, one.ref): one for one in old}
    return replaced(changes, lambda one: known.get((one.path, one.closes)))


def one(seconds, size=1000, path=None):
    """A file that was replaced then."""
    path = path or f"{seconds}"
    old = entry(put(path, "a" * size))
    return Replaced(old, entry(put(path, "b" * size, old.ref, seconds=seconds)))


def test_content_replaced_in_place():
    """Of several saves the first version and the last count, as one file."""
    old = entry(put("p", "old"))
    first = brought("p", "one", old.ref)
    second = brought("p", "two", first.ref, 2)
    assert found_in([second, first], old, first) == {"p": Replaced(old, second)}


@pytest.mark.parametrize(
    ("path", "renamed"),
    [("d/a.txt", "d/a.txt.locked"), ("d/a.txt", "d/a.locked"), ("d/a", "d/a.locked")],
)
def test_content_replaced_under_another_ending(path, renamed):
    """The new file stands for the one that is gone."""
    old = entry(put(path, "old"))
    gone = entry(delete(path, old.ref, seconds=1))
    new = brought(renamed, "new")
    found = found_in([gone, new], old)
    assert found == {renamed: Replaced(old, new, gone)}
    assert found[renamed].entries == (new, gone)
    assert Replaced(old, new).entries == (new,)


def test_what_replaces_nothing():
    """New files, deletions alone, contents that the log had, and the same content again."""
    old = entry(put("p", "old"))
    gone = entry(delete("p", old.ref, seconds=1))
    again = entry(put("p", "from the log", old.ref))._replace(offset=None)
    assert found_in([brought("new", "x")]) == {}
    assert found_in([gone], old) == {}
    assert found_in([again], old) == {}
    assert found_in([brought("p", "old", old.ref)], old) == {}
    assert found_in([gone, brought("p.bak", "old")], old) == {}
    assert found_in([gone, brought("elsewhere/p.bak", "new")], old) == {}


def test_file_that_was_made_and_deleted_replaced_nothing():
    """Neither itself, nor what came after it under another ending."""
    made = brought("p.txt", "first", seconds=1)
    edited = brought("p.txt", "second", made.ref, 3)
    gone = entry(delete("p.txt", edited.ref, seconds=4))
    found = found_in([made, brought("p.bak", "earlier", seconds=2), gone], made, edited)
    assert found == {}


def test_burst_is_as_many_within_the_time():
    """One fewer is none, and nor are as many in a longer time; what is far from it is not in it."""
    close = [one(float(number)) for number in range(LEAST)]
    far = one(10 * SPAN)
    assert burst([*close, far]) == close
    assert burst(close[1:]) == []
    step = SPAN / (LEAST - 2)
    assert burst([one(number * step) for number in range(LEAST)]) == []


def test_more_of_a_burst():
    """Next to what is held already a single one is enough, on either side."""
    early, late, far = one(0.0), one(1.5 * SPAN), one(3 * SPAN)
    held = [entry(put("x", "x", seconds=0.9 * SPAN)).event]
    assert burst([far, late, early], held) == [early, late]


def test_sample_is_of_the_newest_and_of_fitting_sizes():
    """Spread evenly."""
    found = [one(float(number)) for number in range(3 * LEAST)]
    taken = sample(found, 2000)
    assert len(taken) == 16
    assert taken[0] == found[2 * LEAST]
    assert taken[-1].new.event > found[-10].new.event
    assert sample([one(0.0, 100), one(1.0, 3000)], 2000) == []


def test_noise():
    """Not what can be compressed, nor what says what it is."""
    assert is_noise(NOISE)
    assert is_noise(NOISE[:256])
    assert not is_noise(TEXT)
    assert not is_noise(TEXT[:256])
    assert not is_noise(b"PK" + NOISE)
    assert not is_noise(b"\0\0\0\x18ftypheic" + NOISE)
    assert not is_noise(b"\x1f\x8b" + zlib.compress(NOISE))


def test_verdict():
    """Half of the sample, and none about too few."""
    turned, edited = (TEXT, NOISE), (TEXT, TEXT[1:])
    assert looks_encrypted([turned] * 4 + [edited] * 4) is True
    assert looks_encrypted([turned] * 4 + [edited] * 5) is False
    assert looks_encrypted([(NOISE, NOISE[1:])] * 16) is False
    assert looks_encrypted([turned] * 7) is None


def nobody(_):
    return False


def test_head_that_is_held_or_descends_from_one():
    """Whoever wrote it, and however much later."""
    old = entry(put("p", "old"))
    held = entry(put("p", "noise", old.ref, seconds=1))
    later = entry(put("p", "more", held.ref, seconds=2, device=B))
    beside = entry(put("p", "beside", old.ref, seconds=3, device=B))
    log = [old, held, later, beside]
    refs = held_refs(log, {held.ref})
    assert refs == {held.ref, later.ref}
    assert held_heads(log, refs, nobody) == [later]
    assert held_heads(log, refs, lambda head: device_in(head.event) == B) == []
    assert before_burst(later, log, refs) == old
    assert held_heads([], refs, nobody) == []


def test_what_brings_back_the_version_before_holds_nothing():
    """Neither of a file that was replaced nor of one that came anew."""
    old = entry(put("p", "old"))
    held = entry(put("p", "noise", old.ref, seconds=1))
    back = entry(put("p", "old", held.ref, seconds=2))
    new = entry(put("q", "noise", seconds=1))
    gone = entry(delete("q", new.ref, seconds=2))
    assert held_heads([old, held, back], {held.ref, back.ref}, nobody) == []
    assert held_heads([new, gone], {new.ref, gone.ref}, nobody) == []
    assert before_burst(gone, [new, gone], {new.ref, gone.ref}) is None


def test_version_before_in_a_forged_ring():
    """It ends."""
    first = entry(put("p", "x", Ref("aaaaaaaaaa")))._replace(ref="bbbbbbbbbb")
    second = entry(put("p", "y", Ref("bbbbbbbbbb")))._replace(ref="aaaaaaaaaa")
    refs = {"aaaaaaaaaa", "bbbbbbbbbb"}
    assert before_burst(first, [first, second], refs) is None


def test_device_of_a_name():
    """Of each form that names have."""
    made = batch(at(1), B, [change(Op.PUT, "a"), change(Op.PUT, "b")])
    moved = single(at(1), A, change(Op.MOV, "q", "x", Ref("bbbbbbbbbb"), source="p"))
    assert [device_in(event.text) for event in (made, moved)] == [B, A]
