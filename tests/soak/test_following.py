"""What the soak sees of saves on their way, and of what processes hold."""

import os
import random
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.soak.device import Device
from tests.soak.diary import Diary
from tests.soak.post import Post
from tests.soak.vitals import NOTHING, Life, vitals_of

SEED = 20261122


@pytest.fixture
def diary(tmp_path: Path) -> Iterator[Diary]:
    with_lines = Diary(tmp_path / "diary.jsonl")
    yield with_lines
    with_lines.close()


def test_a_save_is_followed_until_it_is_everywhere(tmp_path: Path, diary: Diary) -> None:
    """It took as long as the slower of the others."""
    devices = [Device(tmp_path, name, [], diary) for name in "abc"]
    for device in devices:
        (device.folder / "post").mkdir(parents=True)
    now = iter([10.0, 13.0])
    post, over = Post(devices, diary, lambda: next(now)), threading.Event()

    def bring() -> None:
        saved = devices[0].folder / "post" / "a"
        for device in devices[1:]:
            while not saved.exists() or not saved.read_bytes():
                time.sleep(0.001)
            shutil.copy(saved, device.folder / "post" / "a")

    thread = threading.Thread(target=bring)
    thread.start()
    post.send(devices[0], random.Random(SEED), over)
    thread.join()
    assert post.took == [3.0]
    assert post.sent == 1


def test_a_save_that_does_not_arrive_is_not_waited_for_at_the_end(
    tmp_path: Path, diary: Diary
) -> None:
    """It is counted, and expected at the rest."""
    devices = [Device(tmp_path, name, [], diary) for name in "ab"]
    for device in devices:
        device.folder.mkdir(parents=True)
    post, over = Post(devices, diary), threading.Event()
    over.set()
    post.send(devices[0], random.Random(SEED), over)
    assert post.took == []
    assert list(post.expected) == ["post/a"]
    assert "0 of 1 arrived" in post.words()


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="the system does not tell")
def test_what_a_process_holds_is_seen(tmp_path: Path) -> None:
    """Files and threads, and no process at all."""
    before = vitals_of(os.getpid())
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    with (tmp_path / "open").open("wb"):
        after = vitals_of(os.getpid())
    done.set()
    thread.join()
    assert (after.files, after.threads) == (before.files + 1, before.threads + 1)
    assert after.memory > 2**20
    assert vitals_of(2**30) == NOTHING


def test_growth_is_seen_from_when_all_was_loaded() -> None:
    """Who does not run any more changes nothing."""
    life = Life()
    for seconds, files in ((1.0, 5), (11.0, 20), (500.0, 23)):
        life.see(NOTHING._replace(files=files), seconds)
    life.see(NOTHING, 600.0)
    assert (life.first.files, life.last.files, life.seconds) == (20, 23, 500.0)
