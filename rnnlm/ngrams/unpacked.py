"""A compressed file, which must not become more than a text of n-grams can: a small file may stand for any amount."""

import gzip
import io
import os
from typing import BinaryIO

from rnnlm.errors import ModelFileError

__all__ = ["Unpacked"]

FOLD = 100  # a text of n-grams becomes a tenth, or a quarter, of its size
AT_LEAST = 1 << 20  # bytes that any file may become


class Unpacked(gzip.GzipFile):
    """The content of a gzip file.

    Args:
        path: of the file, to be told.
        packed: it, open.
    """

    def __init__(self, path: str | os.PathLike[str], packed: BinaryIO) -> None:
        super().__init__(fileobj=packed)
        self.path, self.packed, self.found = path, packed, 0

    def read(self, size: int | None = -1) -> bytes:
        """So many bytes, or fewer; as `GzipFile` has it.

        Raises:
            ModelFileError: it has become a hundred times as large.
        """
        return self._counted(super().read(size))

    def readline(self, size: int | None = -1) -> bytes:
        """The rest of a line; as `read`."""
        return self._counted(super().readline(-1 if size is None else size))

    def _counted(self, content: bytes) -> bytes:
        self.found += len(content)
        if self.found > max(AT_LEAST, FOLD * self.packed.seek(0, io.SEEK_CUR)):
            raise ModelFileError(f"{self.path} becomes more than {FOLD} times as large: no text of n-grams does")
        return content
