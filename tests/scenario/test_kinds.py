"""Conflicts of contents, flags and kinds on three laptops (section 3, rules 2 to 4a and 6)."""

from pathlib import Path

from tests.scenario.cases import (
    Case,
    Way,
    chmod,
    delete,
    delete_tree,
    each,
    link,
    mkdir,
    move,
    play,
    rmdir,
    together,
    write,
    write_all,
)

FILE = write("p", "text")
NOTHING = together()

CONTENTS = [
    Case(
        "by all",
        FILE,
        [write("p", "by a")],
        [write("p", "by b")],
        [write("p", "by c")],
        {"p": {"by a", "by b", "by c"}},
    ),
    Case(
        "by all, several times",
        FILE,
        [write("p", "a first"), write("p", "by a")],
        [write("p", "b first"), write("p", "by b")],
        [write("p", "by c")],
        {"p": {"by a", "by b", "by c"}},
    ),
    Case(
        "by all alike",
        FILE,
        [write("p", "alike")],
        [write("p", "alike")],
        [write("p", "alike")],
        {"p": "alike"},
    ),
    Case(
        "by two alike",
        FILE,
        [write("p", "alike")],
        [write("p", "alike")],
        [write("p", "by c")],
        {"p": {"alike", "by c"}},
    ),
    Case(
        "alike in the end",
        FILE,
        [write("p", "alike")],
        [write("p", "on the way"), write("p", "alike")],
        [write("p", "by c")],
        {"p": {"alike", "by c"}},
        # Whoever saw only one of the two made a copy of that one already.
        [{"p": ["alike", "alike", "by c"]}],
    ),
    Case(
        "made anew by all",
        NOTHING,
        [write("n", "by a")],
        [write("n", "by b")],
        [write("n", "by c")],
        {"n": {"by a", "by b", "by c"}},
    ),
    Case(
        "made anew by all alike",
        NOTHING,
        [write("d/n", "alike")],
        [write("d/n", "alike")],
        [write("d/n", "alike")],
        {"d/n": "alike"},
    ),
    Case("edit and deletion", FILE, [delete("p")], [write("p", "by b")], [], {"p": "by b"}),
    Case("deleted by all", FILE, [delete("p")], [delete("p")], [delete("p")], {}),
    Case(
        "deleted and made again",
        FILE,
        [delete("p"), write("p", "again")],
        [write("p", "by b")],
        [],
        {"p": {"again", "by b"}},
    ),
    Case(
        "deleted and made again at once",
        FILE,
        [together(delete("p"), write("p", "again"))],
        [delete("p")],
        [],
        {"p": "again"},
    ),
    Case(
        "deleted and made again as it was",
        FILE,
        [delete("p"), write("p", "text")],
        [delete("p")],
        [],
        {"p": "text"},
    ),
    Case(
        "with an extension",
        write("a b.tar.gz", "text"),
        [write("a b.tar.gz", "by a")],
        [write("a b.tar.gz", "by b")],
        [],
        {"a b.tar.gz": {"by a", "by b"}},
    ),
    Case("emptied", FILE, [write("p", "")], [write("p", "by b")], [], {"p": {"", "by b"}}),
    Case(
        "emptied by two",
        FILE,
        [write("p", "")],
        [write("p", "")],
        [delete("p")],
        {"p": ""},
    ),
]


@each(CONTENTS)
def test_contents(tmp_path: Path, case: Case, way: Way) -> None:
    """Of rival contents one has the path and each other one a conflict copy, equal ones count as
    one, and an edit survives a deletion."""
    play(tmp_path, case, way)


