"""gitignore rules: examples, a comparison with another implementation, and hostile patterns."""

import warnings

import pathspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firnline.folder.patterns import BadPatternError, Rules, parse_line


def matches(patterns: list[str], path: str) -> bool:
    """Of a file, or of a directory where the path ends in a slash."""
    parsed = [parse_line(pattern) for pattern in patterns]
    rules = Rules(pattern for pattern in parsed if pattern is not None)
    return rules.match(path.removesuffix("/"), path.endswith("/"))


@pytest.mark.parametrize(
    ("pattern", "hit", "missed"),
    [
        ("a", ["a", "x/a", "a/", "x/y/a/"], ["ab", "ba", "a/b", "A"]),
        ("/a", ["a", "a/"], ["x/a"]),
        ("a/", ["a/", "x/a/"], ["a", "x/a"]),
        ("/a/", ["a/"], ["a", "x/a/"]),
        ("a/b", ["a/b", "a/b/"], ["x/a/b", "a/x/b", "b"]),
        ("*.log", ["x.log", ".log", "d/x.log"], ["x.logs", "xlog", "x.log/y"]),
        ("x*y*z", ["xyz", "xaybz", "xyyzz"], ["xy", "xzy", "x/y/z", "xyza"]),
        ("*a*b", ["ab", "xaxb", "aab"], ["ba", "a", "b"]),
        ("d/*", ["d/x"], ["d", "d/x/y", "x/d/y"]),
        ("d/*.c", ["d/x.c"], ["d/e/x.c"]),
        ("?", ["a", "ü", "d/a"], ["ab"]),
        ("a?c", ["abc", "a?c"], ["ac", "a/c"]),
        ("[abc]", ["a", "c"], ["d", "ab"]),
        ("[a-c]x", ["ax", "bx"], ["dx", "-x"]),
        ("[!a]", ["b", "]"], ["a"]),
        ("[^a-c]", ["d", "-"], ["b"]),
        ("[]a]", ["]", "a"], ["b"]),
        ("[!]a]", ["b"], ["]", "a"]),
        ("[a-]", ["a", "-"], ["b"]),
        ("[\\]]", ["]"], ["\\"]),
        ("[[:digit:]_]x", ["1x", "_x"], ["ax"]),
        ("[[]", ["["], ["]"]),
        ("[+--]", ["+", ",", "-"], ["."]),
        ("**", ["a", "a/b"], []),
        ("**/a", ["a", "x/a", "x/y/a"], ["xa", "a/x"]),
        ("a/**", ["a/x", "a/x/y"], ["a", "b/a/x"]),
        ("a/**/b", ["a/b", "a/x/b", "a/x/y/b"], ["a", "ab", "a/bx"]),
        ("**/a/**/b/**", ["a/b/c", "x/a/y/b/z/z"], ["a/b", "b/a/c"]),
        ("a/**/b/*/c", ["a/b/x/c", "a/b/b/x/c"], ["a/b/c", "a/x/c"]),
        ("a**b", ["ab", "axb"], ["a/b"]),
        ("/**", ["a", "a/b"], []),
        ("***/a", ["a", "x/y/a"], ["b"]),
        ("\\*", ["*"], ["a"]),
        ("\\#a", ["#a"], ["\\#a"]),
        ("\\!a", ["!a"], ["a"]),
        ("a ", ["a"], ["a "]),
        ("a\\ ", ["a "], ["a"]),
        ("a\\\\ ", ["a\\"], ["a\\ "]),
        ("a b", ["a b"], ["a"]),
        ("a\r", ["a"], []),
        (".*", [".a"], ["a"]),
        ("*", ["a", ".a", "d/a"], []),
        ("(a|b)+", ["(a|b)+"], ["a"]),
        ("日本", ["日本"], ["日"]),
    ],
)
def test_rules(pattern: str, hit: list[str], missed: list[str]):
    """One pattern, as gitignore(5) has it."""
    assert [path for path in [*hit, *missed] if matches([pattern], path)] == hit


@pytest.mark.parametrize("line", ["", "   ", "# comment", "#", "\r\n"])
def test_lines_without_a_pattern(line: str):
    """Blank lines and comments say nothing."""
    assert parse_line(line) is None


@pytest.mark.parametrize(
    "line",
    [
        "[abc",
        "[",
        "[a-",
        "[]",
        "[!",
        "x\\",
        "[z-a]",
        "[[:nothing:]]",
        "a[b/]c",
        "/",
        "!",
        "!/",
        "x" * 5000,
    ],
)
def test_lines_that_are_no_pattern(line: str):
    """What matches nothing, or nobody knows what, is refused, so that it can be told."""
    with pytest.raises(BadPatternError):
        parse_line(line)


def test_the_last_match_wins():
    """A later pattern takes back or hides again what an earlier one decided."""
    patterns = ["*.log", "!keep.log", "/secret/", "keep.log/", "!/x/y", "z", "!z", "z"]
    found = {
        path: matches(patterns, path)
        for path in ("a.log", "keep.log", "keep.log/", "secret/", "secret", "x/y", "z")
    }
    assert found == {
        "a.log": True,
        "keep.log": False,
        "keep.log/": True,
        "secret/": True,
        "secret": False,
        "x/y": False,
        "z": True,
    }
    assert not matches([], "a")


PIECES = st.sampled_from(["a", "b", "ab", "*", "?", "[ab]", "[b-c]", "\\*"])
PART = st.lists(PIECES, min_size=1, max_size=5).map("".join).filter(lambda part: "**" not in part)
# Without what pathspec has otherwise than git: `**` in a row or at the end, `[!a]` and `/`.
PATTERN = st.builds(
    lambda first, parts, last: first + "/".join(parts) + last,
    st.sampled_from(["", "/", "**/"]),
    st.lists(st.one_of(PART, PART, st.just("**")), min_size=1, max_size=4),
    st.sampled_from(["", "/", "/**"]),
).filter(
    lambda pattern: (
        "**/**" not in pattern and not pattern.endswith("**/") and pattern.strip("/") != "**"
    )
)
PATH = st.lists(
    st.lists(st.sampled_from("ab*c"), min_size=1, max_size=4).map("".join), min_size=1, max_size=5
).map("/".join)


@given(st.lists(PATTERN, min_size=1, max_size=3), st.lists(PATH, min_size=1, max_size=10))
def test_as_another_implementation_has_it(patterns: list[str], paths: list[str]):
    """What these rules hide, itself or by a directory above, is what pathspec's rules hide."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        other = pathspec.GitIgnoreSpec.from_lines(patterns)
    for path in paths:
        parts = path.split("/")
        above = ["/".join(parts[:count]) + "/" for count in range(1, len(parts))]
        ours = any(matches(patterns, each) for each in [*above, path])
        assert ours == other.match_file(path), (patterns, path)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("*a" * 100 + "b", "a" * 255),
        ("*a*" * 100 + "b/c", "a" * 255 + "/c"),
        ("[ab]*" * 100 + "c", "ab" * 127),
        ("**/a/" * 100 + "b", "/".join(["a"] * 256)),
        ("**/*a*a*/" * 50 + "b", "/".join(["aaaaaaaaaaaaa"] * 256)),
        ("*?" * 100 + "b", "a" * 255),
    ],
)
def test_hostile_patterns_end(pattern: str, path: str):
    """Patterns that others match in the time of the universe are done at once."""
    for _ in range(20):
        assert not matches([pattern], path)
