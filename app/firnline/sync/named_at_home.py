"""Contents that this device's events name and do not bring, kept in the home store while two
lasting stores are not known to have them (docs/design.md section 4, *The home store*).

A move says nothing of its content but the hash. While the store that has it is the only one, and a
later change here takes the last file with it away, that content hangs on one disk. So it is kept
in the home store's history beside the event, as shared blocks where the file system can, until the
event goes from there.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from firnline.core.event import Kind
from firnline.core.hashing import DataHash
from firnline.folder.errors import FolderError
from firnline.stores.layout import is_data_hash
from firnline.sync.behind import has_content
from firnline.sync.bodies import Bodies, ContentMissingError, descriptor_of
from firnline.sync.context import Connected, FolderContext


class AtRisk(NamedTuple):
    """A content that an event in the home store names."""

    event: int
    data_hash: DataHash
    path: str
    """Where that event put it in the folder."""


def contents_at_risk(context: FolderContext) -> list[AtRisk]:
    """Those that two lasting stores are not known to have in an event; none where the home store
    keeps all, or where there are not two lasting stores."""
    known = context.state.stores.ids()
    lasting = [store.store_id for store in context.stores if not store.minor]
    lasting += [store.store_id for store in context.unreached if not store.minor]
    if context.keep_all or len(lasting) < 2:
        return []
    attached = [store_id for store_id in lasting if store_id in known]
    return list(map(AtRisk._make, context.state.stores.named_at_risk(attached)))


def keep_named(context: FolderContext) -> None:
    """Bring what is at risk into the home store. What nobody in reach has is left out.

    Raises StoreError when the home store fails.
    """
    bodies = Bodies(context)
    for item in contents_at_risk(context):
        context.check_cancelled()
        place = context.layout.history(item.data_hash)
        if context.home.store.size(place) is None and not _clone(context, item, place):
            _copy(context, bodies, item.data_hash, place)


def _clone(context: FolderContext, item: AtRisk, place: str) -> bool:
    """From the folder's file, by sharing its blocks; False where that cannot be."""
    row = context.state.files.get(item.path)
    if row is None or row.kind is not Kind.FILE or row.data_hash != item.data_hash:
        return False
    digest = context.hasher.running()
    try:
        with (
            descriptor_of(context, row.local or row.path) as descriptor,
            context.home.store.upload() as upload,
        ):
            if not upload.clone(descriptor):
                return False
            for chunk in upload.read_back():
                digest.update(chunk)
            if digest.data_hash() != item.data_hash:
                return False
            upload.flush()
            upload.commit(place)
    except FolderError:
        return False
    return True


def _copy(context: FolderContext, bodies: Bodies, data_hash: DataHash, place: str) -> None:
    def write(chunks: Iterator[bytes]) -> None:
        with context.home.store.upload() as upload:
            for chunk in chunks:
                context.check_cancelled()
                upload.write(chunk)
            upload.flush()
            upload.commit(place)

    try:
        bodies.copy(data_hash, write, context.home.store.free_space())
    except ContentMissingError:
        return


def unsafe_events(context: FolderContext, lasting: Iterable[Connected]) -> set[int]:
    """Events in the home store that name a content which not two of these stores have, looked up
    there: they stay, and their content with them."""
    found: dict[DataHash, bool] = {}
    stores = list(lasting)
    unsafe: set[int] = set()
    for item in contents_at_risk(context):
        if item.data_hash not in found:
            found[item.data_hash] = _stands_twice(context, stores, item.data_hash)
        kept = context.home.store.size(context.layout.history(item.data_hash)) is not None
        if kept and not found[item.data_hash]:
            unsafe.add(item.event)
    return unsafe


def _stands_twice(context: FolderContext, stores: list[Connected], data_hash: DataHash) -> bool:
    return sum(has_content(context, connected, data_hash) for connected in stores) >= 2


def drop_named(context: FolderContext) -> None:
    """Remove the contents that no event in the home store names any more.

    May run beside a pass: what an event names that is booked meanwhile is brought after this.
    Raises StoreError when the home store fails.
    """
    store, root = context.home.store, f"{context.layout.root}/history/data"
    directories = [each.name for each in store.list(root) if each.is_directory]
    if not directories:
        return
    with context.state.transaction("drop named contents"):
        named = context.state.stores.named_by_held()
        for directory in directories:
            for listed in list(store.list(f"{root}/{directory}")):
                if is_data_hash(listed.name) and listed.name not in named:
                    store.delete(f"{root}/{directory}/{listed.name}")
