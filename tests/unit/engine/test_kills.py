"""Killed at a durable step of a command, the next try goes through and nothing is lost."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.doubles.profile import Profile

from firnline.engine.errors import NoSuchFolderError, UsageError
from firnline.engine.folder_commands import create_folder, join_folder
from firnline.engine.leaving import remove_folder
from firnline.engine.questions import answer_question, waiting_questions
from firnline.engine.replaced_stores import ANSWERS
from firnline.engine.runtime import Engine
from firnline.engine.store_commands import StoreWish, add_store


class Killed(BaseException):
    """The power is gone."""


class Fuse:
    """Kills at the step of that number, counted from 1."""

    def __init__(self, number: int) -> None:
        self.left = number

    def __call__(self, name: str) -> None:
        self.left -= 1
        if self.left == 0:
            raise Killed(name)


def kill_everywhere(
    make: Callable[[int], Profile],
    command: Callable[[Engine], object],
    then: Callable[[Profile], None],
) -> None:
    """Kill `command` at its first steps and at more and more distant ones, up to its end, each
    time on a device of its own, and look after it."""
    number, died = 0, True
    while died:
        number += 1 + number // 8
        profile = make(number)
        try:
            with profile.engine(steps=Fuse(number)) as engine:
                command(engine)
            died = False
        except Killed:
            pass
        then(profile)
    assert number > 3, "the command has steps"


def test_store_is_added_at_the_second_try(tmp_path: Path) -> None:
    """What the first try left in the directory is a store, or is none yet; both are taken up."""
    devices: dict[Profile, Path] = {}

    def make(number: int) -> Profile:
        profile = Profile(tmp_path / f"{number}")
        devices[profile] = tmp_path / f"{number}" / "nas"
        return profile

    def add(engine: Engine) -> None:
        add_store(engine, "nas", str(engine.places.state.parent.parent / "nas"), StoreWish())

    def then(profile: Profile) -> None:
        with profile.engine() as engine:
            try:
                add(engine)
            except UsageError:
                assert engine.settings.store("nas") is not None
        with profile.engine() as engine:
            assert engine.connected("nas").store_id == engine.store_settings("nas").store_id

    with pytest.MonkeyPatch.context() as patch:
        from tests.doubles.profile import believed

        patch.setattr("firnline.engine.store_commands.probe", believed)
        kill_everywhere(make, add, then)


def test_folder_is_created_at_the_second_try(tmp_path: Path) -> None:
    """The marker of the first try is no obstacle."""

    def make(number: int) -> Profile:
        profile = Profile(tmp_path / f"{number}")
        profile.add_store("nas", tmp_path / f"{number}" / "nas")
        profile.write("a.txt", "a")
        return profile

    def create(engine: Engine) -> None:
        create_folder(engine, str(engine.places.state.parent.parent / "Documents"), None, [])

    def then(profile: Profile) -> None:
        with profile.engine() as engine:
            try:
                create(engine)
            except UsageError:
                assert engine.settings.folder("Documents") is not None
        (outcome,) = profile.sync()
        assert outcome.complete
        assert len(list(profile.base.glob("nas/documents-*/events/*/*"))) == 1

    kill_everywhere(make, create, then)


def test_folder_is_joined_at_the_second_try(tmp_path: Path) -> None:
    """And its files arrive; what the other device has stays as it is."""
    first = Profile(tmp_path / "first")
    first.add_store("nas", tmp_path / "nas")
    with first.engine() as engine:
        create_folder(engine, str(first.folder), "docs", [])
    first.write("a.txt", "a")
    first.sync()

    def make(number: int) -> Profile:
        profile = Profile(tmp_path / f"{number}")
        profile.add_store("nas", tmp_path / "nas")
        return profile

    def join(engine: Engine) -> None:
        place = engine.places.state.parent.parent / "Documents"
        join_folder(engine, "docs", str(place), None, [])

    def then(profile: Profile) -> None:
        with profile.engine() as engine:
            if engine.settings.folder("docs") is None:
                join(engine)
        profile.sync()
        assert profile.read("a.txt") == "a"

    kill_everywhere(make, join, then)
    first.sync()
    assert first.read("a.txt") == "a"


def test_removed_folder_can_be_removed_or_joined_again(tmp_path: Path) -> None:
    """The files stay whatever happens, and no left-over is taken for deletions."""

    def make(number: int) -> Profile:
        profile = Profile(tmp_path / f"{number}")
        profile.add_store("nas", tmp_path / f"{number}" / "nas")
        profile.write("a.txt", "a")
        with profile.engine() as engine:
            create_folder(engine, str(profile.folder), "docs", [])
        profile.sync()
        return profile

    def then(profile: Profile) -> None:
        with profile.engine() as engine:
            try:
                remove_folder(engine, "docs")
            except NoSuchFolderError:
                assert engine.settings.folders == ()
        assert profile.read("a.txt") == "a"
        elsewhere = profile.base / "elsewhere"
        with profile.engine() as engine:
            join_folder(engine, "docs", str(elsewhere), None, [])
        profile.sync()
        assert (elsewhere / "a.txt").read_text() == "a"

    kill_everywhere(make, lambda engine: remove_folder(engine, "docs"), then)


@pytest.mark.parametrize("answer", ["refill", "new"])
def test_wiped_store_is_answered_for_at_the_second_try(tmp_path: Path, answer: str) -> None:
    """Killed while it is made this store again, or another: the question stays or is settled, and
    the same answer leads to a store that has everything."""

    def make(number: int) -> Profile:
        profile = Profile(tmp_path / f"{number}")
        nas = profile.base / "nas"
        profile.add_store("nas", nas)
        profile.write("a.txt", "a")
        with profile.engine() as engine:
            create_folder(engine, str(profile.folder), "docs", [])
        profile.sync()
        shutil.rmtree(nas)
        nas.mkdir()
        profile.sync()
        return profile

    def then(profile: Profile) -> None:
        (outcome,) = profile.sync()
        if outcome.waits:
            with profile.engine() as engine:
                (question,) = waiting_questions(engine)
                answer_question(engine, question.id, answer)
        (outcome,) = profile.sync()
        assert outcome.complete
        with profile.engine() as engine:
            assert waiting_questions(engine) == []
        assert len(list(profile.base.glob("nas/docs-*/events/*/*"))) == 1

    kill_everywhere(make, lambda engine: ANSWERS[answer](engine, "nas"), then)
