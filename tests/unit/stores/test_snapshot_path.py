"""Where frozen files stand, docs/design.md section 11, *snapshot/data*."""

import unicodedata
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firnline.core.hashing import PLAIN
from firnline.stores.layout import FolderId, FolderLayout, SnapshotId
from firnline.stores.snapshot_path import data_path, escape
from firnline.stores.store_path import check_store_path

FOLDER = FolderLayout("a", FolderId("0123456789abcdef"))
SNAPSHOT = SnapshotId("00000042abcdef")


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ("plain.txt", "plain.txt"),
        ("Größe 雪.txt", "Größe 雪.txt"),
        ("100%", "100%25"),
        ('a<b>c:d"e\\f|g?h*i', "a%3Cb%3Ec%3Ad%22e%5Cf%7Cg%3Fh%2Ai"),
        ("line\nbreak\x7f", "line%0Abreak%7F"),
        ("\x85", "%C2%85"),
        ("dots...", "dots..%2E"),
        (" space ", " space%20"),
        ("CON", "%43%4F%4E"),
        ("nul.tar.gz", "%6E%75%6C.tar.gz"),
        ("aux .txt", "%61%75%78 .txt"),
        ("COM1", "%43%4F%4D%31"),
        ("com\u00b9.x", "%63%6F%6D%C2%B9.x"),
        ("CONIN$", "%43%4F%4E%49%4E%24"),
        ("console", "console"),
        ("COM10", "COM10"),
        (".con", ".con"),
    ],
)
def test_escape(part, expected):
    """What some store cannot hold is written as %XX for each of its bytes, all else as it is."""
    assert escape(part) == expected


@given(st.text(st.characters(exclude_characters="/", exclude_categories=["Cs"]), min_size=1))
def test_escaped_parts_can_be_held(part):
    """Any part becomes one that stores hold, and no two parts become the same."""
    made = escape(part)
    assert unquote(made, errors="strict") == part
    if len(made.encode()) <= 255:
        check_store_path(made)


def test_data_path():
    """8 characters before a directory are of its own path; SNAPID and 8 are before the file."""
    inner, whole = PLAIN.path("docs/2026")[:8], PLAIN.path("docs/2026/report.pdf")[:8]
    outer = PLAIN.path("docs")[:8]
    assert data_path(FOLDER, SNAPSHOT, "docs/2026/report.pdf", PLAIN) == (
        f"a-01234567/snapshot/data/{outer}_docs/{inner}_2026/{SNAPSHOT}_{whole}_report.pdf"
    )


@given(
    st.lists(
        st.text(st.characters(exclude_characters="/", exclude_categories=["Cs"]), min_size=1),
        min_size=1,
        max_size=8,
    )
)
def test_every_data_path_can_be_held(parts):
    """Whatever people call their files, the path is one that stores hold, and not too long."""
    path = unicodedata.normalize("NFC", "/".join(parts))
    made = data_path(FOLDER, SNAPSHOT, path, PLAIN)
    check_store_path(made)
    assert len(made.removeprefix("a-01234567/").encode()) <= 200


def test_long_data_path():
    """A path of more than 200 bytes from `snapshot/` on stands in `long`, under its whole hash."""
    short = "a" * (200 - len(f"snapshot/data/{SNAPSHOT}_12345678_"))
    assert data_path(FOLDER, SNAPSHOT, short, PLAIN).endswith(f"_{short}")
    long = f"{short}a"
    assert data_path(FOLDER, SNAPSHOT, long, PLAIN) == (
        f"a-01234567/snapshot/data/long/{SNAPSHOT}_{PLAIN.path(long)}"
    )
