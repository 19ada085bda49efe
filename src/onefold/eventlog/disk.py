"""The few things the log asks of a file system, so that a test can let each of them fail."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

_FULL_SYNC = getattr(fcntl, "F_FULLFSYNC", None)  # macOS: its fsync does not reach the disk
_PAGE = 4096
_CANNOT_RESERVE = {errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS, errno.ENODEV}


class Disk:
    """The real file system. Every call may raise `OSError`."""

    def create(self, path: Path) -> int:
        """A new, empty file open for writing, in place of one that is there."""
        path.unlink(missing_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)

    def reserve(self, fd: int, start: int, size: int) -> bool:
        """Claim room on the disk; False where the file system cannot do that."""
        if not hasattr(os, "posix_fallocate"):
            return False
        try:
            os.posix_fallocate(fd, start, size)
        except OSError as error:
            if error.errno in _CANNOT_RESERVE:
                return False
            raise
        return True

    def write(self, fd: int, data: bytes, at: int) -> None:
        """Write all of `data`."""
        view = memoryview(data)
        while view:
            written = os.pwrite(fd, view, at)
            view, at = view[written:], at + written

    def sync(self, fd: int) -> None:
        """Return once what was written is on the disk."""
        if _FULL_SYNC is None:
            os.fdatasync(fd)
        else:
            fcntl.fcntl(fd, _FULL_SYNC)

    def sync_directory(self, path: Path) -> None:
        """Return once the names in this directory are on the disk."""
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    def truncate(self, fd: int, size: int) -> None:
        """Cut the file."""
        os.ftruncate(fd, size)

    def free(self, path: Path) -> int:
        """Bytes that may still be written beside this path."""
        status = os.statvfs(path)
        return status.f_bavail * status.f_frsize

    def read(self, fd: int, count: int, at: int) -> bytes:
        """Bytes from a place, fewer at the end; pages that the disk cannot give are zeros."""
        try:
            return self.read_once(fd, count, at)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
        end = min(at + count, os.fstat(fd).st_size)
        pages: list[bytes] = []
        while at < end:
            stop = min(end, at - at % _PAGE + _PAGE)
            pages.append(self._page(fd, stop - at, at))
            at = stop
        return b"".join(pages)

    def read_once(self, fd: int, count: int, at: int) -> bytes:
        """Bytes from a place, fewer at the end."""
        return os.pread(fd, count, at)

    def _page(self, fd: int, count: int, at: int) -> bytes:
        try:
            return self.read_once(fd, count, at)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            return bytes(count)
