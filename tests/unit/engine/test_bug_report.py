"""The bundle for a bug report."""

import json
import stat
from pathlib import Path
from zipfile import ZipFile

import pytest
from tests.doubles.profile import Profile
from tests.doubles.still_clock import StillClock

from firnline.engine import bug_report
from firnline.engine.bug_report import export_logs
from firnline.engine.errors import RefusedError
from firnline.engine.folder_commands import create_folder
from firnline.engine.surroundings import Surroundings
from firnline.engine.system import system_random

OUTSIDE = Surroundings(clock=StillClock(), random=system_random)


def parts_of(bundle: Path) -> dict[str, str]:
    with ZipFile(bundle) as opened:
        names = opened.namelist()
        assert all(name.startswith("firnline-report/") for name in names)
        return {name.partition("/")[2]: opened.read(name).decode() for name in names}


@pytest.fixture
def docs(anna: Profile, nas: Path) -> Profile:
    """A synced folder, and a log."""
    anna.add_store("nas", nas)
    with anna.engine() as engine:
        create_folder(engine, str(anna.folder), "docs", [])
    anna.write("letter.txt", "dear contents")
    anna.sync()
    nas.rename(nas.with_name("away"))
    anna.sync()
    return anna


def test_bundle_says_how_everything_is(docs: Profile, tmp_path: Path) -> None:
    """Logs, status with counts, versions and settings; no contents and not the profile's token."""
    bundle = tmp_path / "report.zip"
    told = export_logs(docs.places, OUTSIDE, bundle)
    parts = parts_of(bundle)
    assert parts.keys() == told.keys()
    assert {"READ-ME.txt", "config.toml", "logs/firnline.log"} <= parts.keys()
    (folder,) = json.loads(parts["status.json"])["folders"]
    assert (folder["files"], folder["bytes"]) == (1, len("dear contents"))
    assert folder["stores"][0]["state"] == "offline"
    assert json.loads(parts["versions.json"])["firnline"]
    assert any(name.endswith(".db") for name in json.loads(parts["sizes.json"]))
    token = json.loads((docs.places.state / "device.json").read_text())["token"]
    whole = "".join(parts.values())
    assert "dear contents" not in whole
    assert token not in whole


def test_only_this_user_can_read_it(docs: Profile, tmp_path: Path) -> None:
    """Made 0600 from the first moment, whatever the umask."""
    bundle = tmp_path / "report.zip"
    export_logs(docs.places, OUTSIDE, bundle)
    assert stat.S_IMODE(bundle.stat().st_mode) == 0o600


@pytest.mark.parametrize("kind", ["file", "link", "dangling link"])
def test_nothing_is_overwritten(docs: Profile, tmp_path: Path, kind: str) -> None:
    """What stands there already stays as it is."""
    bundle, precious = tmp_path / "report.zip", tmp_path / "precious"
    if kind != "dangling link":
        precious.write_text("precious")
    if kind == "file":
        precious.rename(bundle)
    else:
        bundle.symlink_to(precious)
    with pytest.raises(RefusedError, match="exists already"):
        export_logs(docs.places, OUTSIDE, bundle)
    if kind == "dangling link":
        assert not precious.exists()
    else:
        assert bundle.read_text() == "precious"


def test_settings_that_cannot_be_read_are_part_of_it(docs: Profile, tmp_path: Path) -> None:
    """A broken profile is what a report is made for."""
    docs.places.config_file.write_text("[stores\n")
    export_logs(docs.places, OUTSIDE, tmp_path / "report.zip")
    parts = parts_of(tmp_path / "report.zip")
    assert parts["config.toml"] == "[stores\n"
    assert "line 1" in json.loads(parts["status.json"])["error"]


def test_an_empty_profile_has_a_report(anna: Profile, tmp_path: Path) -> None:
    """Before the first command: no log, no settings."""
    export_logs(anna.places, OUTSIDE, tmp_path / "report.zip")
    assert json.loads(parts_of(tmp_path / "report.zip")["status.json"])["folders"] == []


def test_part_that_cannot_be_read_says_why(docs: Profile, tmp_path: Path) -> None:
    """A link in place of a log is not followed."""
    (tmp_path / "precious").write_text("precious")
    (docs.places.logs / "firnline.log.1").symlink_to(tmp_path / "precious")
    export_logs(docs.places, OUTSIDE, tmp_path / "report.zip")
    assert "symbolic links" in parts_of(tmp_path / "report.zip")["logs/firnline.log.1"]


def test_long_files_are_cut(docs: Profile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is newest is kept."""
    monkeypatch.setattr(bug_report, "MOST_OF_A_FILE", 10)
    (docs.places.logs / "firnline.log.1").write_text("long ago\n0123456789")
    export_logs(docs.places, OUTSIDE, tmp_path / "report.zip")
    assert parts_of(tmp_path / "report.zip")["logs/firnline.log.1"] == "0123456789"


def test_unfinished_bundle_is_removed(
    docs: Profile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a bundle is none."""

    def fail(*_: object) -> str:
        raise OSError("no space")

    monkeypatch.setattr(bug_report, "redact", fail)
    with pytest.raises(OSError, match="no space"):
        export_logs(docs.places, OUTSIDE, tmp_path / "report.zip")
    assert not (tmp_path / "report.zip").exists()


def test_secrets_are_left_out(
    docs: Profile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Out of the log of an older version, out of settings edited by hand, out of anything."""
    monkeypatch.setenv("FIRNLINE_SECRET_NAS", "canary/in the environment")
    with (docs.places.logs / "firnline.log").open("a") as log:
        log.write("sftp://ann:canary@host Authorization: Basic canary\n")
        log.write("said canary/in the environment and canary%2Fin%20the%20environment\n")
    with docs.places.config_file.open("a") as config:
        config.write('# password = "canary"\n')
    export_logs(docs.places, OUTSIDE, tmp_path / "report.zip")
    assert "canary" not in "".join(parts_of(tmp_path / "report.zip").values())
