"""The log of a profile."""

import io
import logging
import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from firnline.config.log_file import LogFile
from firnline.config.logs import SafeFormatter, logging_to
from firnline.config.redaction import MARK
from firnline.config.schema import LogLevel
from firnline.config.settings import load

SETTINGS = load(Path("/nowhere/config.toml"))
LOGGER = logging.getLogger("firnline.test")


@pytest.fixture
def logs(tmp_path):
    return tmp_path / "profile" / "logs"


def _lines(logs):
    return (logs / "firnline.log").read_text(encoding="utf-8").splitlines()


def test_a_record_is_a_line_with_its_time_in_utc(logs):
    """A line has the time in UTC with microseconds, the weight, the logger and the message."""
    with logging_to(logs, SETTINGS):
        LOGGER.info("copied %s to %s", "Füße.txt", "nas")
    time = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"
    (line,) = _lines(logs)
    assert re.fullmatch(rf"{time} INFO firnline\.test: copied Füße\.txt to nas", line)


def test_the_time_is_that_of_the_record():
    """The time is the record's own, whatever the zone of the computer."""
    record = logging.LogRecord("x", logging.INFO, "", 0, "m", None, None)
    record.created = 1795347933.134748
    assert SafeFormatter().format(record) == "2026-11-22T11:45:33.134748Z INFO x: m"


def test_nothing_is_made_before_the_first_record(logs):
    """Setting up makes no file and no directory, and imports nothing heavy."""
    with logging_to(logs, SETTINGS):
        LOGGER.debug("too light for the default level")
        assert not logs.parent.exists()
        LOGGER.info("x")
        assert logs.exists()


def test_setting_up_imports_nothing_heavy():
    """The modules behind rotation, system places and TOML writing wait until they are needed."""
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from firnline.config import logs, places, profile_lock, settings\n"
        "found = places.Places.find('/nowhere', {})\n"
        "with logs.logging_to(found.logs, settings.load(found.config_file)):\n"
        "    print(*{'tomlkit', 'platformdirs', 'logging.handlers', 'socket'} & {*sys.modules})\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert (run.stdout, run.stderr) == ("\n", "")


def test_files_are_private_at_any_umask(logs):
    """Log files, rotated ones too, are 0600 and their directory 0700 from the start."""
    before = os.umask(0)
    try:
        with logging_to(logs, SETTINGS._replace(log_size=10_000)):
            for number in range(300):
                LOGGER.info("record %d %s", number, "x" * 40)
    finally:
        os.umask(before)
    assert stat.S_IMODE(logs.stat().st_mode) == 0o700
    assert stat.S_IMODE(logs.parent.stat().st_mode) == 0o700
    files = list(logs.iterdir())
    assert len(files) >= 2
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_logs_are_rotated_within_their_size_and_count(logs):
    """No more files, and no larger ones, than the settings allow; the newest record is kept."""
    with logging_to(logs, SETTINGS._replace(log_size=10_000, log_count=2)):
        for number in range(1000):
            LOGGER.info("record %d", number)
    names = ["firnline.log", "firnline.log.1", "firnline.log.2"]
    assert sorted(file.name for file in logs.iterdir()) == names
    assert all(file.stat().st_size <= 10_000 for file in logs.iterdir())
    assert _lines(logs)[-1].endswith("record 999")


def test_a_later_run_appends(logs):
    """The log of the last run is not overwritten."""
    for number in range(2):
        with logging_to(logs, SETTINGS):
            LOGGER.info("run %d", number)
    assert [line[-5:] for line in _lines(logs)] == ["run 0", "run 1"]


@pytest.mark.logs("x")
@pytest.mark.parametrize(
    ("level", "heard"),
    [
        (LogLevel.DEBUG, ["DEBUG", "INFO", "WARNING", "ERROR"]),
        (LogLevel.INFO, ["INFO", "WARNING", "ERROR"]),
        (LogLevel.WARNING, ["WARNING", "ERROR"]),
        (LogLevel.ERROR, ["ERROR"]),
    ],
)
def test_the_level_is_the_one_of_the_settings(logs, level, heard):
    """Records lighter than `log.level` are not written."""
    with logging_to(logs, SETTINGS._replace(log_level=level)):
        for weight in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR):
            LOGGER.log(weight, "x")
    assert [line.split()[1] for line in _lines(logs)] == heard


def test_afterwards_the_root_logger_is_as_it_was(logs):
    """Leaving the context takes the handler and the level back, also after an exception."""
    root = logging.getLogger()
    before = (root.level, list(root.handlers))
    with pytest.raises(KeyError), logging_to(logs, SETTINGS):
        raise KeyError
    assert (root.level, root.handlers) == before


