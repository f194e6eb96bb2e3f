"""Secrets on their way in: from standard input, from a person at the terminal, from a caller.

None ever stands in an argument, where every user of the computer could read it, and none that is
typed is shown.
"""

import os
import shlex
import sys
from argparse import Namespace
from enum import Enum, auto

from firnline.cli import output
from firnline.cli.opening import inside_of
from firnline.config.places import Places
from firnline.config.redaction import learn
from firnline.credentials.account import Account, variable_of
from firnline.credentials.errors import ShelfError, Trouble, WrongPassphraseError
from firnline.credentials.sealed_file import SealedFile
from firnline.credentials.system_keyring import SystemKeyring
from firnline.credentials.vault import Credentials, Kept, Outcome
from firnline.engine.errors import RefusedError, UsageError
from firnline.engine.store_secrets import SecretMissingError
from firnline.engine.system import SystemClock
from firnline.stores.errors import CredentialsError

MOST_BYTES = 4096
"""No password is longer."""
SHORTEST_PASSPHRASE = 8
"""Characters."""
PASSPHRASE = "Passphrase of the file with your passwords: "
_TIMES = 3
_FORGOTTEN = (
    "There is no way around it: without it, remove the file, and give the passwords anew with"
    " `firnline store edit NAME --password`."
)


def make_credentials(places: Places) -> Credentials:
    """Those of a profile, with this computer's keyring."""
    return Credentials(
        SystemKeyring(str(places.config_file.parent), SystemClock().monotonic),
        SealedFile(places.sealed_secrets),
        environment=os.environ,
        learn=learn,
    )


# --- what came with a command -------------------------------------------------------------------


def secret_given(arguments: Namespace) -> str | None:
    """The secret that came with a command: by standard input, typed because `--password` asks for
    it, or from the caller; None where none did. It is read once, however often it is asked for.

    Raises UsageError.
    """
    if arguments.given is None and inside_of(arguments) is None:
        if arguments.password_stdin:
            arguments.given = from_standard_input("Password: ")
        elif arguments.password:
            arguments.given = _typed_anew(f"New password of store {output.shown(arguments.name)}: ")
    found: str | None = arguments.given
    return found


def passphrase_given(arguments: Namespace) -> str:
    """Of the file of secrets. Raises UsageError where none can be had."""
    if inside_of(arguments) is not None or not output.can_ask():
        advice = "give it at a terminal, or pipe it in with --password-stdin"
        raise UsageError("the passphrase is wanted", advice)
    return checked(output.ask_hidden(PASSPHRASE) or "")


def from_standard_input(question: str) -> str:
    """One line of text. A person at a terminal is asked, and does not see it. Raises UsageError."""
    if sys.stdin is None:
        raise UsageError("there is no standard input to read the password from")
    if sys.stdin.isatty():
        return checked(output.ask_hidden(question) or "")
    data = sys.stdin.buffer.read(MOST_BYTES + 3)
    data = data.removesuffix(b"\n").removesuffix(b"\r")
    if len(data) > MOST_BYTES:
        raise UsageError("what comes on standard input is too long for a password")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise UsageError("what comes on standard input is no UTF-8, so no password") from error
    return checked(text)


def checked(secret: str) -> str:
    """Raises UsageError for what was given by mistake; the message has nothing of it."""
    if not secret:
        raise UsageError("the password is empty", "type it, or pipe it in with --password-stdin")
    if set(secret) & set("\0\r\n"):
        raise UsageError("a password is one line of text, and this was more")
    return secret


def _typed_anew(question: str) -> str:
    if not output.can_ask():
        raise UsageError("there is no terminal to ask on", "pipe it in with --password-stdin")
    return checked(output.ask_hidden(question) or "")


# --- what is missing ----------------------------------------------------------------------------


def question_of(error: SecretMissingError) -> str:
    """Without control characters: the words are from the settings."""
    account = error.account
    noun = f"{account.noun[:1].upper()}{account.noun[1:]}"
    return f"{noun} for {output.shown(account.what)}: "


def answered(credentials: Credentials, error: CredentialsError) -> bool:
    """Ask for what a store wants; True when it is worth another attempt."""
    if not isinstance(error, SecretMissingError):
        return False
    if error.trouble is Trouble.SEALED:
        return opened(credentials)
    tell_why(error)
    secret = output.ask_hidden(question_of(error))
    if not secret:
        return False
    credentials.give(error.account, secret)
    return True


def tell_why(error: SecretMissingError) -> None:
    """Before a person is asked for what they may have given long ago."""
    why = {
        Trouble.LOCKED: "The keyring is locked, so it does not tell the password.",
        Trouble.SILENT: "The keyring does not answer, so it does not tell the password.",
        Trouble.BROKEN: "The keyring failed, so it does not tell the password.",
    }.get(error.trouble)
    if why is not None:
        output.message(why)


class Asked(Enum):
    """Whether a command that failed for want of a secret is to be carried out again."""

    NOBODY = auto()
    """Nobody could be asked, or that was not the trouble."""
    ANSWERED = auto()
    """A person gave a secret: again with it."""
    BY_CALLER = auto()
    """The caller asks, and gives the command again."""


