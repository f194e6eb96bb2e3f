"""Where the seeds of a run come from."""

import os


def fresh_seed() -> int:
    """Another one in each run on a developer's machine. Always the same where CI is set, which is
    to judge a change and not its luck."""
    return 0 if os.environ.get("CI") else int.from_bytes(os.urandom(4), "big")
