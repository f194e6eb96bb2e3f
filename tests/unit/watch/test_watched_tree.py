"""Where the watched directories are, between two looks at what was reported."""

import errno
import os
import sys

import pytest

if sys.platform != "linux":
    pytest.skip("inotify is Linux's", allow_module_level=True)

from firnline.watch import inotify
from firnline.watch.watched_tree import WatchedTree

MASK = inotify.CREATE | inotify.MOVED_FROM | inotify.MOVED_TO


@pytest.fixture
def tree(root):
    (root / "a" / "inner").mkdir(parents=True)
    tree = WatchedTree(str(root), MASK, lambda path, is_directory: False, recursive=True)
    yield tree
    tree.close()


def reported(tree: WatchedTree) -> list[str]:
    """The paths of what was reported, as the tree knows them now."""
    found = [(tree.find(report.watch), os.fsdecode(report.name)) for report in tree.reports()]
    return [tree.path(directory, name) for directory, name in found if directory and name]


def test_a_directory_that_is_found_before_its_move_is_reported(root, tree):
    """It is known by its new place from then on, and its leaving changes nothing more."""
    (root / "new").mkdir()
    (root / "a").rename(root / "new" / "b")
    tree.add(tree.root, "new")
    tree.drop(tree.root, "a")
    assert len(tree) == 4
    reported(tree)
    (root / "new" / "b" / "inner" / "file").write_text("")
    assert reported(tree) == ["new/b/inner/file"]


def test_a_directory_that_another_one_has_replaced(root, tree):
    """The watches of the one that was there are given up."""
    (root / "a").rename(root.parent / "outside")
    (root / "a").mkdir()
    tree.add(tree.root, "a")
    assert len(tree) == 2
    reported(tree)
    (root.parent / "outside" / "inner" / "file").write_text("")
    (root / "a" / "file").write_text("")
    assert reported(tree) == ["a/file"]


def test_a_directory_that_is_known_is_not_taken_in_twice(root, tree):
    """Its making is reported after it was found."""
    watches = len(tree)
    tree.add(tree.root, "a")
    assert len(tree) == watches


def test_a_directory_that_is_gone_or_a_link_is_passed_over(root, tree):
    """By the time that it is looked at."""
    (root / "link").symlink_to(root / "a")
    tree.add(tree.root, "gone")
    tree.add(tree.root, "link")
    tree.drop(tree.root, "gone")
    assert len(tree) == 3


def test_a_directory_that_cannot_be_listed_is_watched(root, tree, monkeypatch):
    """What is in it is another matter."""

    def refuse(path):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    (root / "b" / "inner").mkdir(parents=True)
    monkeypatch.setattr(os, "scandir", refuse)
    tree.add(tree.root, "b")
    assert len(tree) == 4


def test_a_disk_that_fails_is_not_passed_over(root, tree, monkeypatch):
    """Nobody would look below that directory."""

    def refuse(path):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    (root / "b").mkdir()
    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(OSError, match="Input/output"):
        tree.add(tree.root, "b")
