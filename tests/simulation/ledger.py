"""What people wrote, overwrote and deleted, and what must therefore be found at a quiet point.

Contents are nearly all unique texts, so a hash stands for one save of one person. Deliberately
weaker than the design in one way: what two people did at the same time is only asked to be found,
no matter at which path.
"""

from collections.abc import Iterable, Set

from tests.simulation.library import Standing

from firnline.core.hashing import PLAIN, DataHash


class Ledger:
    """Fed with folders before and after each act and each pass."""

    def __init__(self, common: Iterable[str]) -> None:
        """`common`: texts that several people write, so that nobody can say whose one is."""
        self.taken: set[DataHash] = set()
        """Every content that ever stood in a store or a home store."""
        self.vague = {PLAIN.data(text.encode()) for text in common}
        """To be found, but no matter where; with what stood at a path that patterns may hide."""
        self._replaced: set[DataHash] = set()
        self._moved: set[DataHash] = set()
        self._had: dict[str, set[DataHash]] = {}
        self._told: dict[str, set[tuple[str, DataHash]]] = {}
        self._deleted: set[tuple[str, DataHash]] = set()

    # --- what people do -------------------------------------------------------------------------

    def acted(self, device: str, before: Standing, after: Standing, *, in_pass: bool) -> None:
        """Somebody changed a folder."""
        old, new = before.places(), after.places()
        # One of two equal files counts: somebody else may delete the other one.
        self._replaced |= {found for found in old if len(new.get(found, ())) < len(old[found])}
        gone = (before.contents - after.contents) & self._had.get(device, set())
        self._moved |= {found for found in old.keys() & new.keys() if old[found] != new[found]}
        # The same content once more is no deletion any more.
        self._moved |= after.contents & {data_hash for _, data_hash in self._deleted}
        if not in_pass:
            told = {(path, data_hash) for path, (data_hash, _) in before.items()}
            self._told.setdefault(device, set()).update(t for t in told if t[1] in gone)

    def passed(self, device: str, folder: Standing) -> None:
        """A pass came to its end and had no problem: what was deleted before it is told."""
        self._deleted |= self._told.pop(device, set())
        self._had[device] = folder.contents

    def unsure(self, device: str) -> None:
        """A pass that broke off: what its folder shows may not be in its table."""
        self._had.pop(device, None)

    def forgot(self, device: str, logged: Set[tuple[str, DataHash]]) -> None:
        """A device lost its table, and with it what was not told yet.

        `logged`: what stores and home stores say is gone. That was told, however the pass ended.
        """
        self._had.pop(device, None)
        self._deleted |= self._told.pop(device, set()) & logged

    # --- what must hold -------------------------------------------------------------------------

    def check_found(self, stores: set[DataHash], folders: Iterable[Standing]) -> None:
        """No lost update."""
        lost = self.taken - stores - {found for folder in folders for found in folder.contents}
        assert not lost, f"lost update: {sorted(lost)}"

    def check_seen(
        self, folders: Iterable[Standing], carried: Set[tuple[str, DataHash]] = frozenset()
    ) -> None:
        """No phantom deletion, nothing overwritten unseen, no resurrection.

        `carried`: what rule 4a gave somebody's flags at its path. Whoever deleted it without having
        seen those deleted beside an edit, which survives (rule 2).
        """
        here = {(path, found) for folder in folders for path, (found, _) in folder.items()}
        shown = {data_hash for _, data_hash in here}
        vanished = self.taken - self._replaced - shown - self.vague
        assert not vanished, f"phantom deletion, or written over unseen: {sorted(vanished)}"
        again = (here & self._deleted) - carried
        back = {where for where in again if where[1] not in self._moved | self.vague}
        assert not back, f"deleted, and back: {sorted(back)}"
