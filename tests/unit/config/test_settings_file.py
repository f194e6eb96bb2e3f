"""Reading and replacing the bytes of `config.toml`."""

import contextlib
import os
import stat
import sys

import pytest

from firnline.config import settings_file
from firnline.config.errors import (
    ConfigChangedError,
    ConfigUnreadableError,
    ConfigUnsafeError,
    ConfigUnwritableError,
)
from firnline.config.settings_file import MAX_BYTES, SettingsText, read, replace


class _Killed(BaseException):
    """The power is gone."""


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text("format = 1\n")
    path.chmod(0o644)
    return path


def _give_to_somebody_else(path, monkeypatch):
    if os.geteuid() == 0:
        os.chown(path, 54321, -1)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: 54321)


def test_a_file_is_read_with_its_text(config):
    """What is read is the text, whoever else may read it too."""
    assert read(config).text == "format = 1\n"


def test_a_byte_order_mark_is_no_text(config):
    """A mark that an editor puts before the text is passed over."""
    config.write_bytes(b"\xef\xbb\xbfformat = 1\n")
    assert read(config).text == "format = 1\n"


def test_a_missing_file_is_an_empty_text(tmp_path):
    """No file is no mistake."""
    assert read(tmp_path / "none" / "config.toml").text == ""


@pytest.mark.parametrize("mode", [0o664, 0o646, 0o666, 0o622])
def test_a_file_that_others_may_write_is_refused(config, mode):
    """What anybody else could have written is not obeyed, and the way out is said."""
    config.chmod(mode)
    with pytest.raises(ConfigUnsafeError, match=r"chmod go-w '.*config\.toml'"):
        read(config)


def test_a_file_of_another_user_is_refused(config, monkeypatch):
    """What belongs to another user is not obeyed."""
    _give_to_somebody_else(config, monkeypatch)
    with pytest.raises(ConfigUnsafeError, match="another user"):
        read(config)


def test_a_file_of_root_is_read(config, monkeypatch):
    """An administrator's file is obeyed: root could write anything here anyway."""
    status = list(config.stat())
    status[stat.ST_UID] = 0
    monkeypatch.setattr(os, "geteuid", lambda: 54321)
    monkeypatch.setattr(os, "fstat", lambda descriptor: os.stat_result(status))
    assert read(config).text == "format = 1\n"


def test_a_link_is_followed_to_a_file_of_this_user(config, tmp_path):
    """People keep their configuration among their dotfiles; a link to an own file is as good."""
    link = tmp_path / "link.toml"
    link.symlink_to(config)
    assert read(link).text == "format = 1\n"


@pytest.mark.parametrize("wrong", ["mode", "owner"])
def test_a_link_is_judged_by_what_it_points_to(config, tmp_path, monkeypatch, wrong):
    """A link to what others could have written is refused."""
    link = tmp_path / "link.toml"
    link.symlink_to(config)
    if wrong == "mode":
        config.chmod(0o666)
    else:
        _give_to_somebody_else(config, monkeypatch)
    with pytest.raises(ConfigUnsafeError):
        read(link)


def test_a_link_to_nothing_is_not_a_missing_file(tmp_path):
    """A link whose target is away is told, for "no folders" would be the wrong answer."""
    link = tmp_path / "config.toml"
    link.symlink_to(tmp_path / "away")
    with pytest.raises(ConfigUnreadableError, match=f"{tmp_path}/away"):
        read(link)


