"""Hostile paths, items 1 to 33 of the list of bad inputs: what is refused, and what is only odd.

LITERAL names are ordinary ones to the log and to most file systems; what must not happen is that
somebody decodes, folds or runs them. HIDDEN ones are never synced, and no problem either.
"""

from enum import Enum, auto
from typing import NamedTuple


class Verdict(Enum):
    """What a device has to make of a path."""

    REFUSED = auto()
    LITERAL = auto()
    HIDDEN = auto()


class Hostile(NamedTuple):
    """One path of an item."""

    item: int
    text: str
    verdict: Verdict

    @property
    def id(self) -> str:
        return f"{self.item:02d}-{ascii(self.text)[1:-1][:24]}"


def _all(item: int, verdict: Verdict, *texts: str) -> list[Hostile]:
    return [Hostile(item, text, verdict) for text in texts]


_REFUSED, _LITERAL, _HIDDEN = Verdict.REFUSED, Verdict.LITERAL, Verdict.HIDDEN

PATHS: list[Hostile] = [
    *_all(1, _REFUSED, "../pwn"),
    *_all(2, _REFUSED, "a/../../pwn"),
    *_all(3, _REFUSED, "/etc/cron.d/pwn"),
    *_all(4, _REFUSED, "//srv/share/x"),
    *_all(5, _LITERAL, "..\\pwn"),
    *_all(6, _LITERAL, "a\\..\\..\\pwn"),
    *_all(7, _LITERAL, "C:\\pwn"),
    *_all(8, _LITERAL, "C:pwn"),
    *_all(9, _LITERAL, "\\\\?\\C:\\pwn"),
    *_all(10, _LITERAL, "\\\\.\\pipe\\x"),
    *_all(11, _REFUSED, "a//b", "a/./b", "a/"),
    *_all(12, _REFUSED, ""),
    *_all(13, _REFUSED, "."),
    *_all(14, _REFUSED, "a\0.txt"),
    *_all(15, _LITERAL, "a\r\nb"),
    *_all(16, _REFUSED, "x" * 5000),
    *_all(17, _REFUSED, "d/" * 2999 + "x"),
    *_all(18, _LITERAL, "..%2fpwn"),
    *_all(19, _LITERAL, "%2e%2e/pwn"),
    *_all(20, _LITERAL, "\uff0e\uff0e/pwn", "\u2025/pwn"),
    # 21 and 22 are no text that UTF-8 has; in a manifest, JSON can spell the second one.
    *_all(22, _REFUSED, "\ud800"),
    *_all(23, _LITERAL, "CON", "con.txt", "NUL.tar.gz", "COM\u00b9", "CONIN$"),
    *_all(24, _LITERAL, "file.", "file ", "file..."),
    *_all(25, _LITERAL, "ok:ads", "ok::$DATA", "ok:Zone.Identifier"),
    *_all(26, _LITERAL, "PROGRA~1/x"),
    *_all(27, _LITERAL, ".GIT/config", ".git\u200c/config"),
    *_all(28, _REFUSED, ".firnline/id", ".FIRNLINE/id", ".firnline./id", ".Firnline/state.db"),
    *_all(29, _REFUSED, ".firnline-tmp-00ff", "a/.Firnline-TMP-0"),
    *_all(30, _LITERAL, "-rf", "--help", "$(touch pwn)", "`id`", ";id", "|id", "%s%n"),
    *_all(30, _LITERAL, "{0.__class__}", "[x]*?"),
    *_all(31, _LITERAL, "<img src=x onerror=1>.txt", "<a href=y>z"),
    *_all(32, _LITERAL, "photo\u202egpj.exe"),
    *_all(33, _LITERAL, "autorun.inf", "x.lnk", "x.desktop", "x.url", ".bashrc"),
    *_all(33, _HIDDEN, "desktop.ini", ".DS_Store"),
]
"""33 has a second half, the warning when a folder is made of a home directory: see `test_local`."""

NO_TEXT = {
    "21-overlong": b"\xc0\xae\xc0\xae/pwn",
    "22-surrogate": b"\xed\xa0\x80",
}
"""Items whose bytes are no UTF-8, where bytes can stand: as `eventsindex` body and in manifests."""
