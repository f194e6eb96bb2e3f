"""`firnline export-logs`."""

import os
from argparse import Namespace
from pathlib import Path

from firnline.cli import output
from firnline.cli.opening import places_of, surroundings
from firnline.engine.bug_report import export_logs


def export(arguments: Namespace) -> int:
    """Make the bundle, and say what is in it."""
    target = Path(os.path.abspath(os.path.expanduser(arguments.file)))
    parts = export_logs(places_of(arguments), surroundings(), target)
    output.line(f"{output.shown(str(target))} holds:")
    for name, what in parts.items():
        output.line(f"    {output.shown(name)}: {what}")
    output.message(
        "It holds no contents of files and no secrets, but names of files, folders, stores and"
        " devices. Look through it before you give it to anybody."
    )
    return 0