def test_what_is_no_file_is_refused_without_waiting(tmp_path):
    """A named pipe in place of the file is refused at once, and so are a directory and a device."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (pipe, tmp_path, tmp_path / "null"):
        if path.name == "null":
            path.symlink_to(os.devnull)
        with pytest.raises(ConfigUnreadableError):
            read(path)


def test_a_file_in_place_of_the_directory_is_refused(config):
    """An error of the system is told as an error of the configuration."""
    with pytest.raises(ConfigUnreadableError, match="Not a directory"):
        read(config / "config.toml")


def test_a_file_too_large_is_not_read(config):
    """More than a MiB is refused before it is read."""
    with config.open("wb") as file:
        file.truncate(MAX_BYTES)
    assert len(read(config).text) == MAX_BYTES
    with config.open("ab") as file:
        file.truncate(100_000_000)
    with pytest.raises(ConfigUnreadableError, match="100000000 bytes"):
        read(config)


def test_a_file_that_grows_while_it_is_read_is_refused(config, monkeypatch):
    """The limit holds for what arrives, not only for what the size promised."""
    config.write_bytes(b"#" * (MAX_BYTES + 5))
    monkeypatch.setattr(settings_file, "_check_kind", lambda path, status: None)
    with pytest.raises(ConfigUnreadableError, match="larger"):
        read(config)


def test_what_is_not_utf_8_is_refused_with_its_line(config):
    """A file in another encoding is told with the line of the first wrong byte."""
    config.write_bytes(b"a = 1\nb = 'caf\xe9'\n")
    with pytest.raises(ConfigUnreadableError, match="UTF-8") as caught:
        read(config)
    assert caught.value.line == 2


def test_a_replaced_file_is_private_and_whole(tmp_path):
    """A new file is 0600 at any umask, its directory 0700, and nothing else is left beside it."""
    path = tmp_path / "a" / "config.toml"
    before = os.umask(0)
    try:
        replace(read(path), "é = 1\n")
    finally:
        os.umask(before)
    assert path.read_bytes() == "é = 1\n".encode()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert os.listdir(path.parent) == ["config.toml"]


def test_the_steps_come_in_the_durable_order(tmp_path):
    """Written, flushed, renamed, and the directory flushed: in this order, each announced."""
    steps: list[str] = []
    replace(read(tmp_path / "d" / "config.toml"), "a = 1\n", steps.append)
    assert steps == [
        "config.mkdir",
        "config.write",
        "config.fsync",
        "config.rename",
        "config.fsync_directory",
    ]


@pytest.mark.parametrize("last", range(6))
def test_killed_at_any_step_the_file_is_the_old_or_the_new(config, last):
    """Whenever the power goes, the file is whole, and the next change leaves nothing behind."""
    done: list[str] = []

    def kill(step):
        if len(done) == last:
            raise _Killed
        done.append(step)

    with contextlib.suppress(_Killed):
        replace(read(config), "format = 1 # new\n", kill)
    new = "config.fsync_directory" in done or last == 3
    assert config.read_text() == ("format = 1 # new\n" if new else "format = 1\n")
    replace(read(config), "a = 1\n")
    assert config.read_text() == "a = 1\n"
    assert os.listdir(config.parent) == ["config.toml"]


def test_a_link_stays_a_link_when_its_file_is_replaced(config, tmp_path):
    """The file that a link points to is replaced, not the link."""
    link = tmp_path / "deep" / "link.toml"
    link.parent.mkdir()
    link.symlink_to(config)
    replace(read(link), "a = 1\n")
    assert link.is_symlink()
    assert config.read_text() == "a = 1\n"
    assert os.listdir(link.parent) == ["link.toml"]


@pytest.mark.parametrize("there", [True, False])
def test_a_file_that_somebody_changed_meanwhile_is_kept(config, there):
    """What a person saves between reading and replacing is not overwritten."""
    if not there:
        config.unlink()
    before = read(config)

    def save(step):
        if step == "config.fsync":
            config.write_text("# saved by an editor\n")

    with pytest.raises(ConfigChangedError, match="try again"):
        replace(before, "a = 1\n", save)
    assert config.read_text() == "# saved by an editor\n"
    assert os.listdir(config.parent) == ["config.toml"]


def test_a_file_that_somebody_removed_meanwhile_stays_removed(config):
    """A file that vanished between reading and replacing is a change as well."""
    before = read(config)
    config.unlink()
    with pytest.raises(ConfigChangedError):
        replace(before, "a = 1\n")
    assert os.listdir(config.parent) == []


def test_a_full_disk_leaves_the_file_as_it_was(config, monkeypatch):
    """When the new file cannot be made durable, the old one stays and nothing is left beside it."""

    def no_space(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(ConfigUnwritableError, match="No space left on device"):
        replace(read(config), "a = 1\n")
    assert config.read_text() == "format = 1\n"
    assert os.listdir(config.parent) == ["config.toml"]


def test_only_its_own_leftovers_are_swept(config):
    """Files of a person beside the configuration are not touched."""
    mine = {".config.toml.swp", "config.toml~", ".other.firnline-tmp-1"}
    for name in mine:
        (config.parent / name).write_text("mine")
    (config.parent / ".config.toml.firnline-tmp-0123").write_text("left by a kill")
    replace(read(config), "a = 1\n")
    assert set(os.listdir(config.parent)) == mine | {"config.toml"}


def test_a_mistake_has_the_line_of_its_text(tmp_path):
    """An error about a key names the file, the line and the key."""
    error = SettingsText(tmp_path, "a = 1\nb = 2\n", None).error(ConfigUnsafeError, ("b",), "no")
    assert str(error) == f"{tmp_path}, line 2: no"
    assert error.key == "b"


def test_on_windows_the_rights_of_the_directory_decide(config, monkeypatch):
    """Where files have no owner's bits and directories cannot be flushed, neither is asked for."""
    monkeypatch.setattr(sys, "platform", "win32")
    config.chmod(0o666)
    steps: list[str] = []
    replace(read(config), "a = 1\n", steps.append)
    assert config.read_text() == "a = 1\n"
    assert steps[-1] == "config.fsync_directory"
