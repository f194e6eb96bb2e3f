"""What went wrong, for the person at the screen: a title, what happened to what, the next step.

One place for the command line and the window. Exceptions and `Problem` kinds carry facts; the words
are here. Names in the words are as they are: whoever shows them makes them harmless.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from firnline.config.errors import ConfigError
from firnline.config.profile_lock import ProfileBusy
from firnline.core.clock import ClockBeforeBuildError
from firnline.credentials.account import variable_of
from firnline.credentials.errors import Trouble
from firnline.engine.errors import EngineError
from firnline.engine.identity import IdentityError
from firnline.engine.store_secrets import SecretMissingError
from firnline.folder import errors as folder
from firnline.history.browse import NotAFileError, NotThereError
from firnline.history.conflicts import DirectoryThereError, NoConflictError, NoSuchVersionError
from firnline.history.moments import BadMomentError
from firnline.history.timeline import UnknownDeviceError
from firnline.state.database import DatabaseError, DatabaseFault
from firnline.stores import errors as store
from firnline.sync.bodies import ContentMissingError
from firnline.sync.connection import ReplacedError
from firnline.sync.context import CancelledError, Problem
from firnline.sync.event_writer import NowhereToWriteError

# These hold for who runs each sync himself, and where they are run for him.
_AGAIN = "the next sync tries it again"
_GOES_ON = "the next sync goes on"


@dataclass(frozen=True, slots=True)
class Explanation:
    """Ready to be shown."""

    title: str
    """A few words."""
    what: str
    """What happened, to which file, folder or store; a sentence without a full stop."""
    advice: str
    """The next step, a sentence without a full stop; '' where there is none."""

    @property
    def line(self) -> str:
        """All of it in one line."""
        return f"{self.what}. {_sentence(self.advice)}." if self.advice else f"{self.what}."


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def explain(error: Exception, subject: str = "") -> Explanation:
    """The words for an exception; `subject` is the store or folder that it concerns, named as in
    `store nas`.

    Errors without words of their own, those of the system for example, speak for themselves.
    """
    for kind in type(error).__mro__:
        found = _WORDS.get(kind)
        if found is not None:
            return found(error, subject)
    what = str(error) or type(error).__name__
    return Explanation("It did not work", _about(subject, what), "")


def explain_problem(problem: Problem, folder_name: str) -> Explanation:
    """The words for one thing that a pass left undone."""
    title, advice = _KINDS.get(problem.kind, ("Not synced", _AGAIN))
    place = f"{folder_name}:{problem.path}" if problem.path else folder_name
    message = problem.message.removeprefix(f"{problem.path}: ") if problem.path else problem.message
    if problem.store:
        place = f"{place}, store {problem.store}"
    return Explanation(title, f"{place}: {message.rstrip('.')}", advice)


def is_known(error: Exception) -> bool:
    """True for errors that this program expects; any other is a mistake in the program."""
    return any(kind in _WORDS for kind in type(error).__mro__)


def _about(subject: str, text: str) -> str:
    return f"{subject}: {text}" if subject else text


def _words(title: str, what: str, advice: str) -> Callable[[Any, str], Explanation]:
    """Words with `{0}` for the exception and `{subject}` for what it concerns."""

    def fill(error: Any, subject: str) -> Explanation:
        about = subject or "the store"
        return Explanation(
            title,
            what.format(error, subject=about),
            advice.format(error, subject=about, name=about.removeprefix("store ")),
        )

    return fill


def _own_words(title: str) -> Callable[[Any, str], Explanation]:
    """For exceptions whose message is fit to be shown, advice included."""

    def tell(error: Any, subject: str) -> Explanation:
        return Explanation(title, _about(subject, str(error).rstrip(".")), "")

    return tell


def _replaced(error: ReplacedError, subject: str) -> Explanation:
    about = subject or "the store"
    name = about.removeprefix("store ")
    refill = f"`firnline store refill {name}` fills it again (`firnline questions` for more)"
    if error.refilled:
        what = f"{about}: it was wiped and filled again since, so nothing was written"
        return Explanation("Filled again", what, f"if another device did so, {refill}")
    if error.found is None:
        what = f"{about}: nothing at its place says that it is this store, so nothing was written"
        return Explanation("Not the store", what, f"mount or plug it in; if it was wiped, {refill}")
    what = f"{about}: another store stands at its place, so nothing was written"
    advice = "bring the right one back, or say what shall be: `firnline questions`"
    return Explanation("Another store", what, advice)


def _untrusted(error: store.UntrustedError, subject: str) -> Explanation:
    about = subject or "the store"
    if error.known is None:
        what = f"{about}: the key of {error.host} is not known here: {error.seen}"
        advice = (
            "compare it with what its owner says; if it is the same, give"
            f" --option fingerprint={error.seen}"
        )
        return Explanation("Unknown server", what, advice)
    what = (
        f"{about}: {error.host} shows another key than before ({error.seen}, and not"
        f" {error.known}), so nothing was sent there"
    )
    advice = "somebody may stand between; ask its owner, and decide: `firnline questions`"
    return Explanation("Another key", what, advice)


def _secret_missing(error: SecretMissingError, subject: str) -> Explanation:
    """The name of a store in the advice is for a command line."""
    import shlex

    account = error.account
    what, advice = _MISSING[error.trouble] if account.store_id else _NOT_GIVEN
    words = {
        "noun": account.noun,
        "what": account.what,
        "name": shlex.quote(account.store),
        "variable": variable_of(account.store),
    }
    return Explanation(
        f"No {account.noun}", _about(subject, what.format(**words)), advice.format(**words)
    )


_NOT_GIVEN = (
    "{what} asks for a {noun}",
    "give it at a terminal, pipe it in with --password-stdin, or set {variable}",
)
_TYPED = "`firnline store edit {name} --password`"
_MISSING = {
    Trouble.UNKNOWN: (
        "{what} asks for a {noun}, and none is kept here",
        f"{_TYPED} asks for it and keeps it; or set {{variable}}",
    ),
    Trouble.NO_KEYRING: (
        "{what} asks for a {noun}, and this session has no keyring that could have it",
        f"set {{variable}} for whatever starts Firnline; or {_TYPED} keeps it in a file that a"
        " passphrase seals",
    ),
    Trouble.LOCKED: (
        "the keyring with the {noun} for {what} is locked",
        "unlock it (to log in at its desktop does so, as a rule); it is tried again by itself",
    ),
    Trouble.SILENT: (
        "the keyring with the {noun} for {what} does not answer",
        "it may be asking something on your screen; it is tried again by itself",
    ),
    Trouble.BROKEN: (
        "the keyring with the {noun} for {what} failed",
        f"log in anew; if it goes on, set {{variable}}, or give the {{noun}} again with {_TYPED}",
    ),
    Trouble.SEALED: (
        "the {noun} for {what} is in the sealed file, which nobody has opened yet",
        "at a terminal every command asks for its passphrase, and `firnline store unlock` opens it"
        " for the Firnline that runs",
    ),
    Trouble.DAMAGED: (
        "the sealed file that may have the {noun} for {what} cannot be read",
        f"bring it back from a backup; or remove it, and give the {{noun}} again with {_TYPED}",
    ),
}


def _busy(error: store.BusyError, subject: str) -> Explanation:
    about = subject or "the store"
    pause = f", and asks to be left alone for {error.seconds:.0f} s" if error.seconds else ""
    what = f"{about} is busy ({error.detail}{pause})"
    return Explanation("Busy", what, _AGAIN)


def _database(error: DatabaseError, subject: str) -> Explanation:
    title, advice = "This device's state", "look at the disk and the file's rights; " + _AGAIN
    if error.fault is DatabaseFault.FULL:
        title = "No space here"
        advice = f"make room on this computer; {_GOES_ON}, and nothing is lost"
    if error.fault is DatabaseFault.DAMAGED:
        advice = "the next sync makes it anew from folder and stores, and deletes nothing"
    return Explanation(title, _about(subject, str(error)), advice)


def _engine_error(error: EngineError, subject: str) -> Explanation:
    return Explanation("Not done", _about(subject, error.what), error.advice)


def _system_error(error: OSError, subject: str) -> Explanation:
    reason = error.strerror or str(error) or type(error).__name__
    place = f"{error.filename}: " if error.filename else ""
    return Explanation("The system refused", _about(subject, f"{place}{reason}"), "")


def _stopped(error: CancelledError, subject: str) -> Explanation:
    what = _about(subject, "stopped before all was done")
    return Explanation("Stopped", what, _GOES_ON)


def _detail(title: str, advice: str = "") -> Callable[[Any, str], Explanation]:
    """For errors of stores and folders: their own text, and what to do."""

    def tell(error: Any, subject: str) -> Explanation:
        text = f"{error.path}: {error.detail}" if error.path else error.detail
        return Explanation(title, _about(subject, text.rstrip(".")), advice)

    return tell


_WORDS: dict[type[BaseException], Callable[[Any, str], Explanation]] = {
    # stores
    ReplacedError: _replaced,
    store.UnavailableError: _words(
        "Not in reach",
        "{subject} cannot be reached ({0.detail})",
        "plug it in or mount it, or look whether its server runs",
    ),
    store.HangingError: _words(
        "Does not answer",
        "{subject} does not answer ({0.detail})",
        "look at its server or disk; if it goes on, mount it anew",
    ),
    store.SlowError: _words(
        "Takes long to answer",
        "{subject} takes its time ({0.detail})",
        "nothing waits for it; it gets what it lacks when it answers",
    ),
    store.NotFoundError: _detail("Missing in the store", _AGAIN),
    store.AlreadyExistsError: _detail("Already there"),
    store.DeniedError: _detail("The store refuses", "look at its rights; " + _AGAIN),
    store.OptionsError: _words(
        "Settings of the store",
        "{subject}: {0.detail}",
        "`firnline store edit {name} --option KEY=VALUE` changes one",
    ),
    store.CredentialsError: _words(
        "Login refused",
        "{subject}: {0.detail}",
        "look at the user in its location, at its password (`firnline store edit {name} --password`"
        " gives a new one) and at its key; it is not tried on and on",
    ),
    SecretMissingError: _secret_missing,
    store.SpentError: _words(
        "Login refused",
        "{subject} has refused this login, so it is not tried any more ({0.detail})",
        "give it the right key or password (`firnline store edit {name} --password`), which is"
        " tried by itself then; `firnline store test {name}` tries this one once more",
    ),
    store.BusyError: _busy,
    store.UntrustedError: _untrusted,
    store.FullError: _words(
        "The store is full",
        "{subject} has no space left ({0.detail})",
        "make room there; what could not be sent waits here for the next sync",
    ),
    store.CorruptError: _detail("Damaged in the store", "other stores are asked for it"),
    store.FutureFormatError: _detail(
        "Of a newer Firnline", "install that version here; nothing was read or written"
    ),
    store.StoreError: _detail("The store failed"),
    store.LocationError: _own_words("No such place"),
    ContentMissingError: _words(
        "Content out of reach",
        "no store in reach has this content ({0.data_hash})",
        "connect the store or the device that has it",
    ),
    # the folder
    folder.NoSpace: _detail("No space here", "make room on this computer; " + _GOES_ON),
    folder.Blocked: _detail("No access", "look at its rights, or close what uses it"),
    folder.NameImpossible: _detail("A name that cannot be", "give it another name"),
    folder.FolderError: _detail("Trouble in the folder"),
    # this device
    ProfileBusy: _own_words("Busy"),
    ConfigError: _own_words("Settings"),
    IdentityError: _words(
        "This device's identity",
        "{0}",
        "restore it from a backup, or remove it to become a new device",
    ),
    DatabaseError: _database,
    MemoryError: _words(
        "No memory", "this computer ran out of memory", "close other programs; " + _GOES_ON
    ),
    ClockBeforeBuildError: _words("The clock", "{0}", "set it right; " + _GOES_ON),
    NowhereToWriteError: _words(
        "No space here", "this computer cannot keep the change ({0})", "make room; " + _GOES_ON
    ),
    CancelledError: _stopped,
    EngineError: _engine_error,
    NotThereError: _own_words("Not there"),
    NotAFileError: _own_words("Not a file"),
    UnknownDeviceError: _own_words("Unknown device"),
    NoConflictError: _own_words("No conflict"),
    NoSuchVersionError: _own_words("No such version"),
    DirectoryThereError: _own_words("A directory is there"),
    BadMomentError: _own_words("No time"),
    OSError: _system_error,
}

_KINDS = {
    # something in the folder
    "unreadable": ("Cannot be read", "look at its rights, or close what uses it; " + _AGAIN),
    "incomplete scan": ("Not all could be read", "look at the lines about what cannot be read"),
    "not unicode": ("A name that cannot be", "give it a name that is valid Unicode"),
    "set aside": ("Kept", "if somebody wrote it, copy it from there; else it can be removed"),
    "other name": ("Another name on this disk", ""),
    "not watched": ("Not watched", "changes are found by a look at everything now and then"),
    "second name": ("Two names for one path", "rename one of the two"),
    "name": ("A name that cannot be", "give it another name"),
    "special": ("Cannot be synced", "hide it in .firnlineignore to have it shown no more"),
    "away": ("A disk is away", "mount it again; what was on it is not taken for deleted"),
    "ignore pattern": ("A pattern that is none", "mend that line; the others hold"),
    # something from the log
    "no space": ("No space here", "make room on this computer; " + _AGAIN),
    "pending": ("Waits for its content", "connect the store or device that has it"),
    "pending event": ("Waits for a store", _AGAIN),
    "refused event": (
        "Refused",
        "it was left alone, and nothing waits for it; if no device of yours wrote it, look at who"
        " can write into the store",
    ),
    "waiting": ("Waits for another event", "connect the stores and devices that have it"),
    "not applied": ("Not brought here", _AGAIN),
    "link outside": ("Link not made", "make it point into the folder"),
    "state damaged": (
        "This device's state was damaged",
        "nothing is to be done: it was made anew from folder and stores, and nothing was deleted",
    ),
    "state older": (
        "This device's state was older than the folder",
        "nothing is to be done: it was made anew from folder and stores, and nothing was deleted",
    ),
    "store refuses": ("The store refuses", "look at its rights and its disk; " + _AGAIN),
    "store full": (
        "The store is full",
        "make room there; what could not be sent waits on this computer for the next sync",
    ),
    "link": ("Link not made", "make it anew where it came from"),
    # stores
    "no source": ("Out of reach", "connect the store or device that has it"),
    "store set back": (
        "The store lost something",
        "`firnline verify --repair` checks all of it; look at its disk if it goes on",
    ),
    "first reading": ("The store went away", "this folder waits for it: " + _AGAIN),
    "suspect store": ("The store is suspect", "look at its disk or server; " + _AGAIN),
    "home store": ("No history here", "look at the space and the rights of its place; " + _AGAIN),
    # this device
    "clock": ("The clock", "set the clock of this computer right"),
}
"""Kinds of `Problem`: title and advice."""
