"""A thousand saves while `firnline run` runs: few events, and `status` answers."""

from pathlib import Path

from tests.scenario.commands.device import Device
from tests.scenario.commands.running import running, until
from tests.scenario.store_contents import event_files

SAVES = 1000
ASKED = 4
"""How often `status` is asked meanwhile."""
BATCHES = 40
"""Events at most: a lot of saves that are told together are a batch or two."""


def test_thousand_saves(anna: Device, bert: Device, nas: Path) -> None:
    """All arrive, in batches; `status` answers all the time, in words and as data."""
    with running(anna), running(bert):
        for number in range(SAVES):
            anna.write(f"{number % 40}/{number}.txt", str(number))
            if number % (SAVES // ASKED) == 0:
                (folder,) = anna.document("status")["folders"]
                assert folder["state"] != "error", folder
        until(lambda: sum(1 for _ in bert.folder.glob("*/*.txt")) == SAVES)
        assert "docs" in bert.text("status")
    assert len(event_files(nas)) <= BATCHES
    assert bert.text("sync") == "docs: up to date\n"
