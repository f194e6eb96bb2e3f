"""What people and programs see."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firnline.cli import output

HOSTILE = "a\x1b[31mb\nc\rd\x00e\x7ff\x9bg\u202eh\u2066i\u2028j\ufeffk\udcffl"


def test_hostile_names_are_harmless() -> None:
    """Escapes, line ends, overrides and bytes that are no Unicode are written out."""
    assert output.shown(HOSTILE) == (
        "a\\x1b[31mb\\nc\\rd\\x00e\\x7ff\\x9bg\\u202eh\\u2066i\\u2028j\\ufeffk\\udcffl"
    )


def test_ordinary_names_are_shown_as_they_are() -> None:
    """Umlauts, other scripts and emoji are no danger."""
    for name in (
        *("a b.txt", "Übung.txt", "写真", "שלום", "🙂", "C:\\x"),
        *("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "👩\u200d👧"),
    ):
        assert output.shown(name) == name


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (".git\u200c/config", ".git\\u200c/config"),
        ("\u200d", "\\u200d"),
        ("a\u200bb\u00adc\u2060d", "a\\u200bb\\xadc\\u2060d"),
        ("tag\U000e0041", "tag\\U000e0041"),
    ],
)
def test_what_nobody_can_see_is_shown(name: str, shown: str) -> None:
    """Two names that look alike are told apart."""
    assert output.shown(name) == shown


@given(st.text(st.characters(codec=None, exclude_categories=[])))
def test_shown_is_one_printable_line(text: str) -> None:
    """Whatever a store makes up, it is one line that can be encoded and obeys no terminal."""
    found = output.shown(text)
    found.encode()
    assert len(found.splitlines()) <= 1
    assert not any(ord(character) < 32 or 0x7F <= ord(character) < 0xA0 for character in found)
    assert not set(found) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def test_json_says_names_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    """Programs get the very name, in plain ASCII."""
    output.record({"path": HOSTILE})
    output.document([HOSTILE])
    first, rest = capsys.readouterr().out.split("\n", 1)
    assert first.isascii()
    assert json.loads(first) == {"path": HOSTILE}
    assert json.loads(rest) == [HOSTILE]


def test_messages_keep_standard_output_clean(capsys: pytest.CaptureFixture[str]) -> None:
    """Results and messages go separate ways."""
    output.line("result")
    output.message("message")
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("result\n", "message\n")


def test_table_is_aligned(capsys: pytest.CaptureFixture[str]) -> None:
    """Columns are as wide as their widest cell, and lines have no blanks at their ends."""
    output.table([("a", "bbbb", ""), ("cc", "d", "e")], ("X", "Y", "Z"))
    assert capsys.readouterr().out == "X   Y     Z\na   bbbb\ncc  d     e\n"
    output.table([], ("X",))
    assert capsys.readouterr().out == ""


def test_content_is_as_it_is_for_other_programs(capsys: pytest.CaptureFixture[str]) -> None:
    """A diff that is not read on a terminal can be applied as a patch."""
    output.content("+a\tb\r")
    assert capsys.readouterr().out == "+a\tb\r\n"


def test_content_is_harmless_on_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """There, only tabs are left of what a terminal obeys."""
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    output.content("+a\tb\x1b[2J")
    assert capsys.readouterr().out == "+a\tb\\x1b[2J\n"


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (1536, "1.5 KiB"),
        (2 * 2**30, "2.0 GiB"),
        (5 * 2**50, "5.0 PiB"),
    ],
)
def test_sizes_for_people(count: int, text: str) -> None:
    """Bytes in the unit that makes them short."""
    assert output.size_text(count) == text


def test_counts_for_people() -> None:
    """One is one, and thousands are grouped."""
    assert output.count_text(1, "file") == "1 file"
    assert output.count_text(0, "file") == "0 files"
    assert output.count_text(12345, "entry", "entries") == "12,345 entries"
