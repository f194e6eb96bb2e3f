"""What a folder's next job has to look at: requests that come while one runs become one."""

from collections.abc import Iterable

from firnline.sync.scope import Scope


class Wanted:
    """Joins what is asked for, in any order, until it is taken. Used by one thread."""

    def __init__(self) -> None:
        self._paths: set[str] | None = set()
        self._news: dict[str, set[str] | None] | None = {}
        self._asked = False

    def __bool__(self) -> bool:
        return self._asked

    @property
    def hints(self) -> int:
        """How many local paths; 0 where it is everything."""
        return len(self._paths or ())

    def look_at(self, paths: Iterable[str]) -> None:
        """These local paths may have changed."""
        self._asked = True
        if self._paths is not None:
            self._paths.update(paths)

    def take_in(self, store_id: str, names: Iterable[str]) -> None:
        """These event names were seen to arrive in a store."""
        self._asked = True
        if self._news is None:
            return
        known = self._news.setdefault(store_id, set())
        if known is not None:
            known.update(names)

    def list_store(self, store_id: str) -> None:
        """A store may have something new, or lack something."""
        self._asked = True
        if self._news is not None:
            self._news[store_id] = None

    def settle(self) -> None:
        """Nothing new, but what is left is told again."""
        self._asked = True

    def everything(self) -> None:
        """A whole pass."""
        self._asked = True
        self._paths = self._news = None

    def take(self) -> Scope:
        """All that was asked for; afterwards nothing is."""
        paths = None if self._paths is None else frozenset(self._paths)
        news = None if self._news is None else dict(map(_frozen, self._news.items()))
        self._paths, self._news, self._asked = set(), {}, False
        return Scope(paths, news)


def _frozen(item: tuple[str, set[str] | None]) -> tuple[str, frozenset[str] | None]:
    store_id, names = item
    return store_id, None if names is None else frozenset(names)
