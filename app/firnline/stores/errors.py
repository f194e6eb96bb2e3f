"""What can go wrong with a store.

    StoreError
    ├── UnavailableError       not reached, timed out, broke off: try again later
    │   ├── HangingError       its disk or server answers no more
    │   ├── SlowError          it takes longer than anybody waits for it now; it may answer yet
    │   ├── BusyError          it asks for patience, and may say how much
    │   └── ServerError        it was reached, and failed at this one thing
    ├── NotFoundError          no such file
    ├── AlreadyExistsError     a create-if-absent found one
    ├── DeniedError            the store refuses: rights, read-only
    │   ├── OptionsError       its settings here say nothing that can be done
    │   ├── CredentialsError   it does not take the password or key, or asks for one
    │   │   └── SpentError     it refused them so often that it is not asked any more
    │   └── UntrustedError     its key or certificate is not the one that is trusted
    ├── FullError              no space, quota
    ├── CorruptError           what it delivered cannot be what was written
    ├── FutureFormatError      written by a later version of the program: nothing is read or written
    └── BadStorePathError      a path that no store is asked for

    LocationError              a LOCATION that names no store which this program knows

Each store translates its library's exceptions into these at its edge. An exception carries facts;
`engine.problems` makes titles and advice of them.
"""


class StoreError(Exception):
    """`path` is relative to the store's base ('' for the store itself); `detail` says what the
    library or system said."""

    def __init__(self, path: str, detail: str) -> None:
        super().__init__(path, detail)
        self.path = path
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.path or 'the store'}: {self.detail}"


class UnavailableError(StoreError):
    """Not reached, timed out, or broke off. The only one that is worth a retry."""


class HangingError(UnavailableError):
    """The place is mounted and gives no answer; this process asks it nothing more."""


class SlowError(UnavailableError):
    """It takes longer than whoever asked can wait now. It is no worse for that, and may answer or
    take what it was given yet."""


class BusyError(UnavailableError):
    """The server asks to be left alone for a while: `seconds`, None where it names no time."""

    def __init__(self, path: str, detail: str, seconds: float | None = None) -> None:
        super().__init__(path, detail)
        self.seconds = seconds


class ServerError(UnavailableError):
    """The server was reached and answered, but not what was asked: it may well do other things."""


class NotFoundError(StoreError):
    """There is no such file."""


class AlreadyExistsError(StoreError):
    """A file that was to be created stands there already."""


class DeniedError(StoreError):
    """No permission, or a store that cannot be written."""


class OptionsError(DeniedError):
    """The options of a store's settings say nothing sensible, or nothing that is safe."""


class CredentialsError(DeniedError):
    """The store does not take this user's password or key, or wants one that nobody gave.

    `sent`: the server was shown them and refused, which it may count. `definite`: it said that
    another try is in vain.
    """

    def __init__(
        self, path: str, detail: str, *, sent: bool = True, definite: bool = False
    ) -> None:
        super().__init__(path, detail)
        self.sent = sent
        self.definite = definite


class SpentError(CredentialsError):
    """The store refused these credentials so often that it is not asked before they change."""


class UntrustedError(DeniedError):
    """The server showed a key or certificate that nobody has said is trusted; nothing was sent.

    `seen` is its fingerprint, `known` the one that was trusted until now; None: none was. `host`
    is the server as people write it.
    """

    def __init__(self, host: str, seen: str, known: str | None) -> None:
        what = "shows another key than before" if known else "is not known yet"
        super().__init__("", f"{host} {what}: {seen}")
        self.host = host
        self.seen = seen
        self.known = known


class FullError(StoreError):
    """No space left, or a quota is used up."""


class CorruptError(StoreError):
    """The store delivered something that cannot be what was written."""


class FutureFormatError(StoreError):
    """`path` says a `format` that only a later version of the program knows.

    Nothing of that store or folder is read or written then (docs/design.md section 11, *config*).
    """


class BadStorePathError(StoreError):
    """A path outside the letters and forms that stores are asked for."""


class LocationError(ValueError):
    """A LOCATION that names no store which this program knows; the message says what it knows.

    The message never repeats the location: it may hold a password.
    """
