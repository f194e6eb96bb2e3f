"""`firnline verify`."""

from argparse import Namespace

from firnline.cli import output
from firnline.cli.opening import open_engine
from firnline.cli.progress import bars_for_terminal
from firnline.cli.sync import stopping_softly
from firnline.engine.problems import explain
from firnline.engine.sync_command import Deadline
from firnline.engine.system import SystemClock
from firnline.engine.verify_command import Verdict
from firnline.engine.verify_command import verify as look


def verify(arguments: Namespace) -> int:
    """Read back and check; 1 when something is bad and was not repaired, or could not be read."""
    clock = SystemClock()
    stop = Deadline(clock, None)
    bars = bars_for_terminal(clock)
    with (
        open_engine(arguments, lock=arguments.repair, progress=bars, cancelled=stop) as engine,
        stopping_softly(stop),
    ):
        folders = [arguments.folder] if arguments.folder is not None else []
        verdicts = look(engine, folders, arguments.store, repair=arguments.repair)
    if bars is not None:
        bars.clear()
    if arguments.json:
        output.document([verdict.to_json() for verdict in verdicts])
    for verdict in verdicts:
        if not arguments.json:
            _show(verdict)
        for error in verdict.errors:
            output.message(output.shown(explain(error, f"store {verdict.store}").line))
    left = sum(not bad.repaired for verdict in verdicts for bad in verdict.bad)
    if left:
        output.message(_advice(left, repair=arguments.repair))
    return 0 if all(verdict.good for verdict in verdicts) else 1


def _show(verdict: Verdict) -> None:
    name = output.shown(verdict.store)
    size = output.size_text(verdict.bytes)
    bad = f"{len(verdict.bad):,} bad" if verdict.bad else "all right"
    output.line(f"{name}: {output.count_text(verdict.checked, 'file')} read, {size}; {bad}")
    for each in verdict.bad:
        what = f"{output.shown(each.folder)}: {output.shown(each.name)}: {output.shown(each.why)}"
        output.line(f"    {what}{'; repaired' if each.repaired else ''}")
        if each.note:
            output.line(f"        {output.shown(each.note)}")


def _advice(left: int, *, repair: bool) -> str:
    bad = output.count_text(left, "bad file")
    if repair:
        return f"{bad} could not be repaired: connect a store or a device that has what is missing."
    return f"{bad}: `firnline verify --repair` repairs what other places still have."
