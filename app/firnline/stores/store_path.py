"""Which paths a store is asked for.

All paths are made by `stores.layout`, so one that is refused here is a programming error or
somebody's attempt to leave the store. The letters are those that every kind of store holds:
docs/design.md section 11 escapes the others in `snapshot/data`, and everything else is
`0-9 a-z _ . -`.
"""

import re

from firnline.stores.errors import BadStorePathError

MAX_PART_BYTES = 255
MAX_BYTES = 1024

# Characters that some store forbids, NUL, drive letters and streams (`:`), lone surrogates; a part
# that ends in a dot or space ('.' and '..' among them); an empty part, which is what a slash at
# either end makes too.
_REFUSED = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"\\|?*\ud800-\udfff]|[. ](?:/|\Z)|\A/|//|/\Z')


def check_store_path(path: str) -> str:
    """`path`, if it may be the path of a file in a store. Raises BadStorePathError."""
    if not path:
        raise BadStorePathError(path, "an empty path")
    return check_store_directory(path)


def check_store_directory(path: str) -> str:
    """`path`, if it may be the path of a directory; the empty string is the store's base."""
    if _REFUSED.search(path) is not None:
        raise BadStorePathError(ascii(path), "a path of other letters or forms than stores hold")
    if len(path) * 4 > MAX_PART_BYTES:
        _check_length(path)
    return path


def _check_length(path: str) -> None:
    encoded = path.encode()
    if len(encoded) > MAX_BYTES or max(map(len, encoded.split(b"/"))) > MAX_PART_BYTES:
        raise BadStorePathError(path, "a path longer than stores hold")
