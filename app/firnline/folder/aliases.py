"""Which local names are aliases, and for which names of the log.

A pair holds for the whole folder: a directory that the user moves or copies takes its aliases
along. It is kept before the first file gets the name, and stays; so no crash leaves an alias that
nobody knows. A file of the user's that happens to be called like an alias is no alias, since no
pair says so; where one is there already, the alias is another.
"""

from collections.abc import Callable, Collection, Container, Iterable, Mapping
from itertools import count

from firnline.core.local_names import alias_of
from firnline.core.paths import normalize


class AliasBook:
    """The pairs of one folder."""

    def __init__(
        self,
        pairs: Collection[tuple[str, str]] = (),
        keep: Callable[[str, str], None] = lambda local, name: None,
        in_use: Callable[[str], bool] = lambda local: False,
    ) -> None:
        """`pairs`: local name and name, as kept before. `keep` makes one more durable; `in_use`
        tells whether somewhere in the folder a known file is really called so."""
        self._names = {_key(local): name for local, name in pairs}
        self._locals = {name: local for local, name in pairs}
        self._forgotten: dict[str, tuple[str, str]] = {}
        self._keep = keep
        self._in_use = in_use

    def name_of(self, local: str) -> str | None:
        """The name that `local` stands for; None where it is no alias."""
        key = _key(local)
        found = self._names.get(key)
        if found is None and key in self._forgotten:
            local, found = self._forgotten[key]
            self._add(local, found)
        return found

    def alias_of(self, name: str) -> str | None:
        """The alias of `name`, if it ever needed one."""
        return self._locals.get(name)

    def make(self, name: str, standing: Container[str]) -> str:
        """The alias of `name`, durable. A new one is not among `standing`."""
        local = self._locals.get(name)
        if local is None:
            local = next(free for free in self._possible(name) if free not in standing)
            self._add(local, name)
        return local

    def recall(self, pairs: Mapping[str, str]) -> None:
        """For a device that lost its table: such a local name, where one is met, is that alias."""
        self._forgotten = {_key(local): (local, name) for local, name in pairs.items()}

    def __bool__(self) -> bool:
        return bool(self._names)

    def _possible(self, name: str) -> Iterable[str]:
        for attempt in count():
            local = alias_of(name, attempt)
            if _key(local) not in self._names and not self._in_use(local):
                yield local

    def _add(self, local: str, name: str) -> None:
        self._keep(local, name)
        self._names[_key(local)] = name
        self._locals[name] = local


def _key(local: str) -> str:
    """The same however a file system writes a name: in another Unicode form, in small letters."""
    return normalize(local).lower()
