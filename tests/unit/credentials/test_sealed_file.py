"""The file that a passphrase seals."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firnline.credentials import sealed_file
from firnline.credentials.errors import ShelfError, Trouble, WrongPassphraseError
from firnline.credentials.sealed_file import SealedFile

PASSPHRASE = "correct horse"
CANARY = "canary-5d02"


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """scrypt without its price."""
    monkeypatch.setattr(sealed_file, "_SCRYPT", {"n": 2, "r": 1, "p": 1})


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "secrets.sealed"


@pytest.fixture
def file(place: Path) -> SealedFile:
    made = SealedFile(place)
    made.create(PASSPHRASE)
    return made


def trouble(of: SealedFile, key: str = "nas") -> Trouble:
    with pytest.raises(ShelfError) as found:
        of.get(key)
    return found.value.trouble


def test_what_was_put_is_there_with_the_passphrase_and_not_without(file: SealedFile, place: Path):
    """In another process, too; nothing of it stands in clear, and only this user can read it."""
    file.put("nas", CANARY)
    file.put("other", "x")
    file.remove("other")
    file.remove("never there")
    later = SealedFile(place)
    assert trouble(later) is Trouble.SEALED
    later.open(PASSPHRASE)
    assert later.is_open
    assert (later.get("nas"), later.get("other")) == (CANARY, None)
    content = place.read_bytes()
    assert CANARY.encode() not in content
    assert PASSPHRASE.encode() not in content
    assert b"nas" not in content
    assert place.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in place.parent.iterdir()] == [place.name]


def test_its_length_tells_little(file: SealedFile, place: Path):
    """One short secret and ten of them make files of one length."""
    file.put("nas", "x")
    before = place.stat().st_size
    for number in range(10):
        file.put(f"nas {number}", CANARY)
    assert place.stat().st_size == before


@settings(max_examples=30)
@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), st.text()))
def test_any_text_comes_back(secrets: dict[str, str]):
    """Whatever people choose for a password, half an emoji included."""
    name = Path(os.environ["FIRNLINE_PROFILE"]) / f"any{os.getpid()}"
    file = SealedFile(name)
    file.create(PASSPHRASE)
    for key, secret in secrets.items():
        file.put(key, secret)
    assert {key: file.get(key) for key in secrets} == secrets
    name.unlink()


def test_a_wrong_passphrase_is_told_from_damage(file: SealedFile, place: Path):
    """And a file that was open stays so."""
    file.put("nas", CANARY)
    later = SealedFile(place)
    with pytest.raises(WrongPassphraseError) as found:
        later.open("something else")
    assert "something else" not in repr(found.value)
    assert not later.is_open
    value = json.loads(place.read_text())
    value["sealed"] = value["sealed"][:-8] + "AAAAAAA="
    place.write_text(json.dumps(value))
    with pytest.raises(ShelfError) as damaged:
        later.open(PASSPHRASE)
    assert damaged.value.trouble is Trouble.DAMAGED
    assert trouble(file) is Trouble.DAMAGED


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[1]",
        b"null",
        b"\xff\xfe",
        b'{"format": 2}',
        b'{"format": 1, "salt": 1, "check": "", "nonce": "", "sealed": ""}',
        b'{"format": 1, "salt": "!", "check": "", "nonce": "", "sealed": ""}',
        b"[" * 100_000,
        b" " * (1 << 20) + b"{}",
    ],
)
def test_what_is_no_such_file_is_said_to_be_none(place: Path, content: bytes):
    """And nothing is written in its place."""
    place.write_bytes(content)
    file = SealedFile(place)
    with pytest.raises(ShelfError) as found:
        file.open(PASSPHRASE)
    assert found.value.trouble is Trouble.DAMAGED
    assert str(place) in str(found.value)
    assert place.read_bytes() == content


def test_a_link_in_its_place_is_refused(file: SealedFile, place: Path, tmp_path: Path):
    """Whoever put it there chose what is read."""
    place.rename(tmp_path / "elsewhere")
    place.symlink_to(tmp_path / "elsewhere")
    assert file.exists()
    assert trouble(file) is Trouble.DAMAGED


def test_a_file_that_was_made_anew_is_not_overwritten(file: SealedFile, place: Path):
    """Another process chose another passphrase meanwhile: this one has to be told it."""
    other = SealedFile(place)
    other.create("another one")
    other.put("nas", CANARY)
    with pytest.raises(ShelfError):
        file.put("b", "b")
    assert not file.is_open
    assert other.get("nas") == CANARY


def test_it_is_whole_wherever_the_power_goes(place: Path):
    """Before each step of a change the file has what it had."""
    count = 0
    while True:
        steps = iter(range(count))

        def step(name: str, left: Iterator[int] = steps) -> None:
            if next(left, None) is None:
                raise InterruptedError(name)

        SealedFile(place).create(PASSPHRASE)
        file = SealedFile(place)
        file.open(PASSPHRASE)
        file.put("nas", "before")
        stopping = SealedFile(place, steps=step)
        stopping.open(PASSPHRASE)
        try:
            stopping.put("nas", "after")
        except ShelfError:
            assert file.get("nas") in ("before", "after")
            count += 1
            continue
        assert file.get("nas") == "after"
        break
    assert count == 4


def test_no_room_leaves_what_was(file: SealedFile, tmp_path: Path):
    """And no temporary file."""
    file.put("nas", "before")
    full = SealedFile(file.path, random=os.urandom, steps=_no_space)
    full.open(PASSPHRASE)
    with pytest.raises(ShelfError, match="No space"):
        full.put("nas", "after")
    assert file.get("nas") == "before"
    assert len(list(tmp_path.iterdir())) == 1


def _no_space(name: str) -> None:
    if name == "secrets.fsync":
        raise OSError(28, "No space left on device")


def test_a_pipe_in_its_place_is_not_waited_for(place: Path):
    """Nobody may ever write into it."""
    os.mkfifo(place)
    assert trouble_of_opening(place) is Trouble.DAMAGED


def trouble_of_opening(place: Path) -> Trouble:
    with pytest.raises(ShelfError) as found:
        SealedFile(place).open(PASSPHRASE)
    return found.value.trouble
