"""Hostile paths wherever a path can stand in a store: items 1 to 33.

As target of an event, source of a move, name and target of a link, member of a batch and its hint,
body of `eventsindex`, name and place in configs, directory names under `stores`, `connections` and
`devices`, and in hints. Snapshots, their names and the records of history are not read by this
version: here they only lie about, and their readers get rows of their own with them.
"""

import json
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest
from blake3 import blake3
from tests.scenario.forging import member, plant_manifest, write
from tests.scenario.hostile.paths import NO_TEXT, PATHS, Hostile, Verdict
from tests.scenario.hostile.victim import Victim

from firnline.core.event import LINK, Op
from firnline.core.hashing import PLAIN, PathHash, base32hex
from firnline.core.paths import quoted


def _forge(victim: Victim, lines: list[bytes], bodies: bytes = b"") -> str:
    ordered = sorted(lines, key=_path_of)
    manifest = b"".join(ordered)
    return plant_manifest(victim.store, manifest, bodies, time=victim.time(), layout=victim.layout)


def _path_of(line: bytes) -> str:
    return str(json.loads(line)["path"])


def _singles(victim: Victim, texts: dict[str, str]) -> list[str]:
    """Every kind of event of its own; `texts`: the path for each."""
    parent = victim.plant(Op.PUT, "honest source.txt", b"honest")
    content = {"body": b"honest"}
    return [
        victim.plant(Op.PUT, texts["put"], b"pwned"),
        victim.plant(Op.LNK, texts["lnk"], b"mine.txt"),
        victim.plant(Op.MKD, texts["mkd"]),
        victim.plant(Op.DEL, texts["del"]),
        victim.plant(Op.RMD, texts["rmd"]),
        victim.plant(Op.MOV, texts["mov"], content["body"], source=texts["mov"] + "?"),
        victim.plant(Op.MOV, f"to {parent[:4]} of mov", b"x", source=texts["from"]),
        victim.plant(Op.MOV, texts["link moved"], b"mine.txt", source="honest", flags=LINK),
        victim.plant(Op.CPY, texts["cpy"], content["body"], source="honest source.txt"),
    ]


PLACES = ("put", "lnk", "mkd", "del", "rmd", "mov", "from", "link moved", "cpy")


@pytest.mark.parametrize(
    "hostile",
    [each for each in PATHS if each.verdict is Verdict.REFUSED],
    ids=lambda hostile: hostile.id,
)
def test_refused(victim: Victim, tried: Counter[str], hostile: Hostile) -> None:
    """Every event whose path is refused has a line with its name, its path, the reason and the
    next step. A batch with one such path falls as a whole, wherever the path stands in it."""
    text = hostile.text
    singles = [] if hostile.item == 22 else _singles(victim, dict.fromkeys(PLACES, text))
    batches = _batches(victim, text)
    tried["hostile inputs"] += len(singles) + len(batches)
    shown = [problem["message"] for problem in victim.attacked()]
    assert len(shown) == len(singles) + len(batches)
    for name in (*singles, *batches):
        (message,) = [message for message in shown if name in message]
        # What is longer than any path is not even read.
        assert quoted(text)[:60] in message or (name in singles and len(text) > 4096)
        assert message.startswith("docs, store nas: ")
        assert "left alone" in message or "tries it again" in message, "the next step"
    assert not [path for path in victim.tree() if "pwn" in path or "honest.txt" in path]


def _batches(victim: Victim, text: str) -> list[str]:
    honest, pwn = member("honest.txt"), {"hash": PLAIN.data(b"pwn"), "size": 3}
    return [
        _forge(victim, [member(text, **pwn), honest], b"pwn"),
        _forge(victim, [member(text, op="del", offset=None), honest]),
        _forge(victim, [member(text, op="mkd", offset=None), honest]),
        _forge(victim, [member(text, op="lnk", **pwn), honest], b"pwn"),
        _forge(victim, [member("to.txt", op="mov", offset=None, **{"from": text})]),
        _forge(victim, [member("to.txt", offset=None, **{"from": text}, **pwn)]),
    ]


@pytest.mark.parametrize(
    "hostile",
    [each for each in PATHS if each.verdict is not Verdict.REFUSED],
    ids=lambda hostile: hostile.id,
)
def test_odd_names(victim: Victim, tried: Counter[str], hostile: Hostile) -> None:
    """Names that only look odd arrive letter by letter, from every kind of event, and nothing
    decodes, folds or runs them. What systems litter directories with is not synced."""
    text = hostile.text
    victim.plant(Op.PUT, text, b"odd")
    _forge(victim, [member(f"b/{text}", hash=PLAIN.data(b"odd"), size=3)], b"odd")
    victim.plant(Op.LNK, f"l/{text}", b"k")
    source = victim.plant(Op.PUT, f"s/{text}", b"moved")
    moved = PLAIN.event(source)[:10]
    victim.plant(Op.MOV, f"m/{text}", b"moved", source=f"s/{text}", parent=moved)
    tried["hostile inputs"] += 5
    assert victim.attacked(code=0) == []
    odd = {text: "odd", f"b/{text}": "odd", f"l/{text}": "k", f"m/{text}": "moved"}
    expected = {} if hostile.verdict is Verdict.HIDDEN else odd
    tree = victim.tree()
    assert {p: tree[p] for p in tree if p not in ("mine.txt", "mine too.txt", "theirs.txt")} == (
        expected
    )
    victim.run("log", "docs")
    victim.run("ls", "docs", "--recursive")
    if expected:
        victim.run("cat", f"docs:{text}")
        assert victim.out == "odd"


