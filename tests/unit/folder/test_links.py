"""Which links are made."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firnline.folder.links import link_stays_inside

PARTS = ["a", "b", "c"]


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("link", "file"),
        ("link", "a/b/c"),
        ("a/link", "../file"),
        ("a/b/link", "../../c"),
        ("a/b/link", ".././../c"),
        ("a/link", ".."),
        ("link", "."),
        ("link", "a//b/"),
        ("link", "..."),
        ("link", "..a/..b"),
    ],
)
def test_links_inside(path: str, target: str):
    """Relative links that climb no higher than the folder are made."""
    assert link_stays_inside(path, target)


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("link", ""),
        ("link", "/etc/passwd"),
        ("link", "//server/share"),
        ("link", ".."),
        ("link", "../x"),
        ("a/link", "../../x"),
        ("a/link", ".././.."),
        ("a/b/link", "../../../x"),
        ("link", "a/../b"),
        ("a/link", "b/../../.."),
        ("link", "a\0b"),
        ("link", "\\server"),
        ("link", "..\\x"),
        ("link", "C:\\x"),
        ("link", "C:x"),
        ("link", "a\\..\\x"),
        ("link", ".firnline/id"),
        ("a/link", "../.FIRNLINE./id"),
        ("link", ".firnline-tmp-x"),
    ],
)
def test_links_that_lead_out(path: str, target: str):
    """What leads out, could on another system, or leads to what is ours, is not made."""
    assert not link_stays_inside(path, target)


@given(
    links=st.dictionaries(
        st.lists(st.sampled_from(PARTS), min_size=1, max_size=3).map("/".join),
        st.lists(st.sampled_from([*PARTS, "..", "."]), min_size=1, max_size=5).map("/".join),
        max_size=5,
    )
)
def test_links_together_stay_inside(
    tmp_path_factory: pytest.TempPathFactory, links: dict[str, str]
):
    """However many accepted links a way goes through, it ends in the folder."""
    folder = tmp_path_factory.mktemp("links") / "deep/folder"
    folder.mkdir(parents=True)
    for path, target in links.items():
        if link_stays_inside(path, target):
            make(folder, folder / path, target)
    for place in folder.rglob("*"):
        end = os.path.realpath(place)
        assert end == str(folder) or end.startswith(f"{folder}/")


def make(folder: Path, place: Path, target: str) -> None:
    """A link whose parents are real directories, as those that the program makes."""
    current = folder
    for part in place.relative_to(folder).parts[:-1]:
        current /= part
        if current.is_symlink():
            return
        current.mkdir(exist_ok=True)
    if not place.exists() and not place.is_symlink():
        place.symlink_to(target)
