"""What happened in a run with `firnline run`, in the words of people."""

from collections.abc import Mapping

from tests.soak.always_on import LiveWorld
from tests.soak.service import Service

_SAVES = (
    *("create empty", "overwrite", "replace", "append", "patch", "cut", "write_big"),
    *("write_slowly", "save that is followed"),
)
_MOVES = ("move", "move directory", "give away", "swap")
_DELETIONS = ("delete", "delete directory", "delete for ever")
_OTHERS = ("copy", "link", "mkdir", "chmod")


def report(world: LiveWorld, seed: int, seconds: float, numbers: Mapping[str, int]) -> str:
    """`numbers` are those of the last rest."""
    counts = world.diary.counts
    commands = counts["command"] + counts["pass"]
    log = f"{numbers['events']:,} events with {numbers['changes']:,} changes"
    lines = {
        "run": f"{seconds / 60:.1f} minutes, seed {seed}, three devices and three stores",
        "people": _of_people(world),
        "saves followed": world.post.words(),
        "processes": _of_processes(world),
        "stores": _of_stores(world),
        "commands": f"{commands:,} came in meanwhile",
        "log": f"{log}; {numbers['conflicts']:,} conflict copies",
        "rests": _of_rests(world),
        "a process held": _held(world),
        "longest life": _longest_life(world),
        "lost": _lost(world, numbers),
    }
    return "\n".join(f"  {title:<15} {text}" for title, text in lines.items() if text)


def _sum(world: LiveWorld, kinds: tuple[str, ...]) -> str:
    return f"{sum(world.diary.counts[each] for each in kinds):,}"


def _of_people(world: LiveWorld) -> str:
    saves, moves = _sum(world, _SAVES), _sum(world, _MOVES)
    deletions, others = _sum(world, _DELETIONS), _sum(world, _OTHERS)
    return (
        f"{saves} saves, {moves} moves and swaps, {deletions} deletions, {others} copies, links,"
        " directories and changes of rights"
    )


def _of_processes(world: LiveWorld) -> str:
    counts = world.diary.counts
    killed, told = counts["kill of the service"], counts["stop of the service"]
    frozen = counts["freeze of the service"]
    return f"{counts['start']:,} starts, {killed:,} killed, {told:,} told to end, {frozen:,} frozen"


def _of_stores(world: LiveWorld) -> str:
    counts = world.diary.counts
    back = counts["store set back"]
    return f"{counts['store leaves']:,} times one was taken away, {back:,} times it came back older"


def _of_rests(world: LiveWorld) -> str:
    """Each is counted from the last edit, or from the return of a store."""
    if not world.settled:
        return ""
    took = ", ".join(f"{seconds:.1f}" for seconds in world.settled)
    share = f"{world.work_at_rest:.2%} of a core at most"
    return f"nothing changed any more after {took} s; then {share}, and not one event"


def _held(world: LiveWorld) -> str:
    services = list(world.services.values())
    most = services[0].most
    for service in services:
        most = most.most(service.most)
    return f"{most} at most"


def _longest_life(world: LiveWorld) -> str:
    def age(service: Service) -> float:
        return max((life.seconds for life in service.lives), default=0.0)

    service = max(world.services.values(), key=age)
    life = max(service.lives, key=lambda each: each.seconds, default=None)
    if life is None or life.seconds <= life.GROWN_UP:
        return ""
    span = f"after {life.GROWN_UP:.0f} s {life.first}, after {life.seconds:.0f} s {life.last}"
    return f"device {service.name}: {span}"


def _lost(world: LiveWorld, numbers: Mapping[str, int]) -> str:
    found = len(world.diary.findings)
    if found:
        return f"{found} findings, see below"
    return (
        f"nothing: {numbers['contents checked']:,} contents each found by hash in every store and"
        f" every log, {numbers['files']:,} files alike on all devices"
    )
