"""Words for everything that can go wrong."""

import ast
import errno
import inspect
from pathlib import Path

import pytest

import firnline
from firnline.config.errors import ConfigSyntaxError
from firnline.config.profile_lock import ProfileBusy
from firnline.engine import problems
from firnline.engine.errors import RefusedError
from firnline.engine.problems import explain, explain_problem, is_known
from firnline.folder import errors as folder_errors
from firnline.folder.walk import SkipKind
from firnline.stores import errors as store_errors
from firnline.stores.errors import DeniedError, FullError, LocationError, StoreError, UntrustedError
from firnline.sync.connection import ReplacedError
from firnline.sync.context import Problem


def classes(module: object, base: type[Exception]) -> list[type[Exception]]:
    found = [each for _, each in inspect.getmembers(module, inspect.isclass)]
    return [each for each in found if issubclass(each, base)]


@pytest.mark.parametrize(
    "kind",
    [
        *(c for c in classes(store_errors, StoreError) if c is not UntrustedError),
        *classes(folder_errors, folder_errors.FolderError),
    ],
)
def test_every_error_of_stores_and_folders_has_words(kind: type[Exception]) -> None:
    """Title, subject and detail are told, on one line."""
    found = explain(kind("some/path", "the reason"), "store nas")
    assert found.title
    assert "nas" in found.line
    assert "the reason" in found.line
    assert is_known(kind("some/path", "the reason"))


@pytest.mark.parametrize("known", [None, "SHA256:before"])
def test_a_key_that_is_not_trusted(known: str | None) -> None:
    """Both fingerprints and the server are named, so that they can be compared."""
    line = explain(UntrustedError("nas:2222", "SHA256:seen", known), "store nas").line
    for fact in ("store nas", "nas:2222", "SHA256:seen", known or ""):
        assert fact in line


ORDERS = ("sync again", "try again", "`firnline sync`")
"""What nobody has to do while `firnline run` is up: it does so by itself."""


def test_words_hold_while_it_runs_by_itself() -> None:
    """The next sync goes on, whoever begins it."""
    for kind, tell in problems._WORDS.items():
        text = inspect.getsource(tell) + str(inspect.getclosurevars(tell).nonlocals)
        assert not any(order in text for order in ORDERS), kind
    assert not any(order in advice for _, advice in problems._KINDS.values() for order in ORDERS)


def test_words_are_one_line_that_ends_with_one_stop() -> None:
    """What happened, then the next step, each a sentence."""
    line = explain(FullError("a/b", "No space left"), "store nas").line
    assert line == (
        "store nas has no space left (No space left). Make room there;"
        " what could not be sent waits here for the next sync."
    )
    assert explain(RefusedError("no"), "").line == "no."


def test_braces_in_names_are_letters() -> None:
    """A name cannot reach into the words."""
    found = explain(DeniedError("{0.__class__}", "{subject}"), "store {0}")
    assert found.what == "store {0}: {0.__class__}: {subject}"
    assert "{0.__class__}" in explain(FullError("", "{0.__class__}"), "store {0}").what


@pytest.mark.parametrize("found", [None, "b" * 16])
def test_replaced_store_says_how_to_go_on(found: str | None) -> None:
    """Wiped or replaced: what to do is named with the store's own name."""
    line = explain(ReplacedError("a" * 16, found), "store nas").line
    assert ("`firnline store refill nas`" in line) is (found is None)
    assert "`firnline questions`" in line
    assert "nothing was written" in line


def test_refilled_store_says_how_to_go_on() -> None:
    """It is this store, and still the user is asked."""
    line = explain(ReplacedError("a" * 16, "a" * 16, refilled=True), "store nas").line
    assert "filled again" in line
    assert "`firnline store refill nas`" in line


@pytest.mark.parametrize(
    "error",
    [
        ProfileBusy(Path("/lock"), 7),
        ConfigSyntaxError("not valid TOML", Path("/c"), 3),
        LocationError("unsupported location"),
        OSError(errno.EACCES, "Permission denied", "/x"),
    ],
)
def test_errors_that_speak_for_themselves(error: Exception) -> None:
    """Their own text is shown."""
    shown = str(error) if not isinstance(error, OSError) else "/x: Permission denied"
    assert shown.rstrip(".") in explain(error).line


def test_mistakes_of_the_program_are_told_apart() -> None:
    """They are not known, and have words all the same."""
    assert not is_known(KeyError("x"))
    assert explain(ZeroDivisionError()).what == "ZeroDivisionError"


def test_problem_names_its_path_once() -> None:
    """The path stands in front, with the folder, and is not repeated."""
    line = explain_problem(Problem("a/b", "unreadable", "a/b: Permission denied"), "docs").line
    assert line.startswith("docs:a/b: Permission denied. ")
    assert line.count("a/b") == 1


def test_problem_of_a_kind_without_words_is_shown() -> None:
    """A kind that nobody described is no reason to hide it."""
    line = explain_problem(Problem("", "odd", "something", "nas"), "docs").line
    assert line.startswith("docs, store nas: something.")


def kinds_in_the_program() -> set[str]:
    """Every kind that a `Problem` is made with anywhere, and those of a scan."""
    found = {str(kind) for kind in SkipKind}
    for file in Path(firnline.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if not isinstance(node, ast.Call) or len(node.args) < 2:
                continue
            called, kind = node.func, node.args[1]
            if isinstance(called, ast.Name) and called.id == "Problem":
                found |= {str(kind.value)} if isinstance(kind, ast.Constant) else set()
    return found


def test_every_kind_of_problem_has_words_and_a_next_step() -> None:
    """Whoever reports a new kind of problem says what to do about it."""
    kinds = kinds_in_the_program() | {"pending event", "refused event"}
    assert len(kinds) > 15
    unknown = explain_problem(Problem("", "of no kind", "reason"), "docs")
    for kind in sorted(kinds):
        found = explain_problem(Problem("a", kind, "the reason", "nas"), "docs")
        assert found.title != unknown.title, f"no words for {kind!r}"
        assert found.advice, f"no next step for {kind!r}"
        assert found.line.startswith("docs:a, store nas: the reason. ")
