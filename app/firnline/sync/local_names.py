"""Names that this device's file system cannot hold: the folder is opened so that all seem to fit.

Nothing here touches the log. What a name is called on this disk is kept in the folder's state
before any file is called so (docs/decisions/0007). All modules that this takes are loaded only
where there is such a file system: most runs need none.
"""

from typing import TYPE_CHECKING

from firnline.core.paths import parent_of
from firnline.folder.filesystem import Root
from firnline.folder.walk import SkipKind
from firnline.sync.context import OTHER_NAME, FolderContext, Problem

if TYPE_CHECKING:
    from firnline.core.local_names import Limits
    from firnline.folder.aliased import Aliased

_FACT = "names"
"""The fact that holds what the folder's file system can hold, and which one that was."""


class LocalNames:
    """The aliases of one pass. On a file system that holds every name there are none, and nothing
    is done."""

    def __init__(self, context: FolderContext, *, look: bool = True) -> None:
        """Gives `context` a root above which all names can be held; to be asked again at each pass.

        `look` False: as the last pass had it, for commands that only read, also where the folder is
        not there.
        """
        self._context = context
        self._access: Aliased | None = None
        self.elsewhere = look and context.root.volume() != _known(context)[0]
        """The folder is on another file system than it was: no name is as it was there."""
        limits = _limits(context) if look else _read(_known(context)[1])
        pairs = context.state.aliases.pairs()
        if limits is not None or pairs:
            self._wrap(limits, pairs)

    def _wrap(self, limits: "Limits | None", pairs: list[tuple[str, str]]) -> None:
        from firnline.core.local_names import Limits
        from firnline.folder.aliased import Aliased
        from firnline.folder.aliases import AliasBook

        context = self._context
        state = context.state

        def keep(local: str, name: str) -> None:
            with state.transaction("alias"):
                state.aliases.add(local, name)

        self._limits = limits or Limits()
        self._book = AliasBook(pairs, keep, state.aliases.is_real)
        root = context.root
        inner = root.access.inner if isinstance(root.access, Aliased) else root.access
        self._access = Aliased(inner, context.steps, self._limits, self._book)
        context.root = Root(root.path, steps=context.steps, access=self._access)
        context.root.ahead_ns = root.ahead_ns
        context.root.ahead_ns = root.ahead_ns

    def name_of(self, local: str) -> str:
        """The name by which the folder is asked for a local one: that of an alias is the log's."""
        if self._access is None:
            return local
        return self._book.name_of(local) or local

    def told_again(self, problem: Problem) -> bool:
        """True for what `tidy` tells of names in walked directories, if it still holds."""
        if self._access is None or problem.kind not in (OTHER_NAME, SkipKind.SECOND_NAME):
            return False
        return parent_of(problem.path) in self._access.walked

    def recall(self) -> None:
        """A device without its table takes its own aliases for what they were, and not for new
        files. To be asked when the log is known, and before the first scan."""
        state = self._context.state
        if self._access is None or self._book or not state.files.is_empty():
            return
        from firnline.core.local_names import alias_of

        names = state.aliases.real_names()
        pairs = {alias_of(name): name for name in names}
        self._book.recall({local: name for local, name in pairs.items() if local not in names})

    def tidy(self, *, complete: bool) -> list[Problem]:
        """Give names back where that is possible now; what is left is told, as a notice.

        `complete`: all of the folder was looked at, so that aliases nobody saw are not there.
        """
        access, state = self._access, self._context.state
        if access is None:
            return []
        access.tidy(state.aliases.first_event)
        if complete and self._limits.holds_all and not access.in_use and not access.seconds:
            with state.transaction("aliases"):
                state.aliases.clear()
        problems = [Problem(path, SkipKind.SECOND_NAME, _SECOND) for path in sorted(access.seconds)]
        return problems + [
            Problem(path, OTHER_NAME, self._message(local, path))
            for path in sorted(access.in_use)
            if (local := access.local_path(path)) is not None
        ]

    def _message(self, local: str, path: str) -> str:
        name = path.rpartition("/")[2]
        why = self._limits.objection(name)
        if why is None:
            other = self._rival(path, name)
            why = (
                "it takes this name for that of another file"
                if other is None
                else (f"it takes this name and {other!r} for one")
            )
        return f"is called {local.rpartition('/')[2]!r} on this disk, since {why}"

    def _rival(self, path: str, name: str) -> str | None:
        directory = parent_of(path)
        key = self._limits.key(name)
        names = sorted(self._context.root.names(directory))
        return next((n for n in names if n != name and self._limits.key(n) == key), None)


_SECOND = (
    "this was the name here of another file, which has its own name again: it is not synced under"
    " this one"
)


_HOLDS_ALL = "-"


def _limits(context: FolderContext) -> "Limits | None":
    """As remembered, or tried out where the folder is on another file system than it was; None
    where every name can be held."""
    volume = context.root.volume()
    known, text = _known(context)
    if known != volume:
        from firnline.folder.probing import probe, to_text

        found = probe(context.root)
        text = _HOLDS_ALL if found.holds_all else to_text(found)
        with context.state.transaction("names"):
            context.state.set_fact(_FACT, f"{volume} {text}")
    return _read(text)


def _known(context: FolderContext) -> tuple[str, str]:
    """The file system that was tried out last, and what it can hold."""
    volume, _, text = (context.state.fact(_FACT) or f" {_HOLDS_ALL}").partition(" ")
    return volume, text


def _read(text: str) -> "Limits | None":
    if text == _HOLDS_ALL:
        return None
    from firnline.folder.probing import from_text

    return from_text(text)
