"""Which directories may not be inside one another."""

from pathlib import Path

import pytest
from tests.doubles.profile import Profile

from firnline.engine.errors import RefusedError
from firnline.engine.folder_commands import create_folder
from firnline.engine.nesting import Place, refuse_nesting


def test_folders_stores_and_profile_stay_apart(anna: Profile, nas: Path) -> None:
    """Neither inside nor around nor the same, also through a link."""
    anna.add_store("nas", nas)
    link = anna.base / "link"
    link.symlink_to(nas)
    with anna.engine() as engine:
        create_folder(engine, str(anna.folder), None, [])
        used = [anna.folder, nas, link, anna.places.state, anna.base / "profile"]
        for path in used:
            for place in Place.FOLDER, Place.STORE:
                with pytest.raises(RefusedError):
                    refuse_nesting(engine, place, path / "inside")
                with pytest.raises(RefusedError):
                    refuse_nesting(engine, place, path)
        for place in Place.FOLDER, Place.STORE:
            with pytest.raises(RefusedError):
                refuse_nesting(engine, place, anna.base.parent)
            refuse_nesting(engine, place, anna.base / "Documents2")


def test_itself_is_no_obstacle(anna: Profile, nas: Path) -> None:
    """A store may be where it is already."""
    anna.add_store("nas", nas)
    with anna.engine() as engine:
        refuse_nesting(engine, Place.STORE, nas, "nas")
