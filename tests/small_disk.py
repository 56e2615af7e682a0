"""A disk of a few megabytes that a test can fill to its last byte, and empty again."""

import contextlib
import errno
import os
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

BLOCK = 1 << 16


@dataclass(frozen=True, kw_only=True)
class SmallDisk:
    root: Path

    def fill(self) -> None:
        """Fill the disk until nothing more can be written; what was freed meanwhile as well."""
        with self._filler.open("ab", buffering=0) as file:
            block = BLOCK
            while block:
                try:
                    file.write(bytes(block))
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
                    block //= 2

    def leave(self, size: int) -> None:
        """Fill the disk but for so many bytes."""
        self.fill()
        os.truncate(self._filler, self._filler.stat().st_size - size)

    def free(self) -> None:
        self._filler.unlink(missing_ok=True)

    @property
    def _filler(self) -> Path:
        return self.root / "filler"


@contextlib.contextmanager
def small_disk(megabytes: int) -> Iterator[SmallDisk]:
    """Mount a small disk, on Linux as root; otherwise skip the test."""
    with tempfile.TemporaryDirectory(prefix="faceswap-disk-") as root:
        options = ("-t", "tmpfs", "-o", f"size={megabytes}m", "faceswap-test", root)
        subprocess.run(("mount", *options), check=True, capture_output=True)
        try:
            yield SmallDisk(root=Path(root))
        finally:
            subprocess.run(("umount", "--lazy", root), check=True)


def can_be_made() -> bool:
    try:
        with small_disk(1):
            return True
    except (OSError, subprocess.CalledProcessError):
        return False
