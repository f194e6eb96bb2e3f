"""The grammar of paths; hostile ones are those of a store that somebody else can write to."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.core.strategies import PATHS

from firnline.core.paths import (
    BadPathError,
    ancestors,
    check_path,
    common_directory,
    directory_pairs,
    is_own_name,
    normalize,
    parent_of,
    quoted,
)

REFUSED = [
    ("", "empty"),
    ("..", "part"),
    (".", "part"),
    ("../pwn", "part"),
    ("a/../../pwn", "part"),
    ("a/..", "part"),
    ("./a", "part"),
    ("a/./b", "part"),
    ("a//b", "part"),
    ("a/", "part"),
    ("/", "part"),
    ("/etc/cron.d/pwn", "part"),
    ("//srv/share/x", "part"),
    ("a\0.txt", "NUL"),
    ("x" * 5000, "4096"),
    ("/".join(["d" * 255] * 17), "4096"),
    ("ä" * 2049, "4096"),
    ("a/" * 2999 + "a", "4096"),
    ("a/" * 256 + "a", "256 levels"),
    ("x" * 256, "255"),
    ("d/" + "ä" * 128, "255"),
    ("\ud800", "Unicode"),
    ("a/\udfffb", "Unicode"),
    ("u\u0308", "NFC"),
    ("A\u030angstro\u0308m", "NFC"),
    ("\u212b", "NFC"),
    (".firnline", "keeps for itself"),
    (".firnline/id", "keeps for itself"),
    (".FIRNLINE/id", "keeps for itself"),
    (".Firnline...", "keeps for itself"),
    (".firnline. .", "keeps for itself"),
    ("a/.firnline", "keeps for itself"),
    ("a/.FirnLine./b", "keeps for itself"),
    (".firn\u200cline/id", "keeps for itself"),
    ("\ufeff.firnline", "keeps for itself"),
    (".\ufb01rnline", "keeps for itself"),
    (".firnline-tmp-x", "keeps for itself"),
    ("a/.Firnline-TMP-00ff", "keeps for itself"),
]

KEPT = [
    "a",
    "a/b.txt",
    "..\\pwn",
    "a\\..\\..\\pwn",
    "C:\\pwn",
    "C:pwn",
    "\\\\?\\C:\\pwn",
    "a\r\nb",
    "a\nb",
    "..%2fpwn",
    "%2e%2e/pwn",
    "\uff0e\uff0e/pwn",
    "\u2025/pwn",
    "...",
    "....",
    ".. ",
    " ",
    "CON",
    "con.txt",
    "NUL.tar.gz",
    "COM\u00b9",
    "CONIN$",
    "file.",
    "file ",
    "file...",
    "ok:ads",
    "ok::$DATA",
    "PROGRA~1/x",
    ".git\u200c/config",
    "-rf",
    "--help",
    "$(touch pwn)",
    "`id`",
    ";id",
    "%s%n",
    "{0.__class__}",
    "<img src=x onerror=1>.txt",
    "photo\u202egpj.exe",
    "desktop.ini",
    ".DS_Store",
    ".bashrc",
    ".firnlineignore",
    ".firnlin",
    "firnline",
    "x.firnline",
    ".firnline-tmp",
    "x" * 255,
    "/".join(["x" * 255] * 16),
    "a/" * 255 + "a",
    "\u00e4" * 127,
]


def test_the_lists_are_what_they_say():
    """The hostile names above are written in the form that they test."""
    assert unicodedata.normalize("NFKC", "\uff0e\uff0e") == ".."
    assert len("/".join(["x" * 255] * 16)) == 4095


@pytest.mark.parametrize(("path", "reason"), REFUSED, ids=lambda value: ascii(value)[:40])
def test_refused(path, reason):
    """A path that leaves the folder, or that no device of ours writes, with the reason."""
    with pytest.raises(BadPathError, match=reason):
        check_path(path)


@pytest.mark.parametrize("path", KEPT, ids=lambda value: ascii(value)[:40])
def test_literal_names_are_kept(path):
    """What only looks odd is an ordinary name: nothing is folded, decoded or cut."""
    assert check_path(path) == path


def allowed(text: str) -> bool:
    """The grammar once more, as section 1 of the threat model words it."""
    if any("\ud800" <= character <= "\udfff" for character in text):
        return False
    parts = text.split("/")
    return (
        unicodedata.normalize("NFC", text) == text
        and "\0" not in text
        and len(text.encode()) <= 4096
        and len(parts) <= 256
        and all(part not in ("", ".", "..") and len(part.encode()) <= 255 for part in parts)
        and not any(is_own_name(part) for part in parts)
    )


_ODD = "./ab-~\\\0\u0308\u200c\ud800é"


@given(st.one_of(st.text(), st.text(_ODD), st.text("ab/._ -", max_size=600)))
def test_junk_is_refused_or_taken_as_it_is(text):
    """Nothing but BadPathError is raised, and it is for exactly what the grammar forbids."""
    try:
        path = check_path(text)
    except BadPathError:
        assert not allowed(text)
    else:
        assert path == text
        assert allowed(text)


@given(st.text(st.sampled_from("./a\\\0\u0308\ud800"), max_size=12))
def test_dots_and_slashes_never_leave_the_folder(text):
    """However they are put together, no accepted path climbs above where it starts."""
    try:
        parts = check_path(text).split("/")
    except BadPathError:
        return
    assert not {"", ".", ".."} & set(parts)


@given(PATHS)
def test_valid_paths_are_taken(path):
    """What the strategies of these tests make is what the grammar allows."""
    assert check_path(path) == path


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_normalizing_twice_changes_nothing(text):
    """The NFC form of an NFC form is itself."""
    assert normalize(normalize(text)) == normalize(text) == unicodedata.normalize("NFC", text)


def test_ascii_is_normal_already():
    """No other object is made for it."""
    path = "docs/report.pdf"
    assert normalize(path) is path


@pytest.mark.parametrize(
    ("path", "parent", "above"),
    [
        ("a", "", []),
        ("a/b", "a", ["a"]),
        ("a/b/c d/e.txt", "a/b/c d", ["a", "a/b", "a/b/c d"]),
    ],
)
def test_what_stands_above(path, parent, above):
    """The directory that holds a path, and all of them, the outermost first."""
    assert parent_of(path) == parent
    assert ancestors(path) == above


@given(PATHS)
def test_ancestors_are_the_parents_of_parents(path):
    """The two say the same."""
    found = []
    while path := parent_of(path):
        found.append(path)
    assert ancestors(found[0] + "/x" if found else "x") == found[::-1]


@pytest.mark.parametrize(
    ("paths", "directory"),
    [
        (["a"], ""),
        (["a/b"], "a"),
        (["a/b/c", "a/b/d"], "a/b"),
        (["a/b", "a/b/c"], "a"),
        (["a/b/c", "a b/c"], ""),
        (["a/bc/x", "a/b/x"], "a"),
        (["docs/2026/a.txt", "docs/2026/b/ä.txt", "docs/2026/old.txt"], "docs/2026"),
    ],
)
def test_common_directory(paths, directory):
    """The deepest directory that holds every path."""
    assert common_directory(paths) == directory


@given(st.lists(PATHS, min_size=1, max_size=6))
def test_the_common_directory_is_the_deepest(paths):
    """It is above every path, and nothing below it is."""
    shared = set(ancestors(paths[0]))
    for path in paths:
        shared &= set(ancestors(path))
    assert common_directory(paths) == max(shared, key=len, default="")


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("../pwn", "'../pwn'"),
        ("a\r\nb\0", "'a\\r\\nb\\x00'"),
        ("photo\u202egpj.exe\ud800", "'photo\\u202egpj.exe\\ud800'"),
        ("x" * 80, f"'{'x' * 80}'"),
        ("x" * 5000, f"'{'x' * 80}...'"),
    ],
)
def test_quoted(path, shown):
    """A path in a message moves no cursor, turns no direction and fills no page."""
    assert quoted(path) == shown


@pytest.mark.parametrize(
    ("source", "target", "pairs"),
    [
        ("a/f", "b/f", [("a", "b")]),
        ("x/a/d/f", "x/b/d/f", [("x/a", "x/b"), ("x/a/d", "x/b/d")]),
        ("a/d/f", "b/e/f", [("a/d", "b/e")]),
        ("a/f", "b/g", []),
        ("f", "b/f", []),
        ("a/f", "a/b/f", []),
    ],
)
def test_directory_pairs(source: str, target: str, pairs: list[tuple[str, str]]) -> None:
    """The directories whose rename brings a file from source to target, the outermost first."""
    assert directory_pairs(source, target) == pairs
