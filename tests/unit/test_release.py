"""What has to agree before a release."""

import re
from pathlib import Path

import firnline

ROOT = Path(__file__).resolve().parents[2]


def test_changelog_names_the_version():
    """The newest version in the changelog is the version of the package."""
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    versions = re.findall(r"^## \[(.+?)\]", text, re.MULTILINE)
    assert versions[0] == firnline.__version__


def test_packaging_is_no_package():
    """`packaging/` has no `__init__.py`, which would hide the library of that name."""
    assert not (ROOT / "packaging" / "__init__.py").exists()


def test_lock_names_the_public_index_only():
    """Whoever has the lock file can install from it: it names no index but PyPI's."""
    text = (ROOT / "uv.lock").read_text(encoding="utf-8")
    assert set(re.findall(r'registry = "(.*?)"', text)) == {"https://pypi.org/simple"}
    assert "file:" not in text
