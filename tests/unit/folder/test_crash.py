"""The power goes before each durable step: the folder has the old state or the new one.

And with the old or new state comes what is needed to go on: the replaced content is at its path
or kept, the new content is at its path or can be fetched again.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.unit.folder.limited_access import WAYS, access_of
from tests.unit.folder.placing import kept, stat_at, temporary, tree
from tests.unit.folder.steps_double import PowerCut, StepsDouble

from firnline.folder.filesystem import Root
from firnline.folder.metadata import Stat

MOST_STEPS = 20


def states(
    folder: Path, way: str, prepare: Callable[[], Stat], act: Callable[[Root, Stat], object]
) -> int:
    """Runs `act` with the power going before each of its steps; how many steps it has."""
    for number in range(MOST_STEPS):
        expected = prepare()
        steps = StepsDouble()
        with Root(str(folder), steps=steps, access=access_of(way, str(folder))) as root:
            steps.cut_before(number)
            try:
                act(root, expected)
            except PowerCut:
                continue
            return number
    raise AssertionError("it never comes to its end")


def start_again(folder: Path) -> Root:
    root = Root(str(folder))
    root.sweep_temporaries()
    return root


@pytest.mark.parametrize("way", WAYS)
def test_placing_a_new_file(folder: Path, way: str):
    """Nothing stands there, or the whole new file."""
    seen = set()

    def prepare() -> Stat:
        with start_again(folder) as root:
            found = tree(folder)
            seen.add(found.get("d/new"))
            assert found.get("d/new", b"new") == b"new"
            (folder / "d/new").unlink(missing_ok=True)
            if "d" in found:
                (folder / "d").rmdir()
            (folder / "other").touch()
            return stat_at(root, "other")

    def act(root: Root, _: Stat) -> None:
        root.place(temporary(root, b"new"), "d/new", None)
        root.barrier()

    assert states(folder, way, prepare, act) >= 5
    prepare()
    assert seen == {None, b"new"}


@pytest.mark.parametrize("way", WAYS)
def test_replacing(folder: Path, way: str):
    """The old content is at the path or kept, and the path never has half of anything.

    Only where there are neither exchange nor links, there is a moment with nothing at the path;
    what is kept is put back then.
    """
    nothing = 0

    def prepare() -> Stat:
        nonlocal nothing
        with start_again(folder) as root:
            found = tree(folder).get("file")
            held = [kept(root, keep) for keep in root.list_kept()]
            if found is None and held == [b"old"]:
                nothing += 1
            else:
                assert found in (None, b"old", b"new")
                assert found != b"new" or held in ([b"old"], [])
                assert found != b"old" or held in ([], [b"new"], [b"old"])
            for keep in root.list_kept():
                root.drop_kept(keep)
        (folder / "file").write_bytes(b"old")
        return stat_at(root, "file")

    def act(root: Root, expected: Stat) -> None:
        placed = root.place(temporary(root, b"new"), "file", expected, "k")
        root.barrier()
        root.drop_kept("k", placed.kept)

    assert states(folder, way, prepare, act) >= 5
    assert nothing == (1 if way == "renames" else 0)


@pytest.mark.parametrize("way", WAYS)
def test_taking_away(folder: Path, way: str):
    """The file is at its path or kept."""
    seen = []

    def prepare() -> Stat:
        with start_again(folder) as root:
            held = root.list_kept()
            seen.append((tree(folder), [kept(root, keep) for keep in held]))
            for keep in held:
                root.drop_kept(keep)
        (folder / "file").write_bytes(b"old")
        return stat_at(root, "file")

    def act(root: Root, expected: Stat) -> None:
        root.take_away("file", expected, "k")
        root.barrier()
        root.drop_kept("k")

    assert states(folder, way, prepare, act) >= 3
    assert seen[0] == ({}, [])
    assert all(state in (({"file": b"old"}, []), ({}, [b"old"])) for state in seen[1:])


def test_moving(folder: Path):
    """A file or directory is at the one place or the other."""

    def prepare() -> Stat:
        with start_again(folder) as root:
            found = tree(folder)
            assert sorted(name for name in found if name.endswith("file")) in (
                [],
                ["a/file"],
                ["b/c/file"],
                ["d/e/file"],
            )
            for path in ("a", "b/c", "d/e"):
                (folder / path / "file").unlink(missing_ok=True)
            for path in ("a", "b/c", "b", "d/e", "d"):
                root.remove_directory(path)
        (folder / "a").mkdir()
        (folder / "a/file").write_bytes(b"x")
        return stat_at(root, "a/file")

    def act(root: Root, expected: Stat) -> None:
        root.move("a/file", "b/c/file", expected)
        root.move_directory("b/c", "d/e")
        root.barrier()

    assert states(folder, "exchange", prepare, act) >= 5


def test_changing_times_and_modes(folder: Path):
    """Content is never at stake."""

    def prepare() -> Stat:
        (folder / "file").write_bytes(b"x")
        (folder / "file").chmod(0o644)
        with Root(str(folder)) as root:
            return stat_at(root, "file")

    def act(root: Root, expected: Stat) -> None:
        found = root.set_executable("file", True, root.touch("file", 1000, expected))
        root.remove_directory("missing")
        root.barrier()
        assert found.executable
        assert found.mtime_ns == 1_000_000_000

    assert states(folder, "exchange", prepare, act) >= 4
    assert tree(folder) == {"file": b"x"}
