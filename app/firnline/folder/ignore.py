"""Which paths are never looked at: temporary files of known programs, and the user's patterns.

Hiding a path is never a deletion (docs/design.md section 7). What Firnline keeps for itself
(`core.paths.is_own_name`) is no matter of patterns and cannot be taken back by one.
"""

import os
import re
from collections.abc import Iterable

from firnline.core.hashing import PLAIN
from firnline.core.paths import is_own_name, normalize
from firnline.folder.errors import Blocked, Vanished, translating
from firnline.folder.patterns import BadPatternError, Pattern, Rules, parse_line
from firnline.folder.view import View

IGNORE_FILE = ".firnlineignore"
_MAX_BYTES = 256 * 2**10

# Conservative: only names that no person gives to a document. `*.tmp`, `*.bak`, `*~` and `*.part`
# are not among them: people do keep such files.
_TEMPORARY = re.compile(
    "|".join(
        f"(?:{expression})"
        for expression in (
            r"~\$.+",  # Microsoft Office: who has a document open
            r"~WR[A-Z]\d{4}\.tmp",  # Word, while it saves
            r"\.~lock\..+#",  # LibreOffice: who has a document open
            r"\.(?:.*\.)?sw[a-p]",  # vim: the swap file
            r"\.#.+",  # Emacs: who edits a file
            r"#.+#",  # Emacs: what was not saved yet
            r"\..+\.kate-swp",  # Kate: the swap file
            r"\.goutputstream-.{6}",  # GLib, while a GNOME program saves
            r"\.nfs[0-9a-f]{16,}",  # NFS: removed while a program had it open
            r"\.fuse_hidden[0-9a-f]{8,}",  # the same of FUSE
            r"\.Trash-\d+",  # the trash of a disk (freedesktop.org)
            r".+\.crdownload",  # Chrome: half a download
            r"\.syncthing\..+\.tmp",  # Syncthing: half a file
            r"~syncthing~.+\.tmp",
        )
    ),
    re.DOTALL,
)
FIRST = frozenset(".~#")
"""How all of these begin, but for the next."""
SUFFIX = ".crdownload"
SYSTEM = frozenset(
    {
        # Made by the system in each directory or disk that it shows.
        ".DS_Store",
        ".Spotlight-V100",
        ".Trashes",
        ".fseventsd",
        ".TemporaryItems",
        ".DocumentRevisions-V100",
        "Thumbs.db",
        "thumbs.db",
        "ehthumbs.db",
        "desktop.ini",
        "Desktop.ini",
        "$RECYCLE.BIN",
        "System Volume Information",
        "lost+found",
    }
)


def is_temporary(name: str) -> bool:
    """True for a name that a known program or the system gives to what is nobody's document."""
    if name in SYSTEM:
        return True
    if name[0] not in FIRST and not name.endswith(SUFFIX):
        return False
    return _TEMPORARY.fullmatch(name) is not None


class Ignore:
    """The rules of one folder, as they stood when they were read."""

    def __init__(self, patterns: Iterable[Pattern] = (), problems: Iterable[str] = ()) -> None:
        self.rules = Rules(patterns)
        self.problems = list(problems)
        """Lines that are no pattern, each with its number and the reason; they hide nothing."""
        self.fingerprint = ""
        """Tells one set of rules from another; '' for none of the user's."""

    @classmethod
    def load(cls, root: View) -> "Ignore":
        """Of the folder's `.firnlineignore`, if there is one.

        Raises FolderError when it cannot be read: without its rules a scan would take in what it
        is to hide.
        """
        try:
            descriptor = root.open_read(IGNORE_FILE)
        except Vanished:
            return cls()
        with translating(IGNORE_FILE), os.fdopen(descriptor, "rb") as file:
            body = file.read(_MAX_BYTES + 1)
        if len(body) > _MAX_BYTES:
            raise Blocked(IGNORE_FILE, f"larger than {_MAX_BYTES} bytes")
        return cls.parse(body.decode("utf-8-sig", "replace"))

    @classmethod
    def parse(cls, text: str) -> "Ignore":
        patterns, problems = [], []
        for number, line in enumerate(text.split("\n"), 1):
            try:
                pattern = parse_line(normalize(line))
            except BadPatternError as error:
                problems.append(f"line {number}: {error}")
                continue
            if pattern is not None:
                patterns.append(pattern)
        ignore = cls(patterns, problems)
        ignore.fingerprint = PLAIN.data(text.encode()) if patterns else ""
        return ignore

    def matches(self, path: str, is_directory: bool) -> bool:
        """True when a path of the log is never synced, itself or with a directory above it."""
        if self.entry_matches(path, is_directory):
            return True
        parts = path.split("/")
        if not self.rules:
            return any(_is_hidden(part) for part in parts[:-1])
        return any(
            self.entry_matches("/".join(parts[:count]), True) for count in range(1, len(parts))
        )

    def entry_matches(self, path: str, is_directory: bool) -> bool:
        """As `matches`, where it is known that no directory above is ignored."""
        if _is_hidden(path.rpartition("/")[2]):
            return True
        return bool(self.rules) and self.rules.match(path, is_directory)


def _is_hidden(name: str) -> bool:
    return is_temporary(name) or is_own_name(name)
