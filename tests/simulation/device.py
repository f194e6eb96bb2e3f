"""A laptop on which everything can go wrong, as a seed says."""

import itertools
import os
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from random import Random

from tests.scenario.laptops import Laptop, LaptopClock
from tests.simulation.library import Standing
from tests.simulation.trouble import FailingHandles, Storm, StormyStore, Trouble

from firnline.core.hashing import DataHash
from firnline.core.steps import Steps, no_steps
from firnline.folder.filesystem import Root
from firnline.stores.base import Store
from firnline.sync.context import FolderContext
from firnline.sync.folder_pass import PassReport

_TICKS = itertools.count()


class Device(Laptop):
    """See `Laptop`. `must_have` is what its folder had when a pass began or got meanwhile, and
    nobody took away: the pass must not destroy it."""

    def __init__(
        self,
        place: Path,
        device: str,
        stores: Iterable[Path],
        *,
        clock: LaptopClock,
        store_clock: LaptopClock,
        random: Callable[[int], bytes],
    ) -> None:
        super().__init__(place, device, stores, clock=clock, store_clock=store_clock)
        self.wrap = self._stormy
        self.name = place.name
        self.must_have: set[DataHash] = set()
        self.last: PassReport | None = None
        self._random = random
        self._trouble = Trouble(Random(0), lambda text: None)

    def begin_pass(self, trouble: Trouble) -> None:
        self._trouble = trouble
        self.must_have = Standing.in_folder(self.folder).contents

    def saw(self, before: set[DataHash], after: set[DataHash]) -> None:
        """Somebody changed the folder."""
        self.must_have = (self.must_have - (before - after)) | (after - before)

    def sync(self, *, steps: Steps = no_steps) -> PassReport:
        self.last = None
        with self._trouble.full_disks():
            self.last = super().sync(steps=steps)
        return self.last

    def context(self, stack: ExitStack, steps: Steps = no_steps) -> FolderContext:
        context = super().context(stack, steps)
        access = FailingHandles(str(self.folder), self._trouble)
        context.root = Root(str(self.folder), steps=steps, access=access)
        stack.callback(context.root.forget)
        context.random = self._random
        return context

    def _stormy(self, name: str, store: Store) -> Store:
        storm = self._trouble.stores.get(name, Storm(0.0, ()))
        return StormyStore(name, store, self.clock, storm, self._trouble)

    def _settle(self, target: Path) -> None:
        """No two saves have one time, whatever the clock does, and none is in whole milliseconds,
        as those from elsewhere are."""
        when = int(self.clock.moment.timestamp() * 1e3 - 1e3) * 1_000_000
        when += 1 + next(_TICKS) % 999_999
        os.utime(target, ns=(when, when))
