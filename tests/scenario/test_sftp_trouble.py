"""What goes wrong with an SFTP server, tried on real ones."""

import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from tests.doubles.still_clock import StillClock
from tests.servers.openssh import PASSPHRASE, OpenSsh
from tests.servers.process import HOST
from tests.servers.rclone_sftp import USER, RcloneSftp
from tests.servers.relay import Relay, relay
from tests.servers.sftp_stores import on_openssh
from tests.unit.stores.disks import disk

from firnline.stores.base import Store
from firnline.stores.errors import (
    CredentialsError,
    DeniedError,
    FullError,
    StoreError,
    UnavailableError,
    UntrustedError,
)
from firnline.stores.sftp.address import SftpAddress
from firnline.stores.sftp.dialling import Login
from firnline.stores.sftp.store import SftpStore

CONNECTION = "0123456789abcdef"
LARGE = 8 << 20
NAMES = int(os.environ.get("FIRNLINE_SFTP_NAMES", "2500"))
"""Names in one directory; 10,000 now and then."""


@pytest.fixture
def base(tmp_path: Path) -> Path:
    place = tmp_path / "store"
    place.mkdir()
    return place


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[OpenSsh]:
    """A server that a test may stop."""
    (tmp_path / "own").mkdir()
    server = OpenSsh(tmp_path / "own")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def line(openssh: OpenSsh) -> Iterator[Relay]:
    with relay(openssh.port) as made:
        yield made


@pytest.fixture
def store(openssh: OpenSsh, base: Path, line: Relay) -> Iterator[SftpStore]:
    """On OpenSSH, behind a relay."""
    opened = on_openssh(openssh, base, CONNECTION, port=line.port)
    yield opened
    opened.close()


def opened(address: SftpAddress, login: Login, fingerprint: str = "", known: str = "") -> SftpStore:
    return SftpStore(
        address,
        login,
        connection=None,
        clock=StillClock(),
        fingerprint=fingerprint,
        known_hosts=known,
    )


def put(store: Store, path: str, body: bytes) -> None:
    with store.upload() as upload:
        for start in range(0, len(body), 1 << 20):
            upload.write(body[start : start + (1 << 20)])
        upload.commit(path)


def taken(store: Store, path: str) -> bytes:
    with store.open(path) as reader:
        return b"".join(iter(lambda: reader.read(1 << 20), b""))


# --- logging in ---------------------------------------------------------------------------------


def test_wrong_password(rclone_sftp: RcloneSftp):
    """A wrong password is told, asked for once, and never in the error."""
    asked: list[None] = []

    def secret() -> str:
        asked.append(None)
        return "canary-wrong"

    address = SftpAddress(HOST, rclone_sftp.port, USER, "/x")
    with pytest.raises(CredentialsError, match="does not accept") as caught:
        opened(address, Login(secret, agent=False), fingerprint=rclone_sftp.fingerprint)
    assert len(asked) == 1
    assert "canary" not in str(caught.value)


def test_no_password(rclone_sftp: RcloneSftp):
    """A server that wants a password nobody gave is said to want one."""
    address = SftpAddress(HOST, rclone_sftp.port, USER, "/x")
    with pytest.raises(CredentialsError, match="asks for a password"):
        opened(address, Login(lambda: None, agent=False), fingerprint=rclone_sftp.fingerprint)


def _given(secret: str | None) -> str | None:
    return secret


def test_keys(openssh: OpenSsh, base: Path, tmp_path: Path):
    """A key, one with a passphrase, a strange one, one that is none, and one that is missing."""
    address = SftpAddress(HOST, openssh.port, openssh.user, str(base))
    pin = openssh.fingerprint
    opened(address, Login(lambda: None, key=openssh.key), fingerprint=pin).close()
    sealed = openssh.sealed_key
    opened(address, Login(lambda: PASSPHRASE, key=sealed), fingerprint=pin).close()
    (tmp_path / "junk").write_text("no key")
    for key, secret in (
        (openssh.strange_key, None),
        (sealed, None),
        (sealed, "wrong"),
        (str(tmp_path / "junk"), "x"),
        (str(tmp_path / "missing"), None),
    ):
        with pytest.raises(CredentialsError):
            opened(address, Login(partial(_given, secret), key=key), fingerprint=pin)


def test_host_keys(openssh: OpenSsh, base: Path, tmp_path: Path):
    """A key that nobody confirmed, another one than the pinned, and one that is in a file."""
    address = SftpAddress(HOST, openssh.port, openssh.user, str(base))
    login = Login(lambda: None, key=openssh.key)
    empty, known = tmp_path / "empty", openssh.known_hosts(tmp_path / "known")
    empty.write_text("")
    with pytest.raises(UntrustedError) as caught:
        opened(address, login, known=str(empty))
    assert (caught.value.seen, caught.value.known) == (openssh.fingerprint, None)
    opened(address, login, known=str(known)).close()
    with pytest.raises(UntrustedError) as caught:
        opened(address, login, known=str(known), fingerprint="SHA256:another")
    assert (caught.value.seen, caught.value.known) == (openssh.fingerprint, "SHA256:another")
    with pytest.raises(DeniedError, match="known hosts"):
        opened(address, login, known=str(tmp_path / "missing"))


def test_another_key_in_the_file(openssh: OpenSsh, base: Path, tmp_path: Path):
    """A server whose key is not the one in the file is refused, and both keys are named."""
    known = openssh.known_hosts(tmp_path / "known")
    strange = Path(f"{openssh.strange_key}.pub").read_text().split()
    known.write_text(f"[{HOST}]:{openssh.port} {strange[0]} {strange[1]}\n")
    address = SftpAddress(HOST, openssh.port, openssh.user, str(base))
    with pytest.raises(UntrustedError) as caught:
        opened(address, Login(lambda: None, key=openssh.key), known=str(known))
    assert caught.value.seen == openssh.fingerprint
    assert caught.value.known not in (None, openssh.fingerprint)


