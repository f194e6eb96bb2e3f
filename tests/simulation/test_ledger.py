"""What the ledger of the simulation takes for a resurrection, and what not."""

from contextlib import nullcontext

import pytest
from tests.simulation.ledger import Ledger
from tests.simulation.library import Standing

from firnline.core.hashing import PLAIN, DataHash

SAVED = PLAIN.data(b"saved")


def deleted() -> tuple[Ledger, Standing]:
    """A ledger that heard of a deletion, and a folder in which the file is back."""
    ledger, folder = Ledger([]), Standing({"p": (SAVED, 0)})
    ledger.taken.add(SAVED)
    ledger.passed("b", folder)
    ledger.acted("b", folder, Standing(), in_pass=False)
    ledger.passed("b", Standing())
    return ledger, Standing({"p": (SAVED, 0o100)})


def test_a_deletion_that_comes_back_is_found() -> None:
    """Nobody but the rules touched it: that is a resurrection."""
    ledger, folder = deleted()
    with pytest.raises(AssertionError, match="deleted, and back"):
        ledger.check_seen([folder])


def test_flags_that_were_carried_survive_a_deletion() -> None:
    """Rule 4a gave them to what somebody deleted without having seen them: rule 2 keeps it."""
    ledger, folder = deleted()
    ledger.check_seen([folder], {("p", SAVED)})
    with pytest.raises(AssertionError, match="deleted, and back"):
        ledger.check_seen([folder], {("elsewhere", SAVED)})


@pytest.mark.parametrize(
    ("logged", "resurrections"),
    [({("p", SAVED)}, True), ({("elsewhere", SAVED)}, False), (set(), False)],
)
def test_a_lost_table_forgets_only_what_was_not_told(
    logged: set[tuple[str, DataHash]], *, resurrections: bool
) -> None:
    """The pass that told it may have broken off: what the stores have heard stays deleted."""
    ledger, folder = Ledger([]), Standing({"p": (SAVED, 0)})
    ledger.passed("b", folder)
    ledger.acted("b", folder, Standing(), in_pass=False)
    ledger.forgot("b", logged)
    ledger.passed("b", folder)
    with pytest.raises(AssertionError) if resurrections else nullcontext():
        ledger.check_seen([folder])
