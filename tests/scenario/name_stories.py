"""What happens to names between a laptop that holds them all (a) and one whose disk does not (b).

Each story is told on simulated and on real file systems. `Pair` speaks of paths of the log, also
where b's user sees another name on disk.
"""

import os
import shutil
import unicodedata
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from tests.scenario.laptops import Laptop, settle

from firnline.core.local_names import alias_of
from firnline.state.folder_state import FolderState
from firnline.sync.context import OTHER_NAME, Problem

LONG = "\u00e9" * 124 + ":?.txt"
ODD = ["a:b?.txt", "end.", "end ", "CON", "con.txt", "q\x01\n", "?", "b|c/d*e/f<g", LONG]
CLASHING = ["README", "readme", "ReadMe", "Stra\u00dfe.txt", "STRASSE.txt", "\u00c9", "\u00e9"]


class Pair:
    """Two laptops with one store."""

    def __init__(self, a: Laptop, b: Laptop, *, links: bool = True, modes: bool = True) -> None:
        """`links`, `modes`: b's disk has symbolic links, execute bits."""
        self.a = a
        self.b = b
        self._links = links
        self._modes = modes

    def sync(self) -> None:
        settle(self.a, self.b)

    def local(self, path: str) -> Path:
        """Where b has a path of the log."""
        aliases = {name: _key(local) for local, name in aliases_of(self.b)}
        place = self.b.folder
        for part in path.split("/"):
            names = os.listdir(place)
            own = {unicodedata.normalize("NFC", name): name for name in names}
            keyed = {_key(name): name for name in names}
            place /= own.get(part) or keyed.get(aliases.get(part, part), part)
        return place

    def edit(self, path: str, text: str) -> None:
        """b's user saves a file that is there."""
        self.b.write(str(self.local(path).relative_to(self.b.folder)), text)

    def notices(self) -> dict[str, str]:
        return {notice.path: notice.message for notice in self._notices()}

    def _notices(self) -> list[Problem]:
        found = self.b.sync().notices
        assert all(notice.kind == OTHER_NAME for notice in found)
        return found

    def check(self) -> None:
        """Equal logs, equal trees as far as b's disk can hold them, and rest."""
        self.sync()
        before = _log(self.a)
        assert before == _log(self.b)
        wanted, found = self.a.tree(), seen_tree(self.b)
        if not self._modes:
            wanted, found = _without_flags(wanted), _without_flags(found)
        if not self._links:
            wanted = {path: what for path, what in wanted.items() if not _is_link(what)}
        assert found == wanted
        for laptop in (self.b, self.a, self.b):
            report = laptop.sync()
            assert (report.written, report.applied) == (0, 0), report
            assert not report.problems or not self._links, report.problems
        assert _log(self.a) == before == _log(self.b)


def _key(local: str) -> str:
    return unicodedata.normalize("NFC", local).lower()


def _without_flags(tree: dict[str, object]) -> dict[str, object]:
    return {
        path: what[0] if isinstance(what, tuple) and what[1] == "x" else what
        for path, what in tree.items()
    }


def _is_link(what: object) -> bool:
    return isinstance(what, tuple) and what[0] == "link"


def aliases_of(laptop: Laptop) -> list[tuple[str, str]]:
    """Pairs of local name and name."""
    state = FolderState(laptop.place / "state.db")
    try:
        return state.aliases.pairs()
    finally:
        state.close()


def seen_tree(laptop: Laptop) -> dict[str, object]:
    """The tree under the names of the log."""
    names = {_key(local): name for local, name in aliases_of(laptop)}
    found: dict[str, object] = {}
    for path, what in laptop.tree().items():
        parts = unicodedata.normalize("NFC", path).split("/")
        name = "/".join(names.get(part.lower(), part) for part in parts)
        assert name not in found, f"twice: {name}"
        found[name] = what
    return found


def _log(laptop: Laptop) -> list[tuple[str, ...]]:
    state = FolderState(laptop.place / "state.db")
    try:
        return state.database.connection.execute("SELECT name FROM events ORDER BY name").fetchall()
    finally:
        state.close()


