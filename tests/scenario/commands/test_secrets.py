"""Canary secrets, wherever a person may type one, are found nowhere afterwards: item 68."""

from pathlib import Path
from typing import Any
from zipfile import ZipFile

from tests.scenario.commands.device import Device

CANARY = "canary4711"
ENVIRONMENT: Any = {"FIRNLINE_SECRET_NAS": CANARY, "FIRNLINE_SECRET_OTHER": f"{CANARY}/ä"}


def places_with_the_canary(base: Path) -> list[str]:
    """Every file below whose name or bytes have it."""
    found = []
    for path in sorted(base.rglob("*")):
        if CANARY in path.name or (path.is_file() and CANARY.encode() in path.read_bytes()):
            found.append(str(path.relative_to(base)))
    return found


def in_bundle(bundle: Path) -> bytes:
    with ZipFile(bundle) as opened:
        return b"".join(map(opened.read, opened.namelist()))


def test_canary_secrets_are_found_nowhere(anna: Device, tmp_path: Path) -> None:
    """Not in logs, settings, state, stores or the bundle for a bug report; with the log as
    talkative as it can be, and with commands that work, that fail and that nobody can carry out."""
    anna.run("config", "set", "log.level", "debug")
    anna.write("letter.txt", "text")
    locations = (
        f"sftp://ann:{CANARY}@host/base",
        f"webdavs://ann:{CANARY}@host/base?X-Amz-Signature={CANARY}",
        f"s3://{CANARY}:{CANARY}@bucket/x",
        f"https://{CANARY}@host/",
    )
    for location in locations:
        anna.run("store", "add", "other", location, code=2, **ENVIRONMENT)
        anna.run("store", "edit", "nas", "--location", location, code=2, **ENVIRONMENT)
    anna.run(
        "store", "add", "o", str(tmp_path / "o"), "--option", f"password={CANARY}",
        code=2, **ENVIRONMENT,
    )  # fmt: skip
    anna.run("sync", **ENVIRONMENT)
    (tmp_path / "nas").rename(tmp_path / "nas away")
    anna.run("sync", code=1, **ENVIRONMENT)
    anna.run("status", **ENVIRONMENT)
    bundle = anna.base / "report.zip"
    anna.run("export-logs", str(bundle), **ENVIRONMENT)
    assert CANARY.encode() not in in_bundle(bundle)
    assert places_with_the_canary(tmp_path) == []


def test_bundle_for_a_bug_report(anna: Device) -> None:
    """It says what it holds, and overwrites nothing."""
    anna.write("a.txt", "text")
    anna.run("sync")
    done = anna.run("export-logs", "report.zip")
    assert b"status.json" in done.stdout
    assert b"names of files" in done.stderr
    assert anna.base.joinpath("report.zip").stat().st_mode & 0o077 == 0
    assert "exists already" in anna.complaint("export-logs", "report.zip", code=1)
