"""What is looked at before `firnline sync` is loaded."""

import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import pytest
from tests.unit.cli.conftest import Shell

from firnline.cli import begin_sync
from firnline.cli.arguments import parse


def looked_at(docs: Shell, monkeypatch: pytest.MonkeyPatch, *words: str) -> list[tuple[str, str]]:
    """Places and databases of the folders that would be looked at."""
    found: list[tuple[str, str]] = []
    monkeypatch.setattr(begin_sync, "look_at", lambda *each: found.append(each[:2]))
    place = str(docs.profile.base / "profile")
    begin_sync.look(parse(["--profile", place, "sync", *words]), lambda: False)
    return found


def test_the_folders_that_are_synced(docs: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that are named, or all, with the database that the pass opens; no paused ones."""
    (found,) = looked_at(docs, monkeypatch)
    assert found[0] == str(docs.profile.folder)
    assert Path(found[1]).is_file()
    assert looked_at(docs, monkeypatch, "docs") == [found]
    assert looked_at(docs, monkeypatch, Path(found[1]).stem) == [found]
    assert looked_at(docs, monkeypatch, "other") == []
    docs("folder", "pause", "docs")
    assert looked_at(docs, monkeypatch) == []


def test_no_disk_that_may_never_answer(docs: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pass asks it first, and gives up."""
    monkeypatch.setattr("firnline.engine.mounts.can_hang", lambda path: True)
    assert looked_at(docs, monkeypatch) == []


def test_wrong_settings_are_for_the_pass_to_tell(
    docs: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is looked at, and nothing said."""
    (docs.profile.base / "profile" / "config.toml").write_text("format = [")
    assert looked_at(docs, monkeypatch) == []
    begin_sync.look(Namespace(profile="", folders=[]), lambda: False)


LOADED = """
import sys
from firnline.cli import begin_sync, main
before = set(sys.modules)
main.main(sys.argv[1:])
for name in set(sys.modules) - before:
    module = sys.modules[name]
    path = getattr(module, "__cached__", None) or getattr(module, "__file__", None)
    if path and not name.startswith("firnline"):
        print(path)
"""


def test_what_is_asked_for_is_what_a_pass_loads(docs: Shell) -> None:
    """Of Python's own files: hardly one more than it loads after the beginning, and all of them but
    a few small ones. Which they are is not the same in each version of Python."""
    command = [sys.executable, "-c", LOADED, "--profile", str(docs.profile.base / "profile")]
    said = subprocess.run([*command, "sync"], capture_output=True, text=True, check=True).stdout
    loaded = {path for path in said.splitlines() if path.endswith((".pyc", ".so"))}
    files: set[str] = set()
    directories: set[str] = set()
    for path in begin_sync.modules():
        (directories if Path(path).is_dir() else files).add(path)
    more = {path for path in files - loaded if Path(path).exists()}
    assert len(more) <= 3, more
    rest = {path for path in loaded - files if str(Path(path).parent) not in directories}
    assert len(rest) <= 8, rest


def test_the_file_that_tells_is_there() -> None:
    """The compiled module by which a cold start is known has to be one that Python reads."""
    from firnline.sync import applier

    assert begin_sync.telling_module() == applier.__spec__.cached
