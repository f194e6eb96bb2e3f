"""What a file system can hold, and what a name is called where it cannot be."""

import itertools
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firnline.core.local_names import (
    CONTROLS,
    MAX_ALIAS_BYTES,
    WINDOWS,
    Fold,
    Limits,
    Standing,
    alias_of,
    arrange,
)
from firnline.core.paths import BadPathError, check_path

FAT = Limits(fold=Fold.SIMPLE, forbidden='<>:"|?*\\' + CONTROLS, keeps_end=False)
FULL = Limits(fold=Fold.FULL, normalizes=True)
KINDS = [Limits(), FAT, FULL, WINDOWS, Limits(longest=143), Limits(normalizes=True)]


def _is_name(text: str) -> bool:
    try:
        return "/" not in text and bool(check_path(text))
    except BadPathError:
        return False


ODD = ["CON", "aux.txt", "a:b", "end.", "end ", "README", "readme", "\u00e9", "E\u0301", "\u00df"]
NAMES = (
    st.one_of(
        st.text(st.characters(codec="utf-8"), min_size=1, max_size=20),
        st.text("aAbB:. ~\u00e9\u00c9\u00dfs", min_size=1, max_size=4),
        st.text("\u00e9x", min_size=100, max_size=127),
        st.sampled_from(ODD),
    )
    .map(lambda text: unicodedata.normalize("NFC", text))
    .filter(_is_name)
)


@given(NAMES, st.integers(0, 3))
def test_an_alias_can_be_held_everywhere(name: str, attempt: int) -> None:
    """On every file system, under the grammar of paths, within the shortest limit; and it follows
    from the name alone."""
    alias = alias_of(name, attempt)
    assert check_path(alias) == alias
    assert len(alias.encode()) <= MAX_ALIAS_BYTES
    assert alias == alias_of(name, attempt) != name
    assert all(limits.objection(alias) is None for limits in KINDS)
    assert re.search(r"~[0-9a-v]{8}(\.|$)", alias)


@given(st.sets(NAMES, min_size=2, max_size=30))
def test_no_two_names_share_an_alias(names: set[str]) -> None:
    """Also not where case and Unicode forms are one."""
    assert len({FULL.key(alias_of(name)) for name in names}) == len(names)


@given(NAMES, NAMES, st.sampled_from(KINDS))
def test_keys_and_spellings(one: str, other: str, limits: Limits) -> None:
    """Names of one spelling are one name, and so are names of one key for whoever folds."""
    assert limits.key(one) == limits.key(limits.spelling(one))
    if limits.spelling(one) == limits.spelling(other):
        assert limits.key(one) == limits.key(other)
    if limits.key(one) == limits.key(other) and limits.fold is Fold.NONE:
        assert limits.spelling(one) == limits.spelling(other)


@given(st.data(), st.sets(NAMES, min_size=1, max_size=6), st.sampled_from(KINDS))
def test_arrangement_does_not_depend_on_order(
    data: st.DataObject, names: set[str], limits: Limits
) -> None:
    """Whoever came first, and whatever they are called now: the same one ends with its own name,
    and nobody else with one."""
    ranks = {name: data.draw(st.sampled_from("abc")) for name in sorted(names)}
    ends = set()
    for _ in range(3):
        rivals = [
            Standing(name, data.draw(st.sampled_from([name, alias_of(name)])))
            for name in data.draw(st.permutations(sorted(names)))
        ]
        first, yielding = arrange(rivals, limits, ranks.__getitem__)
        now = {rival.name: rival.local for rival in rivals}
        now.update((rival.name, alias_of(rival.name)) for rival in yielding)
        if first is not None:
            now[first.name] = first.name
        able = [name for name in names if limits.objection(name) is None]
        own = [name for name in able if now[name] == name]
        assert own == ([min(able, key=lambda name: (ranks[name], name))] if able else [])
        ends.add(frozenset(own))
    assert len(ends) == 1


@pytest.mark.parametrize(
    ("limits", "name", "words"),
    [
        (FAT, "a:b", "character ':'"),
        (FAT, "a\x01", "character"),
        (FAT, "end.", "dot or a space"),
        (FAT, "end ", "dot or a space"),
        (WINDOWS, "CON", "devices"),
        (WINDOWS, "com\u00b9 .txt", "devices"),
        (Limits(longest=143), "\u00e9" * 72, "longer than 143 bytes"),
        (Limits(fold=Fold.SIMPLE, keeps_case=False), "Readme", "capitals"),
    ],
)
def test_objections(limits: Limits, name: str, words: str) -> None:
    """Each says why, as half a sentence."""
    objection = limits.objection(name)
    assert objection is not None
    assert words in objection


@pytest.mark.parametrize("name", ["a", "console", "a b.c", ".hidden", "com10", "\u00e9" * 71])
def test_no_objection(name: str) -> None:
    """Ordinary names are held by all."""
    assert all(limits.objection(name) is None for limits in KINDS)


def test_holds_all() -> None:
    """Only a file system without any limit holds every name of the log."""
    assert [limits.holds_all for limits in KINDS] == [True, False, False, False, False, False]
    assert not Limits(keeps_case=False).holds_all


@pytest.mark.parametrize(
    ("limits", "groups"),
    [
        (Limits(), ["a", "A", "\u00e9", "e\u0301", "\u00df", "SS"]),
        (FAT, ["aA", ["\u00e9", "\u00c9"], ["\u00df"], "SSs"[:1], ["e\u0301", "E\u0301"]]),
        (FULL, ["aA", ["\u00e9", "\u00c9", "e\u0301", "E\u0301"], ["\u00df", "SS", "ss"]]),
        (Limits(normalizes=True), ["a", "A", ["\u00e9", "e\u0301"], ["\u00c9", "E\u0301"]]),
    ],
)
def test_which_names_are_one(limits: Limits, groups: list[list[str] | str]) -> None:
    """As the file systems fold that these stand for."""
    keys = [{limits.key(name) for name in group} for group in groups]
    assert all(len(key) == 1 for key in keys[:1])
    assert all(not one & other for one, other in itertools.combinations(keys, 2))


def test_where_small_letters_are_written_spellings_are_one() -> None:
    """`readme` is what was written as `README` there."""
    limits = Limits(fold=Fold.SIMPLE, keeps_case=False)
    assert limits.spelling("README") == limits.spelling("readme")


def test_example() -> None:
    """An alias keeps the extension, and most of the name."""
    assert re.fullmatch(r"What_ now~[0-9a-v]{8}\.txt", alias_of("What? now.txt"))
    assert re.fullmatch(r"\.bashrc~[0-9a-v]{8}", alias_of(".bashrc"))
    assert alias_of("a", 1) != alias_of("a")
