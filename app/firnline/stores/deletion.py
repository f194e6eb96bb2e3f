"""Many files deleted: at once where a store can, one after the other where it cannot."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from firnline.stores.base import Store


@runtime_checkable
class DeletesMany(Protocol):
    """A store on which many deletions are on their way at once."""

    def delete_many(self, paths: Sequence[str]) -> None:
        """As `Store.delete` of each; after an error any of them may be gone."""
        ...


def delete_many(store: Store, paths: Sequence[str]) -> None:
    """Remove files; that one is gone already is no error. Raises StoreError."""
    if isinstance(store, DeletesMany):
        store.delete_many(paths)
        return
    for path in paths:
        store.delete(path)
