"""Directories and files that only this user can open, made so from the first moment.

The rights are given at creation and not by a chmod later, since between the two another user
could open the file. A umask can only take rights away, so they hold whatever it is. (On Windows
the rights of the profile's parent decide.)
"""

import os
from pathlib import Path

from firnline.core.steps import Steps, no_steps

_NO_FOLLOW: int = getattr(os, "O_NOFOLLOW", 0)


def make_private_directory(directory: Path, steps: Steps = no_steps) -> None:
    """Make `directory` and its missing parents, 0700 each; what exists stays as it is.

    Raises OSError, also when something that is no directory stands in the way.
    """
    missing = []
    while not directory.is_dir():
        missing.append(directory)
        if directory.parent == directory:
            break
        directory = directory.parent
    for each in reversed(missing):
        steps("config.mkdir")
        try:
            os.mkdir(each, 0o700)
        except FileExistsError:
            if not each.is_dir():
                raise


def private_opener(path: str, flags: int) -> int:
    """The `opener` for `open`: what is created is 0600; a link in place of the file is refused."""
    return os.open(path, flags | _NO_FOLLOW, 0o600)
