"""Moves beside edits, deletions and other moves, on three laptops (section 3, rule 5)."""

from pathlib import Path

from tests.scenario.cases import (
    Case,
    Way,
    delete,
    delete_tree,
    each,
    link,
    mkdir,
    move,
    play,
    swap,
    together,
    write,
    write_all,
)

FILE = write("p", "text")
PAIR = write_all(p="was p", q="was q")
TREE = write_all(d__1="one", d__2="two", d__e__3="three", d__e__f__4="four")

FOLLOWED = [
    Case("edit", FILE, [move("p", "q")], [write("p", "by b")], [], {"q": "by b"}),
    Case(
        "renamed on",
        FILE,
        [move("p", "q"), move("q", "r")],
        [write("p", "by b")],
        [],
        {"r": "by b"},
    ),
    Case(
        "renamed on at once",
        FILE,
        [together(move("p", "q"), move("q", "r"))],
        [write("p", "by b")],
        [],
        {"r": "by b"},
    ),
    Case(
        "several saves",
        FILE,
        [move("p", "q")],
        [write("p", "first"), write("p", "second"), write("p", "third")],
        [],
        {"q": "third"},
    ),
    Case(
        "two edits",
        FILE,
        [move("p", "q")],
        [write("p", "by b")],
        [write("p", "by c")],
        {"q": {"by b", "by c"}},
        # Before anybody knows of both edits, one may have followed already, or have become a copy
        # at the old place, or (where two laptops saw different halves of it) both.
        [
            {"p": "by b", "q": "by c"},
            {"p": "by c", "q": "by b"},
            {"p": {"by b", "by c"}, "q": "by b"},
            {"p": {"by b", "by c"}, "q": "by c"},
        ],
    ),
    Case(
        "equal edits",
        FILE,
        [move("p", "q")],
        [write("p", "the same")],
        [write("p", "the same")],
        {"q": "the same"},
    ),
    Case(
        "into a directory",
        FILE,
        [move("p", "d/e/p")],
        [write("p", "by b")],
        [],
        {"d/e/p": "by b"},
    ),
    Case(
        "and back",
        FILE,
        [move("p", "q"), move("q", "p")],
        [write("p", "by b")],
        [],
        {"p": {"text", "by b"}},
    ),
    Case(
        "target edited by the mover",
        FILE,
        [move("p", "q"), write("q", "by a")],
        [write("p", "by b")],
        [],
        {"p": "by b", "q": "by a"},
    ),
    Case(
        "target edited in one go",
        FILE,
        [together(move("p", "q"), write("q", "by a"))],
        [write("p", "by b")],
        [],
        {"p": "by b", "q": "by a"},
    ),
    Case(
        "something else at the source",
        FILE,
        [move("p", "q"), write("p", "made anew")],
        [write("p", "by b")],
        [],
        {"p": {"made anew", "by b"}, "q": "text"},
    ),
    Case(
        "link",
        link("p", "one"),
        [move("p", "q")],
        [link("p", "another")],
        [],
        {"q": ("link", "another")},
    ),
    Case("deleted", FILE, [move("p", "q")], [delete("p")], [], {"q": "text"}),
    Case(
        "deleted and edited",
        FILE,
        [move("p", "q")],
        [delete("p")],
        [write("p", "by c")],
        {"q": "by c"},
    ),
    Case(
        "target deleted by the mover",
        FILE,
        [move("p", "q"), delete("q")],
        [write("p", "by b")],
        [],
        {"p": "by b"},
    ),
]


@each(FOLLOWED)
def test_edit_follows_the_move(tmp_path: Path, case: Case, way: Way) -> None:
    """An edit of a file that somebody else moved is found where the file went, as long as that is
    all that happened there; else both stay."""
    play(tmp_path, case, way)


SEVERAL = [
    Case("to one place", FILE, [move("p", "q")], [move("p", "q")], [], {"q": "text"}),
    Case(
        "to two places",
        FILE,
        [move("p", "q")],
        [move("p", "r")],
        [],
        {"q": "text", "r": "text"},
    ),
    Case(
        "two files to one place",
        PAIR,
        [move("p", "r")],
        [move("q", "r")],
        [],
        {"r": {"was p", "was q"}},
    ),
    Case(
        "onto a file",
        PAIR,
        [move("p", "q")],
        [],
        [],
        {"q": "was p"},
    ),
    Case(
        "onto a file that was edited",
        PAIR,
        [move("p", "q")],
        [write("q", "by b")],
        [],
        {"q": {"was p", "by b"}},
    ),
    Case(
        "onto a file that was deleted",
        PAIR,
        [move("p", "q")],
        [delete("q")],
        [],
        {"q": "was p"},
    ),
    Case(
        "onto a file, the source edited",
        PAIR,
        [move("p", "q")],
        [write("p", "by b")],
        [],
        {"q": "by b"},
    ),
    Case(
        "to a place that somebody took",
        FILE,
        [move("p", "n")],
        [write("n", "new")],
        [],
        {"n": {"text", "new"}},
    ),
    Case("swap", PAIR, [swap("p", "q")], [], [], {"p": "was q", "q": "was p"}),
    Case(
        "swap twice",
        PAIR,
        [swap("p", "q")],
        [swap("p", "q")],
        [],
        {"p": "was q", "q": "was p"},
    ),
    Case(
        "swap and back",
        PAIR,
        [swap("p", "q"), swap("p", "q")],
        [],
        [],
        {"p": "was p", "q": "was q"},
    ),
    Case(
        "chain",
        write_all(p="was p", q="was q", r="was r"),
        [together(move("r", "s"), move("q", "r"), move("p", "q"))],
        [],
        [],
        {"q": "was p", "r": "was q", "s": "was r"},
    ),
    Case(
        "chain, the last one edited",
        write_all(p="was p", q="was q"),
        [together(move("q", "r"), move("p", "q"))],
        [write("q", "by b")],
        [],
        {"q": {"was p", "by b"}, "r": "was q"},
    ),
    Case(
        "ring of three",
        write_all(p="was p", q="was q", r="was r"),
        [together(move("p", "x"), move("q", "p"), move("r", "q"), move("x", "r"))],
        [],
        [],
        {"p": "was q", "q": "was r", "r": "was p"},
    ),
    Case(
        "case of letters",
        write("read.me", "text"),
        [move("read.me", "READ.me")],
        [write("read.me", "by b")],
        [],
        {"READ.me": "by b"},
    ),
    Case(
        "case of letters, twice",
        write("read.me", "text"),
        [move("read.me", "x"), move("x", "Read.me")],
        [move("read.me", "READ.ME")],
        [],
        {"Read.me": "text", "READ.ME": "text"},
    ),
]


