"""Where keys stand in a TOML text."""

import tomllib

from hypothesis import given
from tests.unit.config.toml_documents import documents

from firnline.config.key_positions import line_of, statements


def _value_at(values, path):
    for name in path:
        values = values[name]
    return values


@given(documents())
def test_each_key_and_element_is_found_on_its_line(document):
    """Every key and array element of a document is found on the line it was written on."""
    text, lines = document
    tomllib.loads(text)
    assert {path: line_of(text, path) for path in lines} == lines


@given(documents())
def test_statements_cover_the_text_and_hold_their_values(document):
    """Statements follow each other, are whole lines, and their values read as in the document."""
    text, _ = document
    values = tomllib.loads(text)
    end = 0
    for statement in statements(text):
        assert end <= statement.start < statement.value_start <= statement.value_end
        assert statement.value_end <= statement.end
        assert statement.start == 0 or text[statement.start - 1] == "\n"
        assert statement.end == len(text) or text[statement.end - 1] == "\n"
        assert all(
            not line.strip() or line.lstrip().startswith("#")
            for line in text[end : statement.start].splitlines()
        )
        end = statement.end
        written = text[statement.value_start : statement.value_end]
        assert written == written.strip()
        if statement.is_header:
            assert written == ""
            assert isinstance(_value_at(values, statement.path), dict)
        else:
            assert tomllib.loads(f"v = {written}")["v"] == _value_at(values, statement.path)


def test_an_array_of_tables_is_a_header():
    """`[[name]]` is taken as the header of `name`."""
    text = "a = 1\n[[ b . c ]] # x\nd = 2\n"
    assert [(each.path, each.is_header) for each in statements(text)] == [
        (("a",), False),
        (("b", "c"), True),
        (("b", "c", "d"), False),
    ]


def test_a_key_that_is_not_there_has_the_line_of_its_table():
    """The nearest table around a missing key is what can be pointed at."""
    text = "\n[stores.nas]\nrating = 1\n"
    assert line_of(text, ("stores", "nas", "location")) == 2
    assert line_of(text, ("stores", "nas", "rating", "deeper", 0, "still", "deeper")) == 3


def test_without_any_table_around_it_there_is_no_line():
    """A key of which not even the first name is there has no line."""
    assert line_of("a = 1\n", ("b", "c")) is None


def test_text_nested_beyond_the_stack_has_no_lines():
    """A text that is nested deeper than can be walked gives no line instead of an end of all."""
    assert line_of("a = " + "[" * 100_000 + "]" * 100_000, ("a",)) is None
