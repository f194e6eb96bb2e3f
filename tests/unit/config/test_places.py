"""The places of a profile."""

import os
import stat
from pathlib import Path

import pytest

from firnline.config.places import Places
from firnline.config.private_files import make_private_directory, private_opener


def _mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(params=[0o000, 0o022, 0o077])
def _umask(request):
    before = os.umask(request.param)
    yield
    os.umask(before)


def test_a_profile_has_all_under_its_directory(tmp_path):
    """Everything of a profile lies under its directory, under the names that are documented."""
    places = Places.of_profile(tmp_path)
    assert places.config_file == tmp_path / "config.toml"
    assert places.state == tmp_path / "state"
    assert places.home_store == tmp_path / "home"
    assert places.logs == tmp_path / "logs"
    assert places.lock_file == tmp_path / "lock"


def test_a_relative_profile_stays_where_it_was_named(tmp_path, monkeypatch):
    """A relative directory is made absolute at once, so that a later chdir changes nothing."""
    monkeypatch.chdir(tmp_path)
    assert Places.find("a/../b", {}) == Places.of_profile(tmp_path / "b")


def test_the_argument_wins_over_the_environment(tmp_path):
    """`--profile` counts before FIRNLINE_PROFILE, and that before the system's places."""
    environment = {"FIRNLINE_PROFILE": str(tmp_path / "variable")}
    argument = str(tmp_path / "argument")
    assert Places.find(argument, environment) == Places.of_profile(tmp_path / "argument")
    assert Places.find(None, environment) == Places.of_profile(tmp_path / "variable")


def test_the_home_directory_may_be_written_as_a_tilde(tmp_path, monkeypatch):
    """`~` is expanded, since no shell does it in a variable of a service file."""
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Places.find(None, {"FIRNLINE_PROFILE": "~/p"}) == Places.of_profile(tmp_path / "p")


@pytest.mark.parametrize("argument", ["", " "])
def test_an_empty_argument_is_a_mistake(argument):
    """`--profile ""` comes from a variable that was not set, and is not the user's own profile."""
    with pytest.raises(ValueError, match="--profile"):
        Places.find(argument, {})


@pytest.mark.parametrize("environment", [{}, {"FIRNLINE_PROFILE": ""}])
def test_without_a_profile_the_system_decides(tmp_path, monkeypatch, environment):
    """Named by nobody, or by an empty variable, the places are those of the system."""
    for kind in ("CONFIG", "STATE", "DATA"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(tmp_path / kind))
    places = Places.find(None, environment)
    assert places == Places.of_system()
    everything = {
        places.config_file,
        places.state,
        places.home_store,
        places.logs,
        places.lock_file,
    }
    assert len(everything) == 5
    if os.name == "posix" and os.uname().sysname == "Linux":
        assert places.config_file == tmp_path / "CONFIG/firnline/config.toml"
        assert places.state == tmp_path / "STATE/firnline/state"
        assert places.home_store == tmp_path / "DATA/firnline/home"
        assert places.lock_file == tmp_path / "STATE/firnline/lock"


def test_naming_places_creates_nothing(tmp_path):
    """Only `prepare` makes directories."""
    places = Places.of_profile(tmp_path / "profile")
    assert not (tmp_path / "profile").exists()
    places.prepare()
    assert {each.name for each in (tmp_path / "profile").iterdir()} == {"state", "home", "logs"}


@pytest.mark.usefixtures("_umask")
def test_directories_are_private_from_the_start(tmp_path):
    """Whatever the umask, what is made is 0700, missing parents included."""
    Places.of_profile(tmp_path / "a" / "b").prepare()
    made = list(tmp_path.rglob("*"))
    assert len(made) == 5
    assert {_mode(path) for path in made} == {0o700}


def test_what_exists_keeps_its_rights(tmp_path):
    """A directory that a person made stays as it is, and preparing twice is no mistake."""
    profile = tmp_path / "profile"
    profile.mkdir(mode=0o755)
    profile.chmod(0o755)
    Places.of_profile(profile).prepare()
    Places.of_profile(profile).prepare()
    assert _mode(profile) == 0o755


def test_each_directory_is_a_step(tmp_path):
    """Before each directory that is made, and no other, its step is called."""
    steps: list[str] = []
    make_private_directory(tmp_path / "a" / "b", steps.append)
    make_private_directory(tmp_path / "a" / "b", steps.append)
    assert steps == ["config.mkdir", "config.mkdir"]


def test_a_directory_that_appears_meanwhile_is_taken(tmp_path):
    """Another process that makes the same directory at the same time does no harm."""
    wanted = tmp_path / "a"
    make_private_directory(wanted, lambda step: wanted.mkdir())
    assert wanted.is_dir()


def test_a_file_in_place_of_a_directory_is_an_error(tmp_path):
    """A file in the way is not replaced."""
    in_the_way = tmp_path / "file"
    in_the_way.write_text("kept")
    with pytest.raises(FileExistsError):
        make_private_directory(in_the_way)
    with pytest.raises(FileExistsError):
        make_private_directory(in_the_way / "below")
    assert in_the_way.read_text() == "kept"


@pytest.mark.usefixtures("_umask")
def test_files_are_private_from_the_start(tmp_path):
    """Whatever the umask, a file is 0600 when it comes to be."""
    path = tmp_path / "file"
    with open(path, "w", opener=private_opener):
        assert _mode(path) == 0o600


def test_a_link_in_place_of_a_private_file_is_refused(tmp_path):
    """What is opened privately is never what a link points to."""
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "target")
    with (
        pytest.raises(OSError, match="symbolic links"),
        open(link, "w", opener=private_opener),
    ):
        pass
    assert not (tmp_path / "target").exists()


def test_the_root_of_the_system_ends_the_search_for_parents(monkeypatch):
    """A root that is no directory (a drive that is gone) is an error and not an endless search."""
    monkeypatch.setattr(Path, "is_dir", lambda path: False)
    with pytest.raises(FileExistsError):
        make_private_directory(Path("/"))
