"""Changes of a TOML text that leave all else as it was."""

import copy
import tomllib

from hypothesis import assume, given
from hypothesis import strategies as st
from tests.unit.config.toml_documents import documents

from firnline.config.key_positions import statements
from firnline.config.toml_editing import with_value, without


def _get(values, path):
    for name in path:
        values = values[name]
    return values


def _set(values, path, value):
    changed = copy.deepcopy(values)
    table = changed
    for name in path[:-1]:
        table = table.setdefault(name, {})
    table[path[-1]] = value
    return changed


def _without_empty_tables(values):
    if not isinstance(values, dict):
        return values
    kept = {name: _without_empty_tables(value) for name, value in values.items()}
    return {name: value for name, value in kept.items() if value != {}}


def _is_part_of(part, whole):
    """All lines of `part` are lines of `whole`, in the same order."""
    lines = iter(whole.splitlines())
    return all(line in lines for line in part.splitlines())


def _pairs(text):
    return [statement.path for statement in statements(text) if not statement.is_header]


def _draw_from(data, choices):
    assume(choices)
    return data.draw(st.sampled_from(sorted(choices)))


values = st.text(max_size=5) | st.integers() | st.booleans() | st.lists(st.text(max_size=3))


@given(documents(), values, st.data())
def test_a_value_is_replaced_and_nothing_else(document, value, data):
    """A key gets its value, every other key keeps its own, and no other line changes."""
    text, _ = document
    path = _draw_from(data, _pairs(text))
    span = next(each for each in statements(text) if each.path == path and not each.is_header)
    changed = with_value(text, path, value)
    assert tomllib.loads(changed) == _set(tomllib.loads(text), path, value)
    assert changed.startswith(text[: span.value_start])
    assert changed.endswith(text[span.value_end :])


@given(documents(), values, st.data())
def test_a_new_key_comes_between_lines(document, value, data):
    """A key that is new to its table is added, and every line that was there stays."""
    text, _ = document
    tables = {each.path for each in statements(text) if each.is_header} | {("new", "table")}
    path = (*_draw_from(data, tables), "a new key")
    changed = with_value(text, path, value)
    assert tomllib.loads(changed) == _set(tomllib.loads(text), path, value)
    assert _is_part_of(text, changed)


@given(documents(), st.dictionaries(st.text(max_size=5), values, max_size=3))
def test_a_new_table_comes_to_the_end(document, table):
    """A table that is new is added behind everything else."""
    text, _ = document
    changed = with_value(text, ("a new", "table"), table)
    assert tomllib.loads(changed) == _set(tomllib.loads(text), ("a new", "table"), table)
    assert changed.startswith(text)


@given(documents(), st.data())
def test_what_is_removed_is_gone_and_nothing_else(document, data):
    """A key or table goes with its lines; other keys keep their values, other lines stay."""
    text, _ = document
    path = _draw_from(data, {each.path for each in statements(text)})
    before = tomllib.loads(text)
    changed = without(text, path)
    del _get(before, path[:-1])[path[-1]]
    assert _without_empty_tables(tomllib.loads(changed)) == _without_empty_tables(before)
    assert _is_part_of(changed, text)


@given(documents(), st.data())
def test_a_key_inside_an_inline_table_can_be_changed(document, data):
    """What stands inside a value is set and removed there."""
    text, lines = document
    before = tomllib.loads(text)
    inside = {
        path
        for path in lines
        if all(isinstance(name, str) for name in path)
        and any(path[: len(pair)] == pair != path for pair in _pairs(text))
    }
    path = _draw_from(data, inside)
    assert tomllib.loads(with_value(text, path, "new")) == _set(before, path, "new")
    new = (*path[:-1], "a new key")
    assert tomllib.loads(with_value(text, new, "new")) == _set(before, new, "new")
    changed = without(text, path)
    del _get(before, path[:-1])[path[-1]]
    assert tomllib.loads(changed) == before


def test_a_comment_above_a_table_stays_with_it():
    """A removed table leaves the comment of the next one, a new key does not come before it."""
    text = "[a]\nx = 1\n\n# this is b\n[b]\ny = 2\n"
    assert without(text, ("a",)) == "# this is b\n[b]\ny = 2\n"
    assert with_value(text, ("a", "z"), 3) == "[a]\nx = 1\nz = 3\n\n# this is b\n[b]\ny = 2\n"


def test_an_array_that_cannot_be_changed_in_place_is_written_anew():
    """Comments in odd places of an array may go, its meaning never does."""
    text = "a = [ # one\n\n1, 1]\n"
    assert with_value(text, ("a",), ["x"]) == 'a = ["x"]\n'