FLAGS = [
    Case("chmod alone", FILE, [chmod("p")], [], [], {"p": ("text", "x")}),
    Case("chmod by all", FILE, [chmod("p")], [chmod("p")], [chmod("p")], {"p": ("text", "x")}),
    Case("chmod and edit", FILE, [chmod("p")], [write("p", "by b")], [], {"p": ("by b", "x")}),
    Case(
        "chmod and several edits",
        FILE,
        [chmod("p")],
        [write("p", "first"), write("p", "by b")],
        [],
        {"p": ("by b", "x")},
    ),
    Case(
        "chmod and two edits",
        FILE,
        [chmod("p")],
        [write("p", "by b")],
        [write("p", "by c")],
        # Which of the two has the path, and with it the flag, depends on who syncs first.
        {"p": {("by b", "x"), "by c"}},
        [{"p": {"by b", ("by c", "x")}}, {"p": {("by b", "x"), ("by c", "x")}}],
    ),
    Case(
        "chmod and an edit with it",
        FILE,
        [chmod("p")],
        [together(write("p", "by b"), chmod("p"))],
        [],
        {"p": ("by b", "x")},
    ),
    Case(
        "no longer executable",
        together(FILE, chmod("p")),
        [chmod("p", 0o644)],
        [together(write("p", "by b"), chmod("p"))],
        [],
        {"p": "by b"},
    ),
    Case("chmod and deletion", FILE, [chmod("p")], [delete("p")], [], {"p": ("text", "x")}),
    Case("chmod and move", FILE, [chmod("p")], [move("p", "q")], [], {"q": ("text", "x")}),
    Case(
        "chmod, move and edit",
        FILE,
        [chmod("p")],
        [move("p", "q")],
        [write("p", "by c")],
        {"q": ("by c", "x")},
        [{"p": "by c", "q": ("text", "x")}, {"p": ("text", "x"), "q": "by c"}],
    ),
    Case(
        "there and back",
        FILE,
        [chmod("p"), chmod("p", 0o644)],
        [write("p", "by b")],
        [],
        # Rule 4a speaks of one change of the flags; after two the file counts as written anew.
        {"p": {"text", "by b"}},
    ),
]


@each(FLAGS)
def test_flags(tmp_path: Path, case: Case, way: Way) -> None:
    """Making a file executable is no rival of an edit: the edited file is executable."""
    play(tmp_path, case, way)


KINDS = [
    Case(
        "file to directory, beside an edit",
        FILE,
        [together(delete("p"), write("p/in", "inner"))],
        [write("p", "by b")],
        [],
        {"p/in": "inner", "p": "by b"},
    ),
    Case(
        "file and directory made anew",
        NOTHING,
        [write("n", "a file")],
        [write("n/in", "inner")],
        [],
        {"n/in": "inner", "n": "a file"},
    ),
    Case(
        "file and empty directory",
        NOTHING,
        [write("n", "a file")],
        [mkdir("n")],
        [],
        {"n": {"a file", "directory"}},
    ),
    Case(
        "two files and a directory",
        NOTHING,
        [write("n", "by a")],
        [write("n", "by b")],
        [write("n/in", "inner")],
        {"n/in": "inner", "n": {"by a", "by b"}},
    ),
    Case(
        "two equal files and a directory",
        NOTHING,
        [write("n", "alike")],
        [write("n", "alike")],
        [write("n/in", "inner")],
        {"n/in": "inner", "n": "alike"},
    ),
    Case(
        "directory to file, beside a new file in it",
        write("d/in", "inner"),
        [together(delete_tree("d"), write("d", "a file"))],
        [write("d/new", "new")],
        [],
        {"d/new": "new", "d": "a file"},
    ),
    Case(
        "directory to file",
        write("d/in", "inner"),
        [together(delete_tree("d"), write("d", "a file"))],
        [],
        [],
        {"d": "a file"},
    ),
    Case(
        "file to directory",
        FILE,
        [together(delete("p"), write("p/q/in", "inner"))],
        [],
        [],
        {"p/q/in": "inner"},
    ),
    Case(
        "a moved file's place became a directory",
        FILE,
        [together(move("p", "q"), write("p/in", "inner"))],
        [write("p", "by b")],
        [],
        {"p/in": "inner", "q": "by b"},
    ),
    Case(
        "into a directory of its own name",
        FILE,
        [together(move("p", "x"), move("x", "p/p"))],
        [write("p", "by b")],
        [],
        {"p/p": "by b"},
    ),
    Case("file to link", FILE, [link("p", "q")], [], [], {"p": ("link", "q")}),
    Case(
        "file to link, beside an edit",
        FILE,
        [link("p", "q")],
        [write("p", "by b")],
        [],
        {"p": {("link", "q"), "by b"}},
    ),
    Case(
        "link led elsewhere by two",
        link("p", "q"),
        [link("p", "r")],
        [link("p", "s")],
        [],
        {"p": {("link", "r"), ("link", "s")}},
    ),
    Case("link alike", NOTHING, [link("p", "q")], [link("p", "q")], [], {"p": ("link", "q")}),
    Case(
        "link and a file of its text",
        NOTHING,
        [link("p", "q")],
        [write("p", "q")],
        [],
        {"p": {("link", "q"), "q"}},
    ),
    Case("link deleted", link("p", "q"), [delete("p")], [], [], {}),
    Case(
        "link to a directory",
        together(write("d/in", "inner"), link("l", "d")),
        [write("d/in", "edited")],
        [],
        [],
        {"d/in": "edited", "l": ("link", "d")},
    ),
]


