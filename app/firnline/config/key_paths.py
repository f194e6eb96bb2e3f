"""How a key of a TOML file is named, in the program and in messages to people."""

import re

KeyPath = tuple[str | int, ...]
"""Names from the top down; an int is the place of an element in an array, from 0."""

_BARE = re.compile("[A-Za-z0-9_-]+")


def dotted(path: KeyPath) -> str:
    """`path` as a person would write it: `stores."my nas".location`, `folders.photos.stores[1]`."""
    text = ""
    for name in path:
        if isinstance(name, int):
            text += f"[{name}]"
        else:
            text += ("." if text else "") + (name if _BARE.fullmatch(name) else quoted(name))
    return text


def quoted(text: str) -> str:
    """`text` in quotes for a message; what a terminal could obey, and a long end, is not shown."""
    shown = text if len(text) <= 100 else f"{text[:99]}…"
    return '"' + "".join(c if c.isprintable() else _escaped(c) for c in shown) + '"'


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
