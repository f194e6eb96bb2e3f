"""Work on a second thread, and where there is none."""

from threading import Thread, current_thread

import pytest

from firnline.core.hashing import PLAIN
from firnline.folder.beside import Beside
from firnline.folder.read import hash_while


def fail() -> None:
    raise KeyError("mine")


def test_on_another_thread() -> None:
    """Result and error come to whoever waits."""
    with Beside() as beside:
        assert beside.begin(current_thread)() is not current_thread()
        with pytest.raises(KeyError, match="mine"):
            beside.begin(fail)()


@pytest.fixture
def no_threads(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The system refuses them."""

    def refuse(_: Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(Thread, "start", refuse)
    return monkeypatch


def test_without_threads(no_threads: pytest.MonkeyPatch) -> None:
    """The work is done by whoever waits, once, also when there are threads again."""
    done: list[int] = []
    with Beside() as beside:
        first = beside.begin(lambda: done.append(1))
        assert done == []
        first()
        with pytest.raises(KeyError, match="mine"):
            beside.begin(fail)()
        no_threads.undo()
        assert beside.begin(current_thread)() is current_thread()
    assert done == [1]


def test_nothing_begun() -> None:
    """Nothing is waited for then."""
    with Beside():
        pass


@pytest.mark.usefixtures("no_threads")
def test_hashing_without_threads() -> None:
    """Each piece is hashed once."""
    digest = PLAIN.running()
    pieces = [b"one", b"two", b"three"]
    assert list(hash_while(pieces, digest)) == pieces
    assert digest.data_hash() == PLAIN.data(b"".join(pieces))