@each(KINDS)
def test_kinds(tmp_path: Path, case: Case, way: Way) -> None:
    """Where one has a file and another a directory, the directory stays and the file becomes a
    conflict copy; links are contents of their own."""
    play(tmp_path, case, way)


DIRECTORIES = [
    Case("made", NOTHING, [mkdir("d/e")], [], [], {"d/e": "directory"}),
    Case("made by all", NOTHING, [mkdir("d")], [mkdir("d")], [mkdir("d")], {"d": "directory"}),
    Case("removed", mkdir("d/e"), [delete_tree("d")], [], [], {}),
    Case("removed by all", mkdir("d"), [rmdir("d")], [rmdir("d")], [rmdir("d")], {}),
    Case(
        "removed beside a new file", mkdir("d"), [rmdir("d")], [write("d/n", "n")], [], {"d/n": "n"}
    ),
    Case("filled", mkdir("d"), [write("d/n", "n")], [], [], {"d/n": "n"}),
    Case(
        "filled and emptied",
        mkdir("d"),
        [write("d/n", "n"), delete("d/n")],
        [],
        [],
        {"d": "directory"},
    ),
    Case(
        "filled and removed",
        mkdir("d"),
        [write("d/n", "n"), delete_tree("d")],
        [],
        [],
        {},
    ),
    Case("left empty", write("d/n", "n"), [delete("d/n")], [], [], {"d": "directory"}),
    Case(
        "left empty beside an edit",
        write("d/n", "n"),
        [delete("d/n")],
        [write("d/n", "by b")],
        [],
        {"d/n": "by b"},
    ),
    Case("tree removed", write("d/e/n", "n"), [delete_tree("d")], [], [], {}),
    Case(
        "tree removed beside a new file",
        write("d/e/n", "n"),
        [delete_tree("d")],
        [write("d/e/m", "m")],
        [],
        {"d/e/m": "m"},
    ),
    Case(
        "last files removed by two",
        write_all(d__1="one", d__2="two"),
        [delete("d/1")],
        [delete("d/2")],
        [],
        # Nobody left it empty, and nobody made it.
        {},
    ),
    Case("renamed", mkdir("d/e"), [move("d", "n")], [], [], {"n/e": "directory"}),
    Case(
        "renamed beside a new file",
        mkdir("d"),
        [move("d", "n")],
        [write("d/f", "f")],
        [],
        {"n": "directory", "d/f": "f"},
    ),
]


@each(DIRECTORIES)
def test_empty_directories(tmp_path: Path, case: Case, way: Way) -> None:
    """A directory that somebody left or made empty is kept, one that lost its last file by others'
    doing is not, and what somebody puts in survives its removal."""
    play(tmp_path, case, way)
