"""A store in memory and the link of one device to it, on a clock that stands still."""

from datetime import timedelta

from tests.doubles.faulty_store import FaultyStore
from tests.doubles.memory_store import MemoryDisk, MemoryStore

from firnline.core.event import DeviceId
from firnline.engine.live.store_link import StoreLink
from firnline.stores.configs import DeviceRecord, FolderConfig, StoreConfig
from firnline.stores.identity import write_folder_config
from firnline.stores.layout import FolderId, FolderLayout, StoreHash
from firnline.sync.connection import Expected, Peer, connect, initialise
from firnline.sync.context import Connected, Unreached

STORE_ID = StoreHash("s" * 16)
FOLDER_ID = FolderId("f" * 16)
LAYOUT = FolderLayout("documents", FOLDER_ID)
CONFIG = StoreConfig(STORE_ID, "memory", "nas", 50, minor=False, location="", folders=(FOLDER_ID,))


def no_jitter(count):
    return b"\0" * count


def event_name(time="20261122080000000000", letter="0"):
    """A name that parses; `letter` makes it another."""
    return f"{time}_{letter * 32}_put_{'0' * 26}.0-devdevde-000000000--"


class Heard:
    """Writes down what a link tells."""

    def __init__(self):
        self.all = []

    def connected(self, store):
        self.all.append(store)

    def lost(self, store):
        self.all.append(store)

    def news(self, store_id, news):
        self.all.append((store_id, dict(news)))

    def cloned(self, store_id):
        self.all.append("cloned")

    def take(self):
        found, self.all = self.all, []
        return found

    def words(self):
        """What was told, in short."""
        return [_word(each) for each in self.take()]


def _word(told):
    if isinstance(told, Connected):
        return "connected"
    if isinstance(told, Unreached):
        return f"lost: {type(told.why).__name__}"
    return told if isinstance(told, str) else told[1]


class Shelf:
    """A store that several devices reach."""

    def __init__(self, clock):
        self.clock = clock
        self.disk = MemoryDisk()
        self.store = MemoryStore(self.disk, clock)
        initialise(self.store, CONFIG, no_jitter)
        write_folder_config(self.store, LAYOUT, FolderConfig(FOLDER_ID, "Documents"))

    def put(self, name, body=b""):
        """Another device wrote an event."""
        self.store.put_many([(LAYOUT.event(name), body)])

    def names(self, directory):
        return sorted(entry.name for entry in self.store.list(directory))


class LinkedDevice:
    """One device with a link to the shelf, which is stepped by hand."""

    def __init__(self, shelf, device="devdevde", run="r" * 16, clock=None, token=b"secret", **more):
        self.shelf = shelf
        self.clock = clock or shelf.clock
        self.heard = Heard()
        self.opened = []
        self.faults = []
        self.peer = Peer(DeviceId(device), token, DeviceRecord(DeviceId(device), "desk", "", ""))
        self.expected = Expected("nas", STORE_ID, 50, minor=False)
        self.link = StoreLink(
            self.expected,
            self.connect,
            {FOLDER_ID},
            self.heard,
            run=run,
            clock=self.clock,
            random=no_jitter,
            **more,
        )

    @property
    def connection(self):
        return self.peer.connection(STORE_ID)

    def connect(self):
        return connect(self.open, self.expected, self.peer)

    def open(self, connection):
        store = FaultyStore(MemoryStore(self.shelf.disk, self.shelf.clock), self.shelf.clock)
        store.faults = self.faults
        self.opened.append(store)
        return store

    def step(self):
        return self.link.step()

    def run_for(self, seconds):
        """Steps whenever the link wants to, for so long; returns how many there were."""
        end, steps = self.clock.monotonic() + seconds, 0
        while True:
            wait = self.step()
            steps += 1
            if self.clock.monotonic() + wait > end:
                self.clock.moment += timedelta(seconds=end - self.clock.monotonic())
                return steps
            self.clock.moment += timedelta(seconds=wait)


class ToldWatch:
    """A watch that tells what the test says."""

    def __init__(self, tell, works=True):
        self.tell = tell
        self.works = False
        self._can_work = works
        self.closed = False

    def start(self):
        self.works = self._can_work

    def close(self):
        self.works = False
        self.closed = True

    def end(self):
        """As a watcher ends: after it has told of everything."""
        self.tell({FOLDER_ID: None})
        self.works = False


class WatchMaker:
    """Makes them, and remembers them; `works` says whether the next one does."""

    def __init__(self):
        self.made = []
        self.works = True

    def __call__(self, tell):
        self.made.append(ToldWatch(tell, self.works))
        return self.made[-1]
