"""Commands that are handed to the Firnline that holds the profile, and how it carries them out.

Only commands that change things are handed over; those that read do so beside whoever runs.
"""

import os
from argparse import Namespace
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from firnline import __version__
from firnline.cli import output
from firnline.cli.arguments import parse
from firnline.cli.opening import Inside, credentials_of, inside_of, places_of
from firnline.config.places import Places
from firnline.engine.control.protocol import Kind, Request

if TYPE_CHECKING:
    from firnline.credentials.vault import Credentials

FAILED, USAGE = 1, 2
HANDED = frozenset(
    {
        *("store_commands:add", "store_commands:edit", "store_commands:remove"),
        *("store_commands:test", "store_commands:unlock", "refill:refill"),
        *("folder_commands:create", "folder_commands:join", "folder_commands:remove"),
        *("folder_commands:pause", "folder_commands:resume", "folder_commands:stores"),
        *("begin_sync:sync", "verify:verify", "conflicts:conflicts", "questions:answer"),
        "config:set_value",
    }
)
"""What may be asked for, as in `arguments`; nothing else is done for a caller."""
BROKEN_OFF = (
    "firnline: the Firnline that runs ended before it was done. "
    "`firnline status` shows how everything is; give the command again."
)


def handed_over(parsed: Namespace, given: Sequence[str]) -> int | None:
    """The exit code of a command that somebody else carried out; None when nobody could."""
    if parsed.run not in HANDED or inside_of(parsed) is not None:
        return None
    from firnline.engine.control.client import BrokenOffError, NotTakenError

    try:
        secret = getattr(parsed, "given", None)
        request = Request(__version__, os.getcwd(), tuple(given), secret, output.can_ask())
        return _answering(places_of(parsed).control, request)
    except (NotTakenError, FileNotFoundError):
        # The latter: the directory that we stand in was removed.
        return None
    except BrokenOffError:
        output.message(BROKEN_OFF)
        return FAILED


def _answering(control: Path, request: Request) -> int:
    """Hand it over, and again with the secret that it lacked. Raises what `hand_over` raises."""
    from firnline.engine.control.client import hand_over

    questions: list[str] = []
    code = hand_over(control, request, partial(_repeat, questions))
    if not questions:
        return code
    secret = output.ask_hidden(questions[-1])
    if not secret:
        output.message("firnline: nothing was typed, so nothing was done.")
        return FAILED
    return hand_over(control, request._replace(secret=secret), partial(_repeat, questions))


def _repeat(questions: list[str], kind: Kind, text: str) -> None:
    if kind is Kind.WANTED:
        questions.append(output.shown(text))
    elif kind is Kind.OUTPUT:
        output.relay(text)
    else:
        output.relay_message(text)


def carry_out(
    request: Request,
    places: Places,
    say: Callable[[Kind, str], None],
    gone: Callable[[], bool],
    credentials: "Callable[[], Credentials] | None" = None,
) -> int:
    """The exit code of a caller's command, carried out here by the profile of `places`, with the
    secrets that this process has.

    Blocks; belongs on a thread of its own, while nothing else works on what it changes.
    """
    from firnline.cli.main import carried_out

    listeners = output.Listeners(
        lambda text: say(Kind.OUTPUT, text), lambda text: say(Kind.MESSAGE, text)
    )
    with output.said_to(listeners):
        try:
            parsed = parse(request.arguments)
        except SystemExit:
            return USAGE
        if parsed.run not in HANDED:
            output.message("firnline: this is no command that another Firnline carries out.")
            return USAGE
        parsed.inside = Inside(
            places,
            Path(request.directory),
            gone,
            credentials or credentials_of(places),
            partial(say, Kind.WANTED) if request.asks else None,
        )
        parsed.given = request.secret
        return carried_out(parsed, request.arguments)
