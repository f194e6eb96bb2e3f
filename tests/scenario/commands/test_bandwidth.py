"""`limits.upload` and `limits.download`, as a user meets them."""

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from tests.scenario.commands.device import Device
from tests.scenario.commands.running import holds, running, until

LOADED = """\
import sys
from firnline.cli.main import main
code = main(["sync"])
without = ("stores.throttled", "stores.line", "stores.calling", "engine.calling", "core.circuit")
print(*sorted({f"firnline.{name}" for name in without} & {*sys.modules}))
"""


def is_under_way(store: Path) -> bool:
    """Whether a part of some body has arrived."""
    for path in store.glob("connections/*/tmp/*"):
        with suppress(FileNotFoundError):
            if path.stat().st_size:
                return True
    return False


def has_film(device: Device) -> bytes | None:
    """Its content. One that is looked at while it is written may arrive in two versions."""
    film = device.folder / "film.bin"
    return film.read_bytes() if film.exists() else None


def test_a_limit_is_set_changed_and_taken_away_while_it_runs(
    anna: Device, bert: Device, nas: Path
) -> None:
    """With a limit a large file is on its way for long, and the command line is answered; without,
    it is there. The one that runs needs no new start."""
    anna.run("config", "set", "limits.upload", "1000")
    with running(anna), running(bert):
        (anna.folder / "film.bin").write_bytes(os.urandom(5_000_000))

        until(lambda: is_under_way(nas))
        assert anna.document("status")["folders"][0]["name"] == "docs"
        anna.run("config", "set", "limits.upload", "2000")
        until(lambda: is_under_way(nas))
        assert list(nas.glob("docs-*/events/*/*")) == []
        assert not (bert.folder / "film.bin").exists()
        assert anna.text("config", "set", "limits.upload", "0") == "limits.upload = 0\n"
        until(lambda: has_film(bert) == has_film(anna))


def test_a_save_passes_a_large_file(anna: Device, bert: Device, nas: Path) -> None:
    """Where a line is slow, a large file takes its time and holds up nothing that is saved
    meanwhile."""
    anna.run("config", "set", "limits.upload", "100000")
    with running(anna), running(bert):
        (anna.folder / "film.bin").write_bytes(os.urandom(35_000_000))
        (anna.folder / "song.bin").write_bytes(os.urandom(5_000_000))
        until(lambda: is_under_way(nas))
        for number in range(3):
            anna.write(f"{number}.txt", "x")
            until(holds(bert, f"{number}.txt", "x"))
        assert not (bert.folder / "film.bin").exists()
        assert not (bert.folder / "song.bin").exists()


def test_a_save_passes_a_large_file_that_arrives(anna: Device, bert: Device, nas: Path) -> None:
    """The other way: neither what bert saves nor what else comes to him waits for it. It is no
    problem, and is shown as being received."""
    bert.run("config", "set", "limits.download", "100000")
    with running(anna), running(bert):
        (anna.folder / "film.bin").write_bytes(os.urandom(35_000_000))
        until(lambda: any((bert.folder / ".firnline/tmp").glob("*")))
        anna.write("a.txt", "a")
        until(holds(bert, "a.txt", "a"))
        bert.write("b.txt", "b")
        until(holds(anna, "b.txt", "b"))
        (folder,) = bert.document("status")["folders"]
        assert (folder["state"], folder["problems"]) == ("syncing", [])
        assert not (bert.folder / "film.bin").exists()
        bert.run("config", "set", "limits.download", "0")
        until(lambda: has_film(bert) == has_film(anna))
    assert list((bert.folder / ".firnline/tmp").iterdir()) == []


def test_a_stop_does_not_wait_for_the_line(anna: Device, nas: Path) -> None:
    """What would take hours is ended as quickly as anything (which `running` makes sure of), and
    `sync --timeout` ends as well."""
    anna.run("config", "set", "limits.upload", "1000")
    (anna.folder / "film.bin").write_bytes(os.urandom(5_000_000))
    anna.run("sync", "--timeout", "0.2", code=1)
    with running(anna):
        until(lambda: is_under_way(nas))
    assert list(nas.glob("docs-*/events/*/*")) == []


def test_without_a_limit_nothing_is_loaded_for_it(anna: Device) -> None:
    """Nobody pays for limits who has none."""

    def loaded() -> str:
        done = subprocess.run(
            [sys.executable, "-c", LOADED], env=anna.environment, stdout=subprocess.PIPE, check=True
        )
        return done.stdout.decode().splitlines()[-1]

    assert loaded() == ""
    anna.run("config", "set", "limits.download", "1000000")
    assert loaded() == "firnline.stores.line firnline.stores.throttled"


def test_a_limit_that_stops_everything_is_none(anna: Device) -> None:
    """Who writes 500 means something else; nothing would ever come to its end."""
    said = anna.complaint("config", "set", "limits.upload", "500", code=2)
    assert "0 (no limit), or bytes a second from 1000 on" in said
