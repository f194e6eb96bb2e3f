"""A device whose store somebody hostile can write into, and what must hold after its pass.

Commands run in this process, through `cli.main`, as a person calls them. Around the folder lies a
tree of canaries: whatever a pass makes, changes or removes outside the folder, the profile and the
store shows there.
"""

import json
import os
import stat
import unicodedata
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from tests.doubles.profile import Profile, believed
from tests.scenario.forging import change, plant, single

from firnline.cli.main import main
from firnline.core.clock import DateTime, format_time
from firnline.core.event import Op
from firnline.core.hashing import PLAIN, Ref
from firnline.stores.layout import FolderId, FolderLayout

NAME = "docs"
# As a store does it: events of the last hour, each at a time of its own. The victim is a whole
# command, which goes by the computer's clock.
_START = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)  # noqa: TID251


def ref(event: str) -> Ref:
    """How a forged event names another as its parent."""
    return Ref(PLAIN.event(event)[:10])


class Victim:
    """One device with the folder `docs` in the store `nas`, in step with it."""

    def __init__(self, base: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.base = base
        self.store = base / "store"
        self.profile = Profile(base / "victim")
        self.folder = self.profile.folder
        self._capsys = capsys
        self._ticks = 0
        self.out = self.err = ""
        (base / "outside").mkdir(parents=True)
        for canary in (base / "outside" / "canary", base / "canary", self.profile.base / "canary"):
            canary.write_text("alive")
        self.run("store", "add", "nas", str(self.store))
        self.run("folder", "create", str(self.folder), "--name", NAME)
        self.write("mine.txt", "mine")
        self.run("sync")
        (root,) = self.store.glob("*/events")
        config = json.loads((root.parent / "config").read_text())
        self.layout = FolderLayout(
            root.parent.name.rpartition("-")[0], FolderId(config["folder_id"])
        )
        self._around = self.around()

    # --- commands -----------------------------------------------------------------------------

    def run(self, *arguments: str, code: int | None = 0) -> str:
        """Standard output of a command; its exit code has to be `code` (None: 0, 1 or 3), and
        nothing that it says may harm a terminal."""
        self._capsys.readouterr()
        with patch("firnline.engine.store_commands.probe", believed):
            found = main(["--profile", str(self.profile.base / "profile"), *arguments])
        self.out, self.err = self._capsys.readouterr()
        assert found in ((0, 1, 3) if code is None else (code,)), (arguments, self.out, self.err)
        assert "a mistake in the program" not in self.err
        _check_harmless(self.out + self.err)
        return self.out

    def problems(self) -> list[dict[str, str]]:
        """What `status` shows, after the words for people were found harmless."""
        self.run("status")
        document: Any = json.loads(self.run("status", "--json"))
        found: list[dict[str, str]] = document["folders"][0]["problems"]
        return found

    # --- the user and a stranger ---------------------------------------------------------------

    def write(self, path: str, text: str) -> None:
        """A file that has been still for a while."""
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        self._ticks += 1
        when = int((_START.timestamp() - 3600 + self._ticks) * 1e9)
        os.utime(target, ns=(when, when))

    def time(self) -> DateTime:
        """For the next forged event."""
        self._ticks += 1
        return format_time(_START + timedelta(milliseconds=self._ticks))

    def plant(self, op: Op, path: str, body: bytes | None = None, **more: Any) -> str:
        """An event of a stranger, well formed but for its path."""
        draft = single(change(op, path, body, **more), body or b"", time=self.time())
        return plant(self.store, draft, layout=self.layout)

    @property
    def root(self) -> Path:
        """The folder's directory in the store."""
        return self.store / self.layout.root

    def events(self) -> set[str]:
        """Names of the event files that stand in the store."""
        return {path.name for path in self.root.glob("events/*/*")}

    # --- what must hold ------------------------------------------------------------------------

    def around(self) -> dict[str, object]:
        """Everything beside the folder, the profile and the store."""
        own = (self.folder, self.profile.base / "profile", self.store)
        found: dict[str, object] = {}
        for directory, names, files in os.walk(self.base):
            here = Path(directory)
            names[:] = [name for name in names if here / name not in own]
            for name in (*names, *files):
                path = here / name
                status = path.lstat()
                body = path.read_bytes() if stat.S_ISREG(status.st_mode) else b""
                found[str(path)] = (status.st_mode, status.st_ino, body)
        return found

    def tree(self) -> dict[str, str]:
        """Files and links of the folder, without its marker."""
        found: dict[str, str] = {}
        for directory, names, files in os.walk(self.folder):
            here = Path(directory)
            if here == self.folder:
                names.remove(".firnline")
            links = [name for name in names if (here / name).is_symlink()]
            for name in (*files, *links):
                path = here / name
                if not path.is_symlink() and not path.is_file():
                    continue
                text = os.readlink(path) if path.is_symlink() else path.read_text()
                found[path.relative_to(self.folder).as_posix()] = text
        return found

    def check_untouched(self) -> None:
        """Nothing outside is touched, no link leads there, and the marker is what it was."""
        assert self.around() == self._around
        assert not Path("/etc/cron.d/pwn").exists()
        marker = self.folder / ".firnline"
        assert (marker / "id").read_text().strip() == self.layout.folder_id
        assert {path.name for path in marker.iterdir()} <= {"id", "tmp", "kept", "lock", "synced"}
        inside = os.path.realpath(self.folder)
        for path in self.folder.rglob("*"):
            if path.is_symlink():
                # Not with resolve(): a loop is no way out.
                assert os.path.realpath(path).startswith(inside), path

    def attacked(self, *, code: int | None = 1) -> list[dict[str, str]]:
        """A pass with ordinary changes beside the attack, and all that must hold after it: the
        rest syncs, a second pass is quiet. Returns the problems that are shown."""
        self.write("mine too.txt", "mine too")
        self.plant(Op.PUT, "theirs.txt", b"theirs")
        before = self.events()
        self.run("sync", code=code)
        self.check_untouched()
        tree = self.tree()
        assert (tree["mine.txt"], tree["mine too.txt"]) == ("mine", "mine too")
        assert tree["theirs.txt"] == "theirs"
        assert self.events() > before, "the device's own change is in the store"
        return self._quiet(tree, code)

    def _quiet(self, tree: dict[str, str], code: int | None) -> list[dict[str, str]]:
        problems, events = self.problems(), self.events()
        self.run("sync", code=code)
        self.check_untouched()
        assert (self.events(), self.tree()) == (events, tree)
        assert self.problems() == problems
        return problems


def _check_harmless(text: str) -> None:
    """No control character but the end of a line, nothing that turns the direction."""
    bad = {c for c in text if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl")}
    assert not bad, f"{sorted(map(ascii, bad))} in {ascii(text)[:500]}"
