"""A folder whose disk cannot hold every name, seen as if it could."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.doubles.limited_files import CASEFOLD, ENCRYPTED, FAT, NFD, LimitedFiles, SimpleFiles
from tests.unit.folder.steps_double import StepsDouble

from firnline.core.local_names import WINDOWS, Fold, Limits, alias_of
from firnline.folder.access import Access
from firnline.folder.aliased import Aliased
from firnline.folder.aliases import AliasBook
from firnline.folder.area import list_names
from firnline.folder.errors import FolderError
from firnline.folder.filesystem import Root
from firnline.folder.handles import Handles
from firnline.folder.portable import Paths
from firnline.folder.probing import from_text, probe, to_text


def _aliased(folder: Path, limits: Limits = FAT, known: Limits | None = None) -> Aliased:
    """On a disk of `limits`, of which `known` is known."""
    files = LimitedFiles(str(folder), limits)
    return Aliased(files, StepsDouble(), known or limits, AliasBook())


def _fill(access: Access, *paths: str) -> None:
    for path in paths:
        descriptor = access.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        os.write(descriptor, path.encode())
        os.close(descriptor)


def _text(access: Access, path: str) -> str:
    descriptor = access.open(path, os.O_RDONLY)
    try:
        return os.read(descriptor, 1000).decode()
    finally:
        os.close(descriptor)


def _names(folder: Path) -> set[str]:
    return set(os.listdir(folder)) - {".firnline"}


def _stands(access: Access, path: str) -> bool:
    try:
        access.lstat(path)
    except FileNotFoundError:
        return False
    return True


@pytest.mark.parametrize(
    ("way", "limits"),
    [
        (Handles, Limits()),
        (lambda root: LimitedFiles(root, FAT), FAT),
        (lambda root: SimpleFiles(root, FAT), FAT),
        (lambda root: LimitedFiles(root, CASEFOLD), CASEFOLD),
        (lambda root: LimitedFiles(root, NFD, writes_nfd=True), NFD),
        (lambda root: LimitedFiles(root, ENCRYPTED), ENCRYPTED),
        (lambda root: Paths(root, windows=True), Limits(forbidden=WINDOWS.forbidden)),
    ],
)
def test_probe(folder: Path, way: Callable[[str], Access], limits: Limits) -> None:
    """What a disk can hold is found out, remembered as text, and leaves nothing behind."""
    with Root(str(folder), access=way(str(folder))) as root:
        found = probe(root)
    assert from_text(to_text(found)) == found
    assert os.listdir(folder / ".firnline/tmp") == []
    if limits.forbidden and limits.fold is Fold.NONE:
        assert (found.forbidden, found.keeps_end, found.reserves_stems) == (
            *(WINDOWS.forbidden, False),
            True,
        )
    elif limits.normalizes:
        assert (found.fold, found.normalizes) == (limits.fold, True)
    else:
        assert found == limits


def test_probe_of_a_disk_that_holds_nothing(folder: Path) -> None:
    """Where no file can be made nothing is found out: a full disk is not one without names."""

    class Full(Handles):
        def open(self, path: str, flags: int, mode: int = 0o600) -> int:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with Root(str(folder), access=Full(str(folder))) as root, pytest.raises(FolderError):
        probe(root)


def test_exact_spelling(folder: Path) -> None:
    """Another spelling of what stands there is not there."""
    access = _aliased(folder)
    _fill(access, "readme")
    assert _stands(access, "readme")
    assert not _stands(access, "README")
    access.make_directory("docs", 0o755)
    _fill(access, "docs/x")
    assert not _stands(access, "Docs/x")
    with pytest.raises(FileNotFoundError):
        access.open_directory("DOCS")


def test_both_stand(folder: Path) -> None:
    """Two names that are one to the disk hold what each got, in a file and in a directory."""
    access = _aliased(folder)
    _fill(access, "name", "NAME", "a:b")
    access.make_directory("dir", 0o755)
    access.make_directory("DIR", 0o755)
    _fill(access, "dir/x", "DIR/x")
    for path in ("name", "NAME", "a:b", "dir/x", "DIR/x"):
        assert _text(access, path) == path
    assert _names(folder) == {"name", "dir", *map(alias_of, ("NAME", "a:b", "DIR"))}
    assert set(list_names(access, "")) - {".firnline"} == {"name", "NAME", "a:b", "dir", "DIR"}
    assert access.in_use == {"NAME", "a:b", "DIR"}
    assert access.local_path("DIR/x") == f"{alias_of('DIR')}/x"
    assert access.local_path("DIR/y") is None


@pytest.mark.parametrize("known", [Limits(), Limits(fold=Fold.SIMPLE)])
def test_limits_that_the_probe_did_not_find(folder: Path, known: Limits) -> None:
    """What the disk refuses gets an alias all the same."""
    access = _aliased(folder, FAT, known)
    _fill(access, "name")
    _fill(access, "NAME", "a:b")
    access.symlink("name", "c:d")
    access.rename_new("name", "e:f")
    assert _names(folder) == {alias_of(name) for name in ("NAME", "a:b", "c:d", "e:f")}
    with pytest.raises(FileExistsError):
        access.make_directory("e:f", 0o755)


def test_errors_that_are_not_about_names(folder: Path) -> None:
    """They come through, and nobody gets an alias for them."""
    access = _aliased(folder)
    _fill(access, "file")
    with pytest.raises(FileExistsError):
        access.make_directory("file", 0o755)
    with pytest.raises(FileNotFoundError):
        access.make_directory("none/below", 0o755)
    with pytest.raises(FileNotFoundError):
        access.rename_new("none", "other")
    with pytest.raises(FileNotFoundError):
        access.lstat("none/below")
    assert access.in_use == set()


def test_all_actions(folder: Path) -> None:
    """Each goes to the local name."""
    access = _aliased(folder)
    _fill(access, "x:y", "z:z")
    access.link("x:y", "l:l")
    assert access.lstat("l:l").st_ino == access.lstat("x:y").st_ino
    access.set_times("x:y", 5_000_000_000)
    assert access.lstat("x:y").st_mtime == 5
    access.exchange("x:y", "z:z")
    assert _text(access, "x:y") == "z:z"
    access.rename("x:y", "z:z")
    access.symlink("z:z", "s:s")
    assert access.read_link("s:s") == "z:z"
    for name in ("z:z", "s:s", "l:l"):
        access.unlink(name)
    access.make_directory("d:d", 0o755)
    access.rename_new("d:d", "plain")
    access.remove_directory("plain")
    assert access.in_use == set()
    assert _names(folder) == set()
    access.sync_all()
    access.forget()


def test_change_of_case(folder: Path) -> None:
    """A file gets its new spelling, by way of its alias; so does a directory with what is in it."""
    access = _aliased(folder)
    access.make_directory("dir", 0o755)
    _fill(access, "readme", "dir/a:b")
    access.rename_new("readme", "README")
    access.rename_new("dir", "DIR")
    assert _names(folder) == {"README", "DIR"}
    assert access.in_use == {"DIR/a:b"}
    assert _text(access, "DIR/a:b") == "dir/a:b"


def test_tidy(folder: Path) -> None:
    """When the other one is gone, and when the other one is the older."""
    access = _aliased(folder)
    _fill(access, "one", "ONE", "two", "TWO", "Two", "a:b")
    access.unlink("one")
    ranks = {"TWO": "1"}
    access.tidy(lambda path: ranks.get(path, "2"))
    assert _names(folder) == {"ONE", "TWO", *map(alias_of, ("two", "Two", "a:b"))}
    assert access.in_use == {"two", "Two", "a:b"}
    for path in ("ONE", "two", "TWO", "Two", "a:b"):
        assert _text(access, path) == path
    before = _names(folder)
    access.tidy(lambda path: ranks.get(path, "2"))
    assert _names(folder) == before


def test_tidy_of_what_is_not_there(folder: Path) -> None:
    """What went meanwhile is no longer said to have another name, and stops nothing."""
    access = _aliased(folder)
    access.make_directory("dir", 0o755)
    _fill(access, "dir/a", "dir/A", "b", "B")
    (folder / "dir" / "a").unlink()
    (folder / "dir" / alias_of("A")).unlink()
    (folder / "dir").rmdir()
    (folder / "b").unlink()
    (folder / alias_of("B")).rename(folder / "b")
    access.forget()
    access.tidy(lambda path: path)
    assert "B" not in access.in_use


def test_second_name(folder: Path) -> None:
    """A file of the real name beside an alias is the one; the alias is told apart, and kept."""
    access = _aliased(folder)
    _fill(access, "name", "NAME")
    (folder / "name").rename(folder / "NAME")
    access.forget()
    assert set(list_names(access, "")) - {".firnline"} == {"NAME"}
    assert access.seconds == {alias_of("NAME")}
    assert _text(access, "NAME") == "name"
    access.tidy(lambda path: path)
    assert _names(folder) == {"NAME", alias_of("NAME")}


def test_a_real_name_like_an_alias(folder: Path) -> None:
    """A file that is called so is no alias, and what would be called so is called otherwise."""
    access = _aliased(folder)
    real = alias_of("a:b")
    _fill(access, real, "a:b")
    assert _names(folder) == {real, alias_of("a:b", 1)}
    assert _text(access, real) == real
    _fill(access, alias_of("a:b", 1))
    assert _text(access, alias_of("a:b", 1)) == alias_of("a:b", 1)
    assert len(_names(folder)) == 3


def test_book() -> None:
    """Pairs are kept before they are used, and hold however the disk writes them."""
    kept: list[tuple[str, str]] = []
    book = AliasBook(
        keep=lambda *pair: kept.append(pair), in_use=lambda name: name == alias_of("b")
    )
    assert not book
    local = book.make("\u00c9A", ())
    assert kept == [(local, "\u00c9A")]
    assert book.make("\u00c9A", {local}) == local
    assert book.name_of(local.lower()) == book.name_of(f"E\u0301{local[1:]}") == "\u00c9A"
    assert book.make("b", ()) == alias_of("b", 1)
    assert book.make("c", {alias_of("c")}) == alias_of("c", 1)
    assert AliasBook(kept).alias_of("\u00c9A") == local
    assert book.name_of("other") is None


def test_book_of_a_device_that_lost_its_table() -> None:
    """A pair that comes back is kept when it is met, and not before."""
    kept: list[tuple[str, str]] = []
    book = AliasBook(keep=lambda *pair: kept.append(pair))
    book.recall({alias_of("a:"): "a:", alias_of("b:"): "b:"})
    assert kept == []
    assert book.name_of(alias_of("a:").upper()) == "a:"
    assert kept == [(alias_of("a:"), "a:")]
