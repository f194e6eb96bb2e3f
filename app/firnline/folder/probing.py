"""What the file system under a folder can hold: tried out once, in `.firnline/tmp`.

Asked of the file system and not of the kind that it says it is: mount options, network servers
and FUSE decide as much. What is left there after a crash is swept with other temporary files.
"""

import errno
import json
import os
import unicodedata
from contextlib import suppress
from dataclasses import asdict

from firnline.core.local_names import CONTROLS, WINDOWS, WINDOWS_KEEPS, Fold, Limits
from firnline.core.paths import MAX_PART_BYTES
from firnline.core.steps import Steps
from firnline.folder.access import TEMPORARIES, Access
from firnline.folder.area import list_names
from firnline.folder.errors import FolderError, translating
from firnline.folder.filesystem import Root
from firnline.folder.temporary import new_name

_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL
_TROUBLE = frozenset(
    getattr(errno, name)
    for name in ("ENOSPC", "EDQUOT", "EIO", "EROFS", "EMFILE", "ENFILE", "ENOMEM", "EBUSY")
    if hasattr(errno, name)
)
"""Says nothing about a name, and must not be remembered as if it did."""
_SHARP_S = "\u00df"


def probe(root: Root) -> Limits:
    """Find out. Raises FolderError when nothing can be written there."""
    if os.name == "nt":
        return WINDOWS
    with translating(TEMPORARIES):
        root.area.prepare(TEMPORARIES)
        return _Probe(root.access, root.steps).limits()


class _Probe:
    """Files of odd names that are made, looked for, and removed again."""

    def __init__(self, access: Access, steps: Steps) -> None:
        self._access = access
        self._steps = steps
        self._stem = f"probe{new_name()}"

    def limits(self) -> Limits:
        if not self._keeps(self._stem):
            raise FolderError(TEMPORARIES, "a file that was made there is not there")
        forbidden = "".join(c for c in WINDOWS_KEEPS if not self._keeps(f"{self._stem}{c}x"))
        if not self._keeps(f"{self._stem}\x01x"):
            forbidden += CONTROLS
        return Limits(
            fold=self._fold(),
            keeps_case=self._keeps(f"{self._stem}K"),
            normalizes=self._is_one("\u00e9", unicodedata.normalize("NFD", "\u00e9")),
            forbidden=forbidden,
            keeps_end=self._keeps(f"{self._stem}.") and self._keeps(f"{self._stem} "),
            reserves_stems=not self._keeps(f"aux.{self._stem}"),
            longest=self._longest(),
        )

    def _longest(self) -> int:
        held, refused = len(self._stem), MAX_PART_BYTES + 1
        if self._keeps(self._stem.ljust(MAX_PART_BYTES, "x")):
            return MAX_PART_BYTES
        while refused - held > 1:
            middle = (held + refused) // 2
            if self._keeps(self._stem.ljust(middle, "x")):
                held = middle
            else:
                refused = middle
        return held

    def _fold(self) -> Fold:
        if not self._is_one("k", "K"):
            return Fold.NONE
        return Fold.FULL if self._is_one(_SHARP_S, "SS") else Fold.SIMPLE

    def _is_one(self, written: str, asked: str) -> bool:
        """True when a name that ends in `written` is found under the other one as well."""
        made = self._make(f"{self._stem}{written}")
        try:
            return made and self._stands(f"{self._stem}{asked}")
        finally:
            self._remove(f"{self._stem}{written}")

    def _keeps(self, name: str) -> bool:
        """True when a file of that name can be made, and is called so then."""
        made = self._make(name)
        try:
            return made and name in list_names(self._access, TEMPORARIES)
        finally:
            self._remove(name)

    def _make(self, name: str) -> bool:
        self._steps("probe names")
        try:
            os.close(self._access.open(f"{TEMPORARIES}/{name}", _CREATE))
        except OSError as error:
            if error.errno in _TROUBLE:
                raise
            return False
        except FolderError:
            return False
        return True

    def _stands(self, name: str) -> bool:
        try:
            self._access.lstat(f"{TEMPORARIES}/{name}")
        except (OSError, FolderError):
            return False
        return True

    def _remove(self, name: str) -> None:
        self._steps("probe names")
        with suppress(OSError, FolderError):
            self._access.unlink(f"{TEMPORARIES}/{name}")


def to_text(limits: Limits) -> str:
    """To be remembered."""
    return json.dumps(asdict(limits), sort_keys=True)


def from_text(text: str) -> Limits:
    """Raises ValueError and TypeError for what `to_text` did not make."""
    fields = json.loads(text)
    fields["fold"] = Fold(fields["fold"])
    return Limits(**fields)
