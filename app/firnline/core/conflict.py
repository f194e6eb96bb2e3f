"""Names of conflict copies (docs/design.md section 3 rule 4 and section 11)."""

from firnline.core.clock import DateTime
from firnline.core.paths import MAX_PART_BYTES, MAX_PATH_BYTES, normalize, split_extension


def conflict_path(path: str, loser_time: DateTime, loser_device: str, marks: int = 1) -> str:
    """Where the losing content of `path` goes: `name (conflict YYYY-MM-DD hh.mm.ss DEVICE).ext`.

    Date and device are the loser's, so that observers with different knowledge choose the same
    name. Only the stem is cut, by whole code points, until the leaf fits 255 bytes and the whole
    path what a path may have. Where the name is in use, the mark is made `marks` times; so many
    that no stem is left to cut may give a path that the grammar refuses.
    """
    directory, slash, leaf = normalize(path).rpartition("/")
    stem, extension = split_extension(leaf)
    t = loser_time
    mark = f" (conflict {t[:4]}-{t[4:6]}-{t[6:8]} {t[8:10]}.{t[10:12]}.{t[12:14]} {loser_device})"
    end = mark * marks + extension
    above = f"{directory}{slash}"
    longest = min(MAX_PART_BYTES, MAX_PATH_BYTES - len(above.encode()))
    return f"{above}{_cut(stem, longest - len(end.encode()))}{end}"


def _cut(stem: str, room: int) -> str:
    while stem and len(stem.encode()) > room:
        stem = stem[:-1]
    return stem
