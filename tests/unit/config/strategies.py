"""Hypothesis strategies for settings, and for files as people write them."""

from pathlib import Path

from hypothesis import strategies as st

from firnline.config.names import check_folder_name, check_store_name
from firnline.config.schema import HomeKeep, LogLevel
from firnline.config.settings import FolderSettings, Settings, StoreSettings

random_ids = st.text(alphabet="0123456789abcdefghijklmnopqrstuv", min_size=16, max_size=16)


def _allowed(check, name):
    try:
        check(name)
    except ValueError:
        return False
    return True


_any_name = st.text(min_size=1, max_size=12) | st.sampled_from(
    ["nas", 'a"b', "é", "-x", "a.b", "#"]
)
store_names = _any_name.filter(lambda name: _allowed(check_store_name, name))
folder_names = _any_name.filter(lambda name: _allowed(check_folder_name, name))
_path_parts = st.text(
    st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=8
).filter(lambda part: part not in (".", ".."))
paths = st.lists(_path_parts, min_size=1, max_size=3).map(lambda parts: Path("/", *parts))
locations = st.lists(
    st.text(st.characters(exclude_characters="/", exclude_categories=["Cs", "Cc"]), min_size=1),
    min_size=1,
    max_size=3,
).map(lambda parts: "/" + "/".join(parts))


@st.composite
def stores(draw):
    """One store."""
    return StoreSettings(
        name=draw(store_names),
        location=draw(locations.filter(lambda location: "://" not in location)),
        store_id=draw(random_ids),
        rating=draw(st.integers(0, 100)),
        minor=draw(st.booleans()),
        options={},
    )


@st.composite
def folders(draw, names=()):
    """One folder, in some of the stores called `names`."""
    chosen = st.lists(st.sampled_from(list(names)), unique=True) if names else st.just([])
    return FolderSettings(
        name=draw(folder_names),
        folder_id=draw(random_ids),
        path=draw(paths),
        stores=tuple(draw(chosen)),
        paused=draw(st.booleans()),
    )


@st.composite
def settings(draw):
    """Whole settings, as a file could hold them."""
    some_stores = draw(
        st.lists(
            stores(), max_size=3, unique_by=(lambda s: s.name.casefold(), lambda s: s.store_id)
        )
    )
    names = [store.name for store in some_stores]
    unique = (lambda f: f.name, lambda f: f.folder_id, lambda f: str(f.path))
    return Settings(
        device_name=draw(folder_names),
        home_keep=draw(st.sampled_from(HomeKeep)),
        poll_interval=draw(st.integers(5, 86_400)),
        copier_grace=draw(st.integers(0, 86_400)),
        upload_limit=draw(st.just(0) | st.integers(1024, 10**12)),
        download_limit=draw(st.just(0) | st.integers(1024, 10**12)),
        log_level=draw(st.sampled_from(LogLevel)),
        log_size=draw(st.integers(10_000, 10**9)),
        log_count=draw(st.integers(1, 100)),
        stores=tuple(some_stores),
        folders=tuple(draw(st.lists(folders(names), max_size=3, unique_by=unique))),
    )
