"""READ-ME.txt is true: people can get their files out with it alone."""

import subprocess
import sys
import textwrap

from firnline.core.batch import write_manifest
from firnline.core.entry import Change
from firnline.core.event import Op
from firnline.core.hashing import EMPTY_HASH, NO_PARENT, PLAIN
from firnline.stores.read_me import BODY, TEXT


def script() -> str:
    """The lines of the text that are to be saved as unpack.py."""
    lines = TEXT.split("\n")
    start = next(index for index, line in enumerate(lines) if line.startswith("    import json"))
    end = next(index for index in range(start, len(lines)) if not lines[index].strip())
    return textwrap.dedent("\n".join(lines[start:end]))


def put(path: str, body: bytes, offset: int | None) -> Change:
    hashed = PLAIN.data(body)
    return Change(Op.PUT, path, None, NO_PARENT, hashed, len(body), 0, "-", offset)


def test_the_script_unpacks_a_batch(tmp_path):
    """The script writes every content that a batch brings, and nothing outside its folder."""
    gone = Change(Op.DEL, "gone", None, NO_PARENT, EMPTY_HASH, 0, 0, "-", None)
    bodies = {"../out": b"evil", "a.txt": b"one\r\n", "d/\u00e9 \u2028.bin": bytes(range(256))}
    changes, offset = [], 0
    for path, body in bodies.items():
        changes.append(put(path, body, offset))
        offset += len(body)
    batch = tmp_path / "batch"
    manifest = write_manifest([*changes, gone, put("known before", b"elsewhere", None)])
    batch.write_bytes(manifest + b"".join(bodies.values()))
    program = tmp_path / "unpack.py"
    program.write_text(script())
    target = tmp_path / "inner" / "new"
    subprocess.run([sys.executable, "-I", program, batch, target], check=True)
    found = {
        path.relative_to(target).as_posix(): path.read_bytes()
        for path in (tmp_path / "inner").rglob("*")
        if path.is_file()
    }
    assert found == {path: body for path, body in bodies.items() if path != "../out"}


def test_it_can_be_read_everywhere():
    """The text is ASCII in short lines, and says what may not be done here."""
    assert max(map(len, TEXT.split("\n"))) <= 80
    assert TEXT.encode("ascii") == BODY
    assert "do not rename" in TEXT
    for place in ("snapshot/data/", "events/", "eventsindex/", "history/data/"):
        assert place in TEXT