@each(SEVERAL)
def test_moves_beside_each_other(tmp_path: Path, case: Case, way: Way) -> None:
    """Moves onto files, into one another's way and in rings lose nothing, and all agree."""
    play(tmp_path, case, way)


DIRECTORIES = [
    Case(
        "renamed",
        TREE,
        [move("d", "n")],
        [],
        [],
        {"n/1": "one", "n/2": "two", "n/e/3": "three", "n/e/f/4": "four"},
    ),
    Case(
        "edits inside",
        TREE,
        [move("d", "n")],
        [write("d/1", "by b"), write("d/e/f/4", "by b too")],
        [write("d/2", "by c")],
        {"n/1": "by b", "n/2": "by c", "n/e/3": "three", "n/e/f/4": "by b too"},
    ),
    Case(
        "new file inside",
        TREE,
        [move("d", "n")],
        [write("d/e/new", "by b")],
        [],
        {
            "n/1": "one",
            "n/2": "two",
            "n/e/3": "three",
            "n/e/f/4": "four",
            "d/e/new": "by b",
        },
    ),
    Case(
        "deleted inside",
        TREE,
        [move("d", "n")],
        [delete("d/1")],
        [],
        {"n/1": "one", "n/2": "two", "n/e/3": "three", "n/e/f/4": "four"},
    ),
    Case(
        "tree deleted",
        TREE,
        [move("d", "n")],
        [delete_tree("d")],
        [],
        {"n/1": "one", "n/2": "two", "n/e/3": "three", "n/e/f/4": "four"},
    ),
    Case(
        "a directory inside renamed too",
        TREE,
        [move("d", "n")],
        [move("d/e/f", "d/e/g")],
        [],
        {
            "n/1": "one",
            "n/2": "two",
            "n/e/3": "three",
            "n/e/f/4": "four",
            "d/e/g/4": "four",
        },
    ),
    Case(
        "a deep one, edits below",
        TREE,
        [move("d/e", "d/renamed")],
        [write("d/e/3", "by b"), write("d/e/f/4", "by b too")],
        [],
        {"d/1": "one", "d/2": "two", "d/renamed/3": "by b", "d/renamed/f/4": "by b too"},
    ),
    Case(
        "a deep one, then the one above",
        TREE,
        [move("d/e", "d/x"), move("d", "n")],
        [write("d/e/3", "by b")],
        [],
        {"n/1": "one", "n/2": "two", "n/x/3": "by b", "n/x/f/4": "four"},
    ),
    Case(
        "into itself",
        TREE,
        [together(move("d", "x"), mkdir("d"), move("x", "d/d"))],
        [write("d/1", "by b")],
        [],
        {"d/d/1": "by b", "d/d/2": "two", "d/d/e/3": "three", "d/d/e/f/4": "four"},
    ),
    Case(
        "up by one",
        TREE,
        [together(move("d/e", "x"), delete_tree("d"), move("x", "d"))],
        [],
        [],
        {"d/3": "three", "d/f/4": "four"},
    ),
    Case(
        "two directories changed places",
        write_all(d__1="one", e__1="uno", e__2="due"),
        [swap("d", "e")],
        [],
        [],
        {"e/1": "one", "d/1": "uno", "d/2": "due"},
    ),
    Case(
        "two ways",
        TREE,
        [move("d", "n")],
        [move("d", "m")],
        [],
        {
            f"{root}/{rest}": text
            for root in "nm"
            for rest, text in (("1", "one"), ("2", "two"), ("e/3", "three"), ("e/f/4", "four"))
        },
    ),
    Case(
        "one way by all",
        TREE,
        [move("d", "n")],
        [move("d", "n")],
        [move("d", "n")],
        {"n/1": "one", "n/2": "two", "n/e/3": "three", "n/e/f/4": "four"},
    ),
]


@each(DIRECTORIES)
def test_directories_move(tmp_path: Path, case: Case, way: Way) -> None:
    """A renamed directory takes along what others edit in it meanwhile; what they make anew in the
    old one, or moved elsewhere, stays there."""
    play(tmp_path, case, way)
