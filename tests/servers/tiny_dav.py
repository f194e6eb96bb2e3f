"""As much of a WebDAV server as a store needs, in memory, for `odd_server`: what goes wrong with
which request is up to the test."""

from collections import Counter
from collections.abc import Callable
from urllib.parse import unquote, urlsplit

from tests.servers.odd_server import Asked, Told, multistatus, resource

ROOT = "/dav"
Trouble = Callable[[Asked, int], Told | None]
"""What is answered instead, given the how-manieth request of its method this is."""


class TinyDav:
    """See `odd_server.Script`."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.directories = {ROOT}
        self.counts: Counter[str] = Counter()
        self.trouble: Trouble = lambda asked, number: None

    def __call__(self, asked: Asked) -> Told:
        self.counts[asked.method] += 1
        told = self.trouble(asked, self.counts[asked.method])
        return told or self.answer(asked)

    def answer(self, asked: Asked) -> Told:
        """Without trouble."""
        path = unquote(asked.path).rstrip("/")
        match asked.method:
            case "PROPFIND":
                return self._properties(path, deep=asked.headers.get("Depth") == "1")
            case "GET" if path in self.files:
                return Told(200, {}, self.files[path])
            case "PUT" if _parent(path) in self.directories:
                self.files[path] = asked.body
                return Told(201)
            case "MKCOL" if path in self.directories:
                return Told(405)
            case "MKCOL" if _parent(path) in self.directories:
                self.directories.add(path)
                return Told(201)
            case "MOVE" if path in self.files:
                return self._move(path, asked)
            case "DELETE":
                return Told(204 if self.files.pop(path, None) is not None else 404)
        return Told(409 if asked.method in ("PUT", "MKCOL") else 404)

    def _move(self, path: str, asked: Asked) -> Told:
        target = unquote(urlsplit(asked.headers["Destination"]).path)
        if _parent(target) not in self.directories:
            return Told(409)
        if target in self.files and asked.headers["Overwrite"] == "F":
            return Told(412)
        self.files[target] = self.files.pop(path)
        return Told(201)

    def _properties(self, path: str, *, deep: bool) -> Told:
        if path in self.files:
            return multistatus(resource(path, size=len(self.files[path])))
        if path not in self.directories:
            return Told(404)
        found = [resource(f"{path}/", directory=True)]
        if deep:
            files = [each for each in self.files if _parent(each) == path]
            found += [resource(each, size=len(self.files[each])) for each in files]
            below = [each for each in self.directories if _parent(each) == path]
            found += [resource(f"{each}/", directory=True) for each in below]
        return multistatus(*found)


def _parent(path: str) -> str:
    return path.rpartition("/")[0]