# --- the line -----------------------------------------------------------------------------------


def test_cut_while_a_large_body_goes_up(store: SftpStore, line: Relay, base: Path):
    """A body that was cut stands nowhere; the next attempt connects again and succeeds."""
    line.cut_up = line.up + LARGE // 2
    with pytest.raises(UnavailableError):
        put(store, "d/large", os.urandom(LARGE))
    assert not (base / "d" / "large").exists()
    line.cut_up = None
    body = os.urandom(LARGE)
    put(store, "d/large", body)
    assert (base / "d" / "large").read_bytes() == body
    # Clearing up after the first may have connected on its own, and been cut as well.
    assert line.connections > 1


def test_cut_while_a_large_body_comes_down(store: SftpStore, line: Relay, base: Path):
    """What is read breaks off with an error, never silently short, and can be read again."""
    body = os.urandom(LARGE)
    (base / "large").write_bytes(body)
    line.cut_down = line.down + LARGE // 2
    with pytest.raises(UnavailableError):
        taken(store, "large")
    line.cut_down = None
    assert taken(store, "large") == body


@pytest.mark.parametrize(
    "call",
    [
        lambda store: list(store.list("d")),
        lambda store: store.size("d/a"),
        lambda store: store.read_small("d/a", 10),
        lambda store: store.put_many([("d/b", b"b"), ("d/c", b"c")]),
        lambda store: store.create("d/new", b"new"),
        lambda store: store.rename("d/a", "d/z"),
        lambda store: store.copy("d/a", "d/y"),
        lambda store: store.delete("d/x"),
        lambda store: store.free_space(),
        lambda store: store.server_time(),
    ],
)
def test_cut_between_two_calls(store: SftpStore, line: Relay, call: Callable[[Store], object]):
    """A connection that is gone fails one call at most; the one after it connects anew."""
    store.put_many([("d/a", b"a")])
    line.cut()
    while line.connections < 2:
        try:
            call(store)
        except UnavailableError:
            continue
    call_again = store.size("d/a")
    assert call_again in (1, None)


def test_a_server_that_restarts(own_server: OpenSsh, base: Path):
    """Away it is out of reach; back it is used again, by the same store."""
    store = on_openssh(own_server, base, CONNECTION)
    try:
        store.put_many([("a", b"a")])
        own_server.stop()
        for _ in range(2):
            with pytest.raises(UnavailableError):
                store.read_small("a", 10)
        own_server.start()
        assert store.read_small("a", 10) == b"a"
    finally:
        store.close()


def test_a_garbled_line(openssh: OpenSsh, base: Path):
    """Bytes that were changed on the way end the connection, and are an error."""
    with relay(openssh.port) as line:
        store = on_openssh(openssh, base, CONNECTION, port=line.port)
        try:
            (base / "a").write_bytes(os.urandom(100_000))
            line.alter = lambda piece: bytes([piece[0] ^ 1]) + piece[1:]
            with pytest.raises(StoreError):
                taken(store, "a")
        finally:
            store.close()


# --- the disk behind it -------------------------------------------------------------------------


def test_a_full_disk(own_server: OpenSsh, tmp_path: Path):
    """The server says only "Failure": the look at its disk tells that it is full."""
    with disk(tmp_path, "tmpfs", "size=4m") as point:
        store = on_openssh(own_server, point, CONNECTION)
        try:
            with pytest.raises(FullError):
                put(store, "large", bytes(6 << 20))
            with pytest.raises(FullError):
                store.put_many((f"d/{number}", bytes(200_000)) for number in range(64))
            assert store.size("large") is None
        finally:
            store.close()
            own_server.stop()


def test_leftovers_are_swept(openssh: OpenSsh, base: Path):
    """What an earlier run left in its own `tmp/` is removed, and nobody else's."""
    own = base / "connections" / CONNECTION / "tmp"
    other = base / "connections" / ("9" * 16) / "tmp"
    for place in (own, other):
        place.mkdir(parents=True)
        (place / "left").write_bytes(b"left")
    store = on_openssh(openssh, base, CONNECTION)
    store.close()
    assert list(own.iterdir()) == []
    assert [path.name for path in other.iterdir()] == ["left"]


def test_many_names(store: SftpStore, base: Path):
    """A long listing is whole."""
    (base / "d").mkdir()
    for number in range(NAMES):
        (base / "d" / f"{number:05}").touch()
    assert sorted(entry.name for entry in store.list("d")) == [f"{n:05}" for n in range(NAMES)]


def test_what_is_no_file(store: SftpStore, base: Path, tmp_path: Path):
    """Links, pipes and names of other alphabets in a store are left alone, and not followed."""
    (tmp_path / "outside").write_bytes(b"outside")
    (base / "d").mkdir()
    (base / "d" / "link").symlink_to(tmp_path / "outside")
    (base / "d" / "loop").symlink_to("loop")
    os.mkfifo(base / "d" / "pipe")
    (base / "d" / "file").write_bytes(b"file")
    assert [entry.name for entry in store.list("d")] == ["file"]
    assert store.size("d/link") is None
    with pytest.raises(StoreError):
        store.read_small("d/link", 100)
    store.put_many([("d/link", b"ours")])
    assert (tmp_path / "outside").read_bytes() == b"outside"
    assert store.read_small("d/link", 100) == b"ours"