def operations(laptop: Laptop) -> Counter[str]:
    """What the log says that was done to which path."""
    state = FolderState(laptop.place / "state.db")
    try:
        rows = state.database.connection.execute("SELECT op, path FROM entries ORDER BY event")
        return Counter(f"{op} {path}" for op, path in rows)
    finally:
        state.close()


# --- the stories --------------------------------------------------------------------------------


def odd_names(pair: Pair) -> None:
    """Names with forbidden characters, ends and lengths are made, edited, moved and deleted."""
    for name in ODD:
        pair.a.write(name, name)
        pair.a.write(f"in/{name}/x", name)
    pair.check()
    for name in ODD[1::2]:
        pair.edit(name, "edited there")
        pair.a.write(f"in/{name}/x", "edited here")
    pair.check()
    pair.local(ODD[0]).unlink()
    pair.a.delete(f"in/{ODD[0]}/x")
    pair.a.move(ODD[1], f"moved/{ODD[1]}")
    pair.local(ODD[2]).rename(pair.b.folder / "proper")
    pair.check()
    assert not (pair.a.folder / ODD[0]).exists()
    assert pair.a.read("proper") == ODD[2]


def clashing_names(pair: Pair) -> None:
    """Names that differ by case or form only stand side by side, files and directories."""
    for name in CLASHING:
        pair.a.write(name, name)
        pair.a.write(f"Docs/{name}", name)
        pair.a.write(f"docs/{name}/x", name)
    pair.check()
    for name in CLASHING:
        pair.edit(name, f"edited {name}")
        pair.a.write(f"docs/{name}/x", f"edited {name}")
    pair.check()
    pair.local("Docs/readme").unlink()
    shutil.rmtree(pair.local("docs/README"))
    pair.check()
    assert not (pair.a.folder / "Docs/readme").exists()
    assert (pair.a.folder / "Docs/README").exists()
    assert not (pair.a.folder / "docs/README").exists()


def end_of_a_clash(pair: Pair) -> None:
    """Who stays alone has its own name again, whoever ended the clash and how."""
    for group in ("one", "two", "three", "four"):
        pair.a.write(f"{group}/name", "first")
        pair.a.write(f"{group}/NAME", "second")
        pair.a.write(f"{group}/Sub/x", "first")
        pair.a.write(f"{group}/sub/x", "second")
    pair.check()
    pair.a.delete("one/name")
    pair.a.delete("two/NAME")
    pair.local("three/name").unlink()
    pair.local("four/NAME").rename(pair.b.folder / "four/elsewhere")
    shutil.rmtree(pair.a.folder / "one/Sub")
    pair.a.move("two/sub", "two/other")
    shutil.rmtree(pair.local("three/Sub"))
    pair.check()
    assert not any(name.lower().startswith(("one/n", "two/n")) for name in pair.notices())
    assert {p.name for p in (pair.b.folder / "one").iterdir()} == {"NAME", "sub"}
    assert {p.name for p in (pair.b.folder / "two").iterdir()} == {"name", "Sub", "other"}
    assert {p.name for p in (pair.b.folder / "three").iterdir()} == {"NAME", "sub"}
    assert pair.a.read("four/elsewhere") == "second"


def case_renames(pair: Pair) -> None:
    """A rename that changes only case is a rename on both, of files and of directories."""
    pair.a.write("readme", "text")
    pair.a.write("dir/x", "x")
    pair.a.write("dir/sub/y", "y")
    pair.check()
    pair.a.move("readme", "README")
    (pair.a.folder / "dir").rename(pair.a.folder / "DIR")
    pair.check()
    assert sorted(p.name for p in pair.b.folder.iterdir()) == [".firnline", "DIR", "README"]
    _respell(pair.b.folder / "README", "ReadMe")
    _respell(pair.b.folder / "DIR", "Dir")
    pair.check()
    assert sorted(p.name for p in pair.a.folder.iterdir()) == [".firnline", "Dir", "ReadMe"]
    assert not any(op.startswith("del") for op in operations(pair.a))


