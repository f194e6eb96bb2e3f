"""`firnline store refill`."""

from argparse import Namespace

from firnline.cli import output
from firnline.cli.opening import open_engine
from firnline.cli.progress import bars_for_terminal
from firnline.cli.sync import exit_code, stopping_softly, tell_stores, tell_what_is_left
from firnline.engine.replaced_stores import refill_store
from firnline.engine.store_commands import folders_of
from firnline.engine.sync_command import Deadline, FolderOutcome, sync_folders
from firnline.engine.system import SystemClock


def refill(arguments: Namespace) -> int:
    """Make what stands there this store again, and fill it; 1 when something is left to do."""
    clock = SystemClock()
    stop = Deadline(clock, None)
    bars = bars_for_terminal(clock)
    with (
        open_engine(arguments, lock=True, progress=bars, cancelled=stop) as engine,
        stopping_softly(stop),
    ):
        refill_store(engine, arguments.name)
        names = folders_of(engine, arguments.name)
        outcomes = []
        for outcome in sync_folders(engine, names) if names else ():
            if bars is not None:
                bars.clear()
            _tell(outcome, arguments.name)
            outcomes.append(outcome)
    tell_stores(outcomes)
    return exit_code(outcomes)


def _tell(outcome: FolderOutcome, store: str) -> None:
    name, store = output.shown(outcome.name), output.shown(store)
    if outcome.paused:
        output.message(f"{name}: paused; {store} gets it when it goes on.")
        return
    sent = output.count_text(outcome.report.copied, "event")
    output.line(f"{name}: {sent} sent again" + ("" if outcome.complete else ", not all"))
    tell_what_is_left(outcome)