@pytest.mark.logs("to .*")
@pytest.mark.parametrize("record", ["message", "argument", "exception", "cause", "stack"])
def test_no_secret_gets_into_the_file(logs, record):
    """A secret is redacted wherever in a record it comes from."""
    secret = "sftp://ann:canary@host/x"
    with logging_to(logs, SETTINGS):
        try:
            try:
                raise OSError(secret if record == "cause" else "-")
            except OSError as error:
                raise ValueError(secret if record == "exception" else "-") from error
        except ValueError:
            if record == "message":
                LOGGER.exception(f"to {secret}")  # noqa: G004
            else:
                LOGGER.exception("to %s", secret if record == "argument" else "-")
        if record == "stack":
            LOGGER.info("sftp://ann:canary@host/x", stack_info=True)
    text = (logs / "firnline.log").read_text()
    assert "canary" not in text
    assert f"sftp://{MARK}@host/x" in text


def test_a_name_cannot_pass_for_another_line(logs):
    """Line ends and control characters of a message are shown, not obeyed."""
    name = "a\n2026-11-22T08:26:00.000000Z ERROR forged\r\x1b[31m\u2028\u202e\x85b"
    with logging_to(logs, SETTINGS):
        LOGGER.info("%s", name)
    (line,) = _lines(logs)
    assert line.endswith(
        r"test: a\n2026-11-22T08:26:00.000000Z ERROR forged\r\x1b[31m\u2028\u202e\x85b"
    )


@pytest.mark.logs("failed")
def test_a_traceback_is_indented_below_its_line(logs):
    """No line of a traceback, whatever its exception says, begins like a record."""
    with logging_to(logs, SETTINGS):
        try:
            raise ValueError("first\n2026-11-22T08:26:00.000000Z ERROR forged")
        except ValueError:
            LOGGER.exception("failed", stack_info=True)
    first, *rest = _lines(logs)
    assert first.endswith("ERROR firnline.test: failed")
    assert rest[0] == "    Traceback (most recent call last):"
    assert "    Stack (most recent call last):" in rest
    assert all(line.startswith("    ") for line in rest)


def test_names_that_are_not_unicode_can_be_logged(logs):
    """A file name with bytes that are no UTF-8 is written with those bytes escaped."""
    with logging_to(logs, SETTINGS):
        LOGGER.info("%s", os.fsdecode(b"caf\xe9"))
    assert _lines(logs)[0].endswith(r"caf\udce9")


def test_a_log_that_cannot_be_written_is_told_once(tmp_path, monkeypatch):
    """The program goes on without its log, and says so in one line."""
    (tmp_path / "logs").write_text("a file where the directory should be")
    errors = io.StringIO()
    monkeypatch.setattr(sys, "stderr", errors)
    with logging_to(tmp_path / "logs", SETTINGS):
        LOGGER.info("one")
        LOGGER.info("two")
    (line,) = errors.getvalue().splitlines()
    assert line.startswith(f"the log {tmp_path}/logs/firnline.log cannot be written: ")


@pytest.mark.logs("heard")
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full is a full disk")
def test_full_disk_at_the_log_stops_nothing(logs, monkeypatch, capsys):
    """Also at the end, when what was held back cannot be written either; it is told once."""

    def full(self):
        return io.TextIOWrapper(io.BufferedWriter(io.FileIO("/dev/full", "w")))

    monkeypatch.setattr(LogFile, "_open", full)
    with logging_to(logs, SETTINGS):
        for _ in range(3):
            LOGGER.warning("heard")
    (line,) = capsys.readouterr().err.splitlines()
    assert "No space left" in line


def test_without_standard_error_a_log_that_cannot_be_written_is_silent(tmp_path, monkeypatch):
    """A program without a console goes on as well."""
    (tmp_path / "logs").write_text("a file where the directory should be")
    monkeypatch.setattr(sys, "stderr", None)
    with logging_to(tmp_path / "logs", SETTINGS):
        LOGGER.info("one")
    assert (tmp_path / "logs").is_file()


def test_a_link_in_place_of_the_log_is_not_followed(logs, tmp_path, capsys):
    """Nothing is appended to a file elsewhere."""
    logs.mkdir(parents=True)
    (tmp_path / "precious").write_text("precious")
    (logs / "firnline.log").symlink_to(tmp_path / "precious")
    with logging_to(logs, SETTINGS):
        LOGGER.info("one")
    assert (tmp_path / "precious").read_text() == "precious"
    assert "symbolic links" in capsys.readouterr().err