def _respell(path: Path, name: str) -> None:
    """As programs do it where a plain rename may do nothing."""
    path.rename(path.with_name("between"))
    path.with_name("between").rename(path.with_name(name))


def swap_by_case(pair: Pair) -> None:
    """Two names that differ by case change their contents, and then their owners' places."""
    pair.a.write("name", "one")
    pair.a.write("NAME", "two")
    pair.check()
    for source, target in (("name", "third"), ("NAME", "name"), ("third", "NAME")):
        pair.a.move(source, target)
    pair.check()
    assert pair.local("name").read_text() == "two"
    first, second = pair.local("name"), pair.local("NAME")
    first.rename(pair.b.folder / "third")
    second.rename(first)
    (pair.b.folder / "third").rename(second)
    pair.check()
    assert pair.a.read("name") == "one"


def conflict(pair: Pair) -> None:
    """Both edit a file that has another name on one of them: a conflict copy on both."""
    for name in ("plan", "PLAN", "w:x"):
        pair.a.write(name, "base")
    pair.check()
    for name in ("plan", "PLAN", "w:x"):
        pair.a.write(name, f"a {name}")
        pair.edit(name, f"b {name}")
    pair.check()
    texts = [str(text) for text in pair.a.tree().values()]
    assert sorted(texts) == sorted(f"{d} {n}" for d in "ab" for n in ("plan", "PLAN", "w:x"))


def moved_directory(pair: Pair) -> None:
    """b's user moves a directory, and copies it: the aliases inside are carried along."""
    for name in ("x/Name", "x/name", "x/c:d", "x/sub/E", "x/sub/e"):
        pair.a.write(name, name)
    pair.check()
    (pair.b.folder / "x").rename(pair.b.folder / "y")
    pair.check()
    assert sorted(pair.a.tree()) == ["y/Name", "y/c:d", "y/name", "y/sub/E", "y/sub/e"]
    assert not any("~" in op for op in operations(pair.b))
    (pair.a.folder / "y").rename(pair.a.folder / "Y")
    pair.check()
    shutil.copytree(pair.b.folder / "Y", pair.b.folder / "z")
    pair.check()
    assert sorted(pair.a.tree())[5:] == ["z/Name", "z/c:d", "z/name", "z/sub/E", "z/sub/e"]


def looks_like_an_alias(pair: Pair) -> None:
    """A file that is really called as an alias would be stays what it is, on both."""
    lost = alias_of("name"), alias_of("NAME"), alias_of("p:q")
    pair.a.write(lost[0], "real")
    pair.a.write(f"d/{lost[2]}", "real")
    pair.check()
    pair.a.write("name", "one")
    pair.a.write("NAME", "two")
    pair.a.write("p:q", "three")
    pair.check()
    pair.a.write(lost[1], "real")
    pair.a.write(f"e/{alias_of('p:q', 1)}", "real")
    pair.check()


def lost_table(pair: Pair) -> None:
    """b loses its database: its aliases are the files that they were, and no event is written."""
    for name in (*CLASHING, *ODD, f"in/{ODD[0]}/Case", f"in/{ODD[0]}/case"):
        pair.a.write(name, name)
    pair.check()
    before = _log(pair.a)
    for file in pair.b.place.glob("state.db*"):
        file.unlink()
    pair.check()
    assert _log(pair.a) == before


def second_name(pair: Pair) -> None:
    """b's user makes a file of a name whose owner has another here: the new one counts, and the
    old one is kept and shown."""
    pair.a.write("name", "one")
    pair.a.write("NAME", "two")
    pair.check()
    (aliased,) = pair.notices()
    other = "NAME" if aliased == "name" else "name"
    kept = pair.local(aliased).read_text()
    pair.local(other).unlink()
    old = pair.local(aliased)
    pair.b.write("new", "three")
    (pair.b.folder / "new").rename(pair.b.folder / aliased)
    pair.sync()
    assert pair.a.tree() == {aliased: "three"}
    assert old.read_text() == kept
    (problem,) = pair.b.sync().problems
    assert (problem.path, problem.kind) == (old.name, "second name")
    old.rename(pair.b.folder / "fourth")
    pair.check()
    assert pair.a.read("fourth") == kept