def test_link_targets(victim: Victim, tried: Counter[str]) -> None:
    """A link is made when it stays inside, letter by letter; any other has a line, and the file
    that somebody writes through it afterwards goes nowhere else."""
    links = {
        f"{place}-{number}": hostile.text
        for number, hostile in enumerate(PATHS)
        for place in ("link", "a/deeper/link")
    }
    for place, text in links.items():
        victim.plant(Op.LNK, place, text.encode("utf-8", "surrogatepass"))
        victim.plant(Op.PUT, f"{place}/through.txt", b"through")
    tried["hostile inputs"] += len(links)
    problems, tree = victim.attacked(), victim.tree()
    for place, text in links.items():
        made = [found for path, found in tree.items() if path.startswith(f"{place} (conflict ")]
        told = [p["kind"] for p in problems if p["path"].startswith(f"{place} (conflict ")]
        assert (made, told) in (([text], []), ([], ["link outside"]), ([], ["link"])), place
        assert tree[f"{place}/through.txt"] == "through"


@pytest.mark.parametrize("name", NO_TEXT)
def test_paths_that_are_no_text(victim: Victim, tried: Counter[str], name: str) -> None:
    """Bytes that are no UTF-8 are no path: not by their own hash, not in a manifest, not as the
    text of a link."""
    raw = NO_TEXT[name]
    path_hash = base32hex(blake3(raw).digest(16), 128)
    write(victim.store / victim.layout.index(PLAIN.path("wrong")), raw)
    event = victim.plant(Op.PUT, "honest", b"pwned")
    forged = event.replace(PLAIN.path("honest"), path_hash)
    write(victim.store / victim.layout.index(PathHash(path_hash)), raw)
    write(victim.store / victim.layout.event(forged), b"pwned")
    line = member("@", hash=PLAIN.data(b"pwned"), size=5).replace(b"@", raw)
    plant_manifest(victim.store, line, b"pwned", time=victim.time(), layout=victim.layout)
    victim.plant(Op.LNK, "link", raw)
    tried["hostile inputs"] += 3
    problems = victim.attacked()
    assert sorted(problem["kind"] for problem in problems) == [
        "link", "pending event", "refused event",
    ]  # fmt: skip
    assert victim.tree()["honest"] == "pwned"
    assert "link" not in victim.tree()


def test_everywhere_else(victim: Victim, tried: Counter[str]) -> None:
    """As a name in any directory of a store, as the body of an index, in configs, records and
    hints, such a text is data that is left alone or shown."""
    laid = sum(_lay_out_names(victim, hostile.text) for hostile in PATHS)
    for number, hostile in enumerate(PATHS):
        laid += _lay_out_texts(victim, hostile.text, number)
    tried["hostile inputs"] += laid
    kinds = Counter(problem["kind"] for problem in victim.attacked())
    assert kinds == {"pending event": len(PATHS)}, "events whose path is not that of its hash"
    available = victim.run("folder", "available")
    refused = victim.err.count("Other stores are asked for it")
    assert (available.count("not here"), refused) == (len(PATHS) - 6, 6), "none is hidden"
    victim.run("store", "list")
    victim.run("log", "docs")


def _lay_out_names(victim: Victim, text: str) -> int:
    """Files that are called so, where a file can be; how many."""
    if "/" in text or "\0" in text or text in ("", ".", ".."):
        return 0
    laid = 0
    for place in (
        f"stores/{text}/is_current",
        f"stores/{text}/config",
        f"connections/{text}/late_20261122080000000000",
        f"connections/0123456789abcdef/{text}",
        f"devices/{text}",
        f"{text}/config",
        f"{text}-01234567/config",
        f"{victim.layout.root}/events/{text}/{text}",
        f"{victim.layout.root}/events/20261122/{text}",
        f"{victim.layout.root}/eventsindex/{text}",
        f"{victim.layout.root}/stores/{text}/has",
        f"{victim.layout.root}/snapshot/base/{text}",
        f"{victim.layout.root}/snapshot/items/{text}/names",
        f"{victim.layout.root}/snapshot/data/{text}",
        f"{victim.layout.root}/history/invert/202611/{text}",
        f"{victim.layout.root}/history/data/{text}",
    ):
        # Too long or no Unicode: then nobody else can lay it there either.
        with suppress(OSError, UnicodeEncodeError):
            write(victim.store / place, b"pwned")
            laid += 1
    return laid


def _lay_out_texts(victim: Victim, text: str, number: int) -> int:
    """Files that hold the text where a name or a path is expected; how many."""
    own = f"{number:08}"
    folder = {"encrypted": False, "folder_id": own * 2, "folder_name": text}
    store = {
        "folders": [],
        "kind": text,
        "location": text,
        "minor": False,
        "name": text,
        "rating": 50,
        "store_id": own * 2,
    }
    device = {"name": text, "system": text, "version": text}
    both = {"format": 1, "revision": 2}
    raw = text.encode("utf-8", "surrogatepass")
    bodies = {
        f"evil-{own}/config": json.dumps(folder | both).encode(),
        f"stores/{own * 2}/config": json.dumps(store | both).encode(),
        f"devices/{own}": json.dumps(device).encode(),
        f"connections/{own * 2}/late_20261122080000000001": raw + b"\n",
        f"{victim.layout.root}/stores/{own * 2}/has": raw,
    }
    for place, body in bodies.items():
        write(victim.store / place, body)
    victim.plant(Op.PUT, f"index-{number}", b"honest")
    index = victim.store / victim.layout.index(PLAIN.path(f"index-{number}"))
    Path(index).write_bytes(raw)
    return len(bodies) + 1
