"""`firnline`: from arguments to a command, from exceptions to messages and exit codes.

Every command is a function from the parsed arguments to an exit code, in a module of its own that
is imported only when the command is called.
"""

import atexit
import gc
import sys
from argparse import Namespace
from collections.abc import Sequence
from importlib import import_module

from firnline.cli import output
from firnline.cli.arguments import build_parser, parse

DONE, FAILED, USAGE, WAITS, BUSY = range(5)
"""The exit codes of the contract."""
_ASKING = frozenset({"store_commands:add", "store_commands:edit"})
"""Commands that are carried out again with the secret that they lacked: until they have it they
change nothing."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out one command; returns its exit code."""
    # A pass makes tuples by the ten thousand and hardly a cycle: to look for some so often would
    # cost a tenth of its time.
    gc.set_threshold(100_000, 20, 100)
    # At the end the system takes all memory back, and no cycle has to be looked for: that would
    # cost another tenth of a pass with nothing to do.
    atexit.register(gc.freeze)
    output.prepare()
    given = sys.argv[1:] if arguments is None else arguments
    parsed = parse(given)
    if parsed.run is None:
        output.message(build_parser().format_help().rstrip())
        return USAGE
    try:
        return carried_out(parsed, given)
    except BrokenPipeError:
        # Whoever read our output has seen enough.
        output.drop_output()
        return DONE
    except KeyboardInterrupt:
        output.message("Stopped.")
        return FAILED


def carried_out(parsed: Namespace, given: Sequence[str]) -> int:
    """Carry out a command; what went wrong is said, and is in the exit code."""
    try:
        code = _run(parsed)
        output.flush()
    except BrokenPipeError:
        raise
    except Exception as error:
        # Imported only here: what is imported before a command begins delays its look at the disk.
        import logging

        logging.getLogger(__name__).debug("%s", parsed.run, exc_info=error)
        if parsed.run in _ASKING:
            from firnline.cli.asking import Asked, ask_again

            asked = ask_again(parsed, error)
            if asked is not Asked.NOBODY:
                return FAILED if asked is Asked.BY_CALLER else carried_out(parsed, given)
        return _failed(error, parsed, given)
    return code


def _run(parsed: Namespace) -> int:
    module, _, function = parsed.run.partition(":")
    command = getattr(import_module(f"firnline.cli.{module}"), function)
    code: int = command(parsed)
    return code


def _failed(error: Exception, parsed: Namespace, given: Sequence[str]) -> int:
    from firnline.config.profile_lock import ProfileBusy
    from firnline.engine.errors import EngineError, UsageError
    from firnline.engine.problems import explain, is_known

    if isinstance(error, ProfileBusy):
        from firnline.cli.handing import handed_over

        code = handed_over(parsed, given)
        if code is not None:
            return code
    if not is_known(error):
        _tell_mistake(error)
        return FAILED
    about = parsed.subject is not None and not isinstance(error, EngineError)
    subject = f"{parsed.subject} {parsed.name}" if about else ""
    output.message(output.shown(f"firnline: {explain(error, subject).line}"))
    if isinstance(error, ProfileBusy):
        return BUSY
    return USAGE if isinstance(error, UsageError) else FAILED


def _tell_mistake(error: Exception) -> None:
    """A mistake in the program: what a report needs, without flooding the terminal."""
    import traceback

    place = traceback.extract_tb(error.__traceback__)[-1]
    what = f"{type(error).__name__}: {error}"
    output.message(output.shown(f"firnline: a mistake in the program ({what})"))
    output.message(f"    at {place.filename}:{place.lineno}; the log has all of it")