def many_clashes(pair: Pair) -> None:
    """Many names that are all one to the disk, from both sides."""
    names = [
        "".join(c.upper() if number >> bit & 1 else c for bit, c in enumerate("abcdef"))
        for number in range(64)
    ]
    for name in names[:40]:
        pair.a.write(f"m/{name}", name)
    pair.check()
    for name in names[40:]:
        pair.a.write(f"m/{name}", name)
    for name in names[1:20]:
        pair.a.delete(f"m/{name}")
    pair.check()
    assert len(list((pair.b.folder / "m").iterdir())) == 45


def made_there(pair: Pair) -> None:
    """What b's user makes comes to a; what both make in two cases stands on both."""
    pair.b.write("Thing", "from b")
    pair.a.write("thing", "from a")
    pair.check()
    assert pair.a.tree() == {"Thing": "from b", "thing": "from a"}
    pair.b.write("d/x", "b")
    pair.a.write("D/x", "a")
    pair.check()


def decomposed(pair: Pair) -> None:
    """Names in NFC and NFD are one name of the log, whoever wrote which."""
    composed, apart = "caf\u00e9", unicodedata.normalize("NFD", "caf\u00e9")
    pair.a.write(f"{composed}/{composed}", "one")
    pair.b.write(f"other {apart}", "two")
    pair.check()
    assert set(pair.a.tree()) == {f"{composed}/{composed}", f"other {composed}"}, pair.a.tree()
    pair.edit(f"{composed}/{composed}", "edited")
    pair.a.write(f"other {composed}", "edited too")
    pair.check()
    pair.a.move(composed, composed.upper())
    pair.check()
    pair.local(f"{composed.upper()}/{composed}").unlink()
    pair.check()
    assert pair.a.tree() == {f"other {composed}": "edited too", composed.upper(): "directory"}


def attributes(pair: Pair) -> None:
    """Execute bits and links that b's disk cannot hold stay what they are in the log, whatever b's
    user does with the files."""
    for name in ("edited", "moved", "copied over", "sub/with dir", "made plain"):
        pair.a.write(name, f"{name} on a", executable=True)
    (pair.a.folder / "link").symlink_to("edited")
    pair.check()
    before = _log(pair.a)
    shutil.copyfile(pair.b.folder / "edited", pair.b.folder / "again")
    (pair.b.folder / "again").replace(pair.b.folder / "edited")
    pair.check()
    assert _log(pair.a) == before
    pair.edit("edited", "edited on b")
    (pair.b.folder / "moved").rename(pair.b.folder / "at home")
    (pair.b.folder / "sub/with dir").rename(pair.b.folder / "out")
    (pair.a.folder / "made plain").chmod(0o644)
    pair.check()
    pair.edit("made plain", "plain on b")
    pair.check()
    found = pair.a.tree()
    assert found.pop("link") == ("link", "edited")
    assert found.pop("made plain") == "plain on b"
    assert found.pop("sub") == "directory"
    assert found == {
        "at home": ("moved on a", "x"),
        "copied over": ("copied over on a", "x"),
        "edited": ("edited on b", "x"),
        "out": ("sub/with dir on a", "x"),
    }


Story = Callable[[Pair], None]
CASE: set[Story] = {case_renames, made_there, end_of_a_clash, second_name, moved_directory}
"""Stories about case that b's disk keeps."""

STORIES: list[Story] = [
    odd_names,
    clashing_names,
    end_of_a_clash,
    case_renames,
    swap_by_case,
    conflict,
    moved_directory,
    looks_like_an_alias,
    lost_table,
    second_name,
    many_clashes,
    made_there,
    decomposed,
]
