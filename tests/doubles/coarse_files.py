"""A file system whose times are coarse, played on one whose are not."""

import os
import stat

from firnline.folder.handles import Handles


class CoarseFiles(Handles):
    """Times in ticks of `tick_ns`, rounded down as FAT does; what is looked at has such a time."""

    def __init__(self, root: str, tick_ns: int) -> None:
        super().__init__(root)
        self._tick = tick_ns

    def lstat(self, path: str) -> os.stat_result:
        found = super().lstat(path)
        if stat.S_ISREG(found.st_mode) and found.st_mtime_ns % self._tick:
            self.set_times(path, found.st_mtime_ns)
            return super().lstat(path)
        return found

    def set_times(self, path: str, nanoseconds: int) -> None:
        super().set_times(path, nanoseconds // self._tick * self._tick)