def ask_again(arguments: Namespace, error: Exception) -> Asked:
    """Ask for the secret without which a command could not be carried out."""
    inside = inside_of(arguments)
    if isinstance(error, SecretMissingError):
        arguments.question = question_of(error)
    elif not (isinstance(error, CredentialsError) and arguments.question):
        return Asked.NOBODY
    if inside is not None:
        if inside.wanted is None or arguments.given is not None:
            return Asked.NOBODY
        inside.wanted(arguments.question)
        return Asked.BY_CALLER
    if not output.can_ask() or arguments.times_asked == _TIMES:
        return Asked.NOBODY
    if arguments.times_asked:
        output.message(f"{output.shown(str(error.detail))}. Try again.")
    arguments.times_asked += 1
    arguments.given = output.ask_hidden(arguments.question) or None
    return Asked.NOBODY if arguments.given is None else Asked.ANSWERED


# --- the file that a passphrase seals -----------------------------------------------------------


def opened(credentials: Credentials) -> bool:
    """Whether the file is open now; a wrong passphrase may be typed three times. Raises
    RefusedError for a file that is none."""
    for _ in range(_TIMES):
        passphrase = output.ask_hidden(PASSPHRASE)
        if not passphrase:
            return False
        try:
            credentials.open_file(passphrase)
        except WrongPassphraseError:
            output.message("This is not its passphrase.")
        except ShelfError as error:
            raise refusal(error) from error
        else:
            return True
    output.message(_FORGOTTEN)
    return False


def open_file(credentials: Credentials, passphrase: str) -> None:
    """Raises RefusedError for a wrong passphrase, and for a file that is none."""
    try:
        credentials.open_file(passphrase)
    except WrongPassphraseError as error:
        what = "this is not the passphrase of the file with your passwords"
        raise RefusedError(what, _FORGOTTEN.rstrip(".")) from error
    except ShelfError as error:
        raise refusal(error) from error


def refusal(error: ShelfError) -> RefusedError:
    """The file of secrets cannot be used."""
    advice = "bring it back from a backup; or remove it, and give the passwords anew"
    return RefusedError(str(error), advice)


def new_passphrase() -> str | None:
    """Typed twice; None when they do not want to, or could not."""
    for _ in range(_TIMES):
        passphrase = output.ask_hidden("New passphrase for that file: ")
        if not passphrase:
            return None
        if len(passphrase) < SHORTEST_PASSPHRASE:
            output.message(f"It needs {SHORTEST_PASSPHRASE} characters at least.")
        elif output.ask_hidden("Once more: ") == passphrase:
            return passphrase
        else:
            output.message("These were not the same.")
    return None


# --- what became of it --------------------------------------------------------------------------


def settled(
    arguments: Namespace, credentials: Credentials, account: Account, outcome: Outcome | None
) -> bool:
    """Say where the secret of a store is kept, after asking what may be asked; False when it is
    kept nowhere, which leaves something to do."""
    variable = variable_of(account.store)
    if credentials.in_environment(account.store) is not None:
        output.message(f"Its {account.noun} comes from {variable}, wherever Firnline is started.")
        if outcome is not None:
            output.message(f"While {variable} is set, it goes before the one that was given now.")
        return True
    if outcome is not None and outcome.kept is Kept.MEMORY and _may_ask(arguments):
        outcome = _kept_in_file(credentials, account, outcome)
    match None if outcome is None else outcome.kept:
        case Kept.KEYRING:
            output.message(f"Its {account.noun} is in the keyring.")
        case Kept.FILE:
            place = output.shown(str(credentials.file.path))
            output.message(f"Its {account.noun} is sealed in {place}.")
        case Kept.MEMORY:
            assert outcome is not None
            output.message(_not_kept(arguments, account, outcome))
            return inside_of(arguments) is not None
    return True


def _may_ask(arguments: Namespace) -> bool:
    return inside_of(arguments) is None and output.can_ask()


def _kept_in_file(credentials: Credentials, account: Account, before: Outcome) -> Outcome:
    """In the file that a passphrase seals, if they want one."""
    output.message(f"{_WHY[before.trouble or Trouble.NO_KEYRING]}.")
    if credentials.file.exists():
        if not opened(credentials):
            return before
    else:
        question = f"Keep the {account.noun} in a file that a passphrase seals? Type yes for that: "
        passphrase = new_passphrase() if output.ask(question) == "yes" else None
        if passphrase is None:
            return before
        try:
            credentials.create_file(passphrase)
        except ShelfError as error:
            raise refusal(error) from error
    return credentials.keep_given(account) or before


_WHY = {
    Trouble.NO_KEYRING: "There is no keyring in this session",
    Trouble.LOCKED: "The keyring is locked",
    Trouble.SILENT: "The keyring does not answer",
    Trouble.BROKEN: "The keyring failed",
    Trouble.SEALED: "There is no keyring here, and the file with your passwords is not open",
    Trouble.DAMAGED: "There is no keyring here, and the file with your passwords cannot be used",
    Trouble.UNKNOWN: "There is no keyring in this session",
}


def _not_kept(arguments: Namespace, account: Account, outcome: Outcome) -> str:
    why = _WHY[outcome.trouble or Trouble.NO_KEYRING]
    name = output.shown(shlex.quote(account.store))
    if inside_of(arguments) is not None:
        held = f"{why}, so the Firnline that runs holds the {account.noun} until it ends."
        if outcome.trouble is Trouble.SEALED:
            return f"{held} `firnline store unlock` opens the file, and keeps it there."
        return f"{held} {variable_of(account.store)} in its environment would outlast that."
    return (
        f"{why}, so the {account.noun} was not kept. Set {variable_of(account.store)} for whatever"
        f" starts Firnline; or `firnline store edit {name} --password`, at a terminal, keeps it in"
        " a file that a passphrase seals."
    )
