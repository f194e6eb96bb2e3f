"""What goes over the control socket, and what does not get through."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firnline.engine.control.protocol import (
    MOST_BYTES,
    Frame,
    Frames,
    Kind,
    ProtocolError,
    Request,
    exit_frame,
    frame,
    parse_exit,
    parse_request,
    request_frame,
    text_frames,
)

NAMES = st.text(st.characters(exclude_characters="\0"))
REQUESTS = st.builds(Request, NAMES, NAMES, st.lists(NAMES).map(tuple))
FRAMES = st.lists(st.builds(Frame, st.sampled_from(Kind), st.binary(max_size=40)))


@given(REQUESTS)
def test_what_is_asked_is_understood(request):
    """Names of files that are no Unicode included."""
    [(kind, body)] = Frames(Kind.REQUEST).feed(request_frame(request))
    assert kind is Kind.REQUEST
    assert parse_request(body) == request


@given(FRAMES, st.integers(1, 12))
def test_frames_come_whole_however_they_are_cut(frames, size):
    """And in order."""
    sent = b"".join(frame(*each) for each in frames)
    reader, found = Frames(*Kind), []
    for start in range(0, len(sent), size):
        found += reader.feed(sent[start : start + size])
    assert found == frames


@given(st.binary(min_size=1))
def test_garbage_is_an_error_and_no_request(garbage):
    """Whatever it is, nothing else is raised."""
    try:
        for _, body in Frames(Kind.REQUEST).feed(garbage):
            parse_request(body)
    except ProtocolError:
        pass
    else:
        assert garbage.startswith(b"C")


@pytest.mark.parametrize("kind", "OEXNc\0G")
def test_a_frame_of_another_kind_is_known_by_its_first_byte(kind):
    """An answer is no request; nor is HTTP."""
    with pytest.raises(ProtocolError, match="kind"):
        Frames(Kind.REQUEST).feed(kind.encode())


def test_a_frame_that_is_too_long_is_known_by_its_head():
    """Nothing of it is kept; the longest that may be is taken."""
    with pytest.raises(ProtocolError, match="long"):
        Frames(Kind.REQUEST).feed(b"C" + (MOST_BYTES + 1).to_bytes(4, "big"))
    with pytest.raises(ProtocolError, match="long"):
        frame(Kind.OUTPUT, bytes(MOST_BYTES + 1))
    longest = frame(Kind.REQUEST, bytes(MOST_BYTES))
    assert Frames(Kind.REQUEST).feed(longest) == [Frame(Kind.REQUEST, bytes(MOST_BYTES))]


GOOD = {"version": "1", "directory": "/", "arguments": ["sync"]}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b"[]",
        b"null",
        b"[" * 500_000,
        json.dumps({**GOOD, "more": 1}).encode(),
        json.dumps({"version": "1", "directory": "/"}).encode(),
        json.dumps({**GOOD, "arguments": "sync"}).encode(),
        json.dumps({**GOOD, "arguments": ["sync", 1]}).encode(),
        json.dumps({**GOOD, "arguments": ["a\0b"]}).encode(),
        json.dumps({**GOOD, "arguments": ["a"] * 10_001}).encode(),
        json.dumps({**GOOD, "version": None}).encode(),
        json.dumps({**GOOD, "directory": {}}).encode(),
    ],
)
def test_requests_that_are_none(body):
    """Wrong fields, wrong types, a nest that would fill the stack."""
    with pytest.raises(ProtocolError):
        parse_request(body)


@pytest.mark.parametrize("text", ["", "a", "Grüße ☃", "lone \udcff", "ä" * 200_000])
def test_text_comes_whole(text):
    """In frames that can each be read alone; what is no Unicode comes as an escape."""
    found = Frames(Kind.OUTPUT).feed(text_frames(Kind.OUTPUT, text))
    assert "".join(body.decode() for _, body in found) == text.replace("\udcff", "\\udcff")


@pytest.mark.parametrize("code", [0, 1, 4, 255])
def test_exit_codes(code):
    """As they are."""
    [(_, body)] = Frames(Kind.EXIT).feed(exit_frame(code))
    assert parse_exit(body) == code


@pytest.mark.parametrize("body", [b"", b"-1", b"256", b"0x1", b"\xff", b"1" * 5000])
def test_exit_codes_that_are_none(body):
    """Nobody takes them for success."""
    with pytest.raises(ProtocolError):
        parse_exit(body)
