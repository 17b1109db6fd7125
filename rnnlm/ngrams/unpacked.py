"""gzip files with a limit on their expansion: a small malicious file may expand to any size."""

import gzip
import io
import os
from typing import BinaryIO

from rnnlm.errors import ModelFileError

__all__ = ["Unpacked"]

FOLD = 100  # texts of n-grams are compressed to a tenth or a quarter
AT_LEAST = 1 << 20  # bytes that any file may expand to


class Unpacked(gzip.GzipFile):
    """The decompressed content of a gzip file.

    Args:
        path: path of the file, for errors.
        packed: the open file.
    """

    def __init__(self, path: str | os.PathLike[str], packed: BinaryIO) -> None:
        super().__init__(fileobj=packed)
        self.path, self.packed, self.found = path, packed, 0

    def read(self, size: int | None = -1) -> bytes:
        """Read up to `size` bytes, as `GzipFile.read`.

        Raises:
            ModelFileError: the content is more than 100 times as large as the file.
        """
        return self._counted(super().read(size))

    def readline(self, size: int | None = -1) -> bytes:
        """Read the rest of a line; errors are those of `read`."""
        return self._counted(super().readline(-1 if size is None else size))

    def _counted(self, content: bytes) -> bytes:
        self.found += len(content)
        if self.found > max(AT_LEAST, FOLD * self.packed.seek(0, io.SEEK_CUR)):
            raise ModelFileError(f"{self.path} becomes more than {FOLD} times as large: no text of n-grams does")
        return content
