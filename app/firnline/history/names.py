"""What people call devices, stores and paths, and what these are in the log."""

from collections.abc import Mapping
from dataclasses import dataclass

from firnline.core.paths import normalize
from firnline.sync.context import FolderContext


@dataclass(frozen=True, slots=True)
class Names:
    """Names by id. What has none is shown under its id."""

    devices: Mapping[str, str]
    """DEVICE → name."""
    stores: Mapping[str, str]
    """STOREHASH → name, of the folder's stores but the home store."""

    @classmethod
    def of(cls, context: FolderContext, devices: Mapping[str, str]) -> "Names":
        """With the names of the folder's stores, reached or not."""
        stores = {store.store_id: store.name for store in context.stores}
        stores |= {store.store_id: store.name for store in context.unreached}
        return cls(devices, stores)

    def device(self, device: str) -> str:
        return self.devices.get(device, device)


def settle_path(path: str) -> str:
    """A path as people type it after `FOLDER:`, in the log's form; '' is the folder's root."""
    return normalize(path).strip("/")
