"""What goes wrong with servers while folders are synced over them, and what comes of it."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest
from tests.contract.subjects import calling
from tests.doubles.profile import Profile, believed
from tests.doubles.shaky_store import ShakyStore
from tests.doubles.still_clock import StillClock
from tests.scenario.laptops import Laptop, settle
from tests.servers.odd_server import Asked, Told, multistatus, odd_server, resource
from tests.servers.openssh import OpenSsh
from tests.servers.process import HOST
from tests.servers.webdav import PASSWORD, Apache

from firnline.credentials.vault import nothing_kept
from firnline.engine.folder_commands import create_folder, join_folder
from firnline.engine.runtime import Engine
from firnline.engine.status import status
from firnline.engine.store_commands import StoreWish, add_store, try_store
from firnline.engine.store_secrets import account_at
from firnline.engine.sync_command import FolderOutcome, sync_folders
from firnline.stores.base import Store
from firnline.stores.calling.logins import MOST
from firnline.stores.errors import BusyError, CredentialsError, SpentError, StoreError
from firnline.sync.context import HOME

FILES = {f"d{number % 3}/{number}.txt": f"text {number}" for number in range(12)}
LARGE = os.urandom(400_000)


class Device(Profile):
    """A device with a store on a server, and a password for it."""

    def __init__(self, base: Path, location: str, options: dict[str, str]) -> None:
        super().__init__(base)
        self.location = location
        self.options = options
        self.password = PASSWORD

    @contextmanager
    def at_work(self, steps: Callable[[str], None] = lambda name: None) -> Iterator[Engine]:
        with self.engine(steps=steps) as engine:
            known = nothing_kept()
            account = account_at("nas", self.location, self.options)
            if account is not None:
                known.give(account, self.password)
            engine.outside = engine.outside._replace(credentials=lambda: known)
            yield engine

    def add(self, patch: pytest.MonkeyPatch) -> None:
        patch.setattr("firnline.engine.store_commands.probe", believed)
        with self.at_work() as engine:
            add_store(engine, "nas", self.location, StoreWish(options=self.options))

    def pass_over(self, steps: Callable[[str], None] = lambda name: None) -> FolderOutcome:
        with self.at_work(steps) as engine:
            (outcome,) = sync_folders(engine, [])
            return outcome


class OpenSshHere(OpenSsh):
    """With a store in a place of the test."""

    def device(self, base: Path) -> Device:
        store = self.place / "store"
        location = f"sftp://{self.user}@{HOST}:{self.port}{store}"
        return Device(base, location, {"key": self.key, "fingerprint": self.fingerprint})


class ApacheHere(Apache):
    """The same over WebDAV."""

    def device(self, base: Path) -> Device:
        return Device(base, self.location("store"), {})


@pytest.fixture(params=[OpenSshHere, ApacheHere], ids=["sftp", "webdav"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OpenSshHere | ApacheHere]:
    """A server that the test may stop."""
    (tmp_path / "server").mkdir()
    made = request.param(tmp_path / "server")
    made.start()
    yield made
    made.stop()


def test_a_server_restarts_in_the_middle_of_a_pass(
    server: OpenSshHere | ApacheHere, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """The pass goes on where it was, both ways, and nobody hears of it."""
    anna, bert = server.device(tmp_path / "anna"), server.device(tmp_path / "bert")
    for device in (anna, bert):
        device.add(monkeypatch)
    with anna.at_work() as engine:
        create_folder(engine, str(anna.folder), "docs", [])
    with bert.at_work() as engine:
        join_folder(engine, "docs", str(bert.folder), None, [])
    for path, text in FILES.items():
        anna.write(path, text)
    (anna.folder / "large").write_bytes(LARGE)
    restarts: list[str] = []

    def restart_at(step: str) -> Callable[[str], None]:
        def steps(name: str) -> None:
            if name == step and step not in restarts:
                restarts.append(step)
                server.stop()
                server.start()

        return steps

    outcome = anna.pass_over(restart_at("store.rename"))
    assert outcome.complete, outcome.unreached
    # While what came is brought into the folder, the rest of it is still to be read.
    outcome = bert.pass_over(restart_at("commit listing"))
    assert restarts == ["store.rename", "commit listing"]
    assert outcome.complete, outcome.unreached
    assert (bert.folder / "large").read_bytes() == LARGE
    assert {path: bert.read(path) for path in FILES} == FILES


def test_a_line_that_breaks_all_the_time(tmp_path: Path):
    """Two laptops hear of nothing: all passes are whole, the trees are equal, and they rest."""
    lines: list[ShakyStore] = []

    def over_such_a_line(name: str, store: Store) -> Store:
        if name == HOME:
            return store
        line = ShakyStore(store, StillClock(), turns=count(len(lines)))
        lines.append(line)
        return calling(lambda connection: line)("")

    base = tmp_path / "store"
    a, b = (Laptop(tmp_path / name, name * 8, [base], wrap=over_such_a_line) for name in ("a", "b"))
    for number in range(30):
        a.write(f"d{number % 3}/{number}.txt", f"text {number}")
    a.write("large", LARGE)
    settle(a, b)
    b.write("d0/0.txt", "edited")
    b.move("d1/1.txt", "moved/1.txt")
    b.delete("d2/2.txt")
    a.write("new.txt", "new")
    settle(a, b)
    assert a.tree() == b.tree()
    assert a.read("d0/0.txt") == "edited"
    assert sum(line.broke for line in lines) > 50
    report = a.sync()
    assert report.problems == []


# --- a server that says what it is told to ------------------------------------------------------

NOTHING = multistatus(resource("/dav/", directory=True))


class Script:
    """Answers as an empty directory, unless the test says otherwise."""

    def __init__(self) -> None:
        self.answer: Callable[[Asked], Told | None] = lambda asked: None
        self.logins = 0

    def __call__(self, asked: Asked) -> Told:
        self.logins += "Authorization" in asked.headers
        told = self.answer(asked)
        if told is not None:
            return told
        return NOTHING if asked.path == "/dav/" else Told(404)


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def device(script: Script, tmp_path: Path) -> Iterator[Device]:
    """With a store on a server that the script plays; it is in the settings already."""
    with odd_server(script) as odd:
        made = Device(tmp_path / "anna", f"webdav://me@{HOST}:{odd.port}/dav", {})
        made.places.prepare()
        made.places.config_file.write_text(
            f'format = 1\n[stores.nas]\nlocation = "{made.location}"\nstore_id = "{"0" * 16}"\n'
        )
        yield made


def refused(device: Device, again: Callable[[Engine], object]) -> StoreError:
    """What a command is told."""
    with device.at_work() as engine, pytest.raises(StoreError) as caught:
        again(engine)
    return caught.value


def connect(engine: Engine) -> object:
    return engine.connected("nas")


LOCKED = Told(401, {"WWW-Authenticate": 'Basic realm="x"'})


def test_a_wrong_password_in_many_passes(device: Device, script: Script):
    """It is shown three times in all, by whatever process; another one is tried at once, and
    `store test` tries the same once more."""
    script.answer = lambda asked: LOCKED
    for _ in range(6):
        assert isinstance(refused(device, connect), CredentialsError)
    assert script.logins == MOST
    told = refused(device, connect)
    assert isinstance(told, SpentError)
    refused(device, lambda engine: try_store(engine, "nas"))
    assert script.logins == MOST + 1
    refused(device, connect)
    assert script.logins == MOST + 1
    device.password = "another"
    refused(device, connect)
    assert script.logins == MOST + 2
    text = (device.places.state / "refused-logins.json").read_text()
    assert PASSWORD not in text
    assert "another" not in text


def test_status_tells_the_next_step(device: Device, script: Script):
    """Who looks why nothing comes finds out what to do."""
    device.places.config_file.write_text(
        device.places.config_file.read_text()
        + f'[folders.docs]\nfolder_id = "{"1" * 16}"\npath = "{device.folder}"\nstores = ["nas"]\n'
    )
    script.answer = lambda asked: LOCKED
    for _ in range(MOST):
        refused(device, connect)
    with device.at_work() as engine:
        (folder,) = status(engine).folders
    (nas,) = [store for store in folder.stores if store.name == "nas"]
    assert "firnline store test nas" in nas.message
    assert script.logins == MOST


@pytest.mark.parametrize("status_code", [429, 503])
def test_a_busy_server_is_waited_for(device: Device, script: Script, status_code: int):
    """A second that a server asks for is waited by who connects, and it is asked once more."""
    asked_for: list[Asked] = []

    def busy_at_first(asked: Asked) -> Told | None:
        asked_for.append(asked)
        return Told(status_code, {"Retry-After": "1"}) if len(asked_for) == 1 else None

    script.answer = busy_at_first
    error = refused(device, connect)
    assert "no store of Firnline" in str(error)
    assert len(asked_for) > 1


def test_a_busy_server_is_left_alone(device: Device, script: Script):
    """Where it asks for more than anybody waits, it is told, and not asked again before."""
    asked_for: list[Asked] = []

    def busy(asked: Asked) -> Told:
        asked_for.append(asked)
        return Told(503, {"Retry-After": "200"})

    script.answer = busy
    for _ in range(3):
        error = refused(device, connect)
        assert isinstance(error, BusyError)
        assert error.seconds is not None
        assert error.seconds > 100
    assert len(asked_for) == 1
