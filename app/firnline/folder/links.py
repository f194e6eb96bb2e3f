"""Which symbolic links are made: relative ones that stay inside the folder.

Pure. A link from the log is a text that somebody else chose; one that leads out would have
programs that follow it read and write anywhere (docs/design.md section 2, `lnk`).
"""

from firnline.core.paths import is_own_name


def link_stays_inside(path: str, target: str) -> bool:
    """True when a link at `path` with the text `target` cannot lead out of the folder.

    Relative, and no more steps up than the link is deep. Steps up stand only at the beginning:
    in `a/..` the `a` may be another link, harmless by itself, from which `..` leads anywhere.
    Backslashes and drives count as what they are on Windows, wherever the link is made.
    """
    if not target or "\0" in target or target[1:2] == ":":
        return False
    return all(_inside(path, text) for text in {target, target.replace("\\", "/")})


def _inside(path: str, target: str) -> bool:
    if target.startswith("/"):
        return False
    up = 0
    named = False
    for part in target.split("/"):
        if part in ("", "."):
            continue
        if part != "..":
            named = True
            if is_own_name(part):
                return False
        elif named:
            return False
        else:
            up += 1
    return up <= path.count("/")
