"""Reading lines in memory that does not grow with the text: long lines come in pieces, where units allow it."""

import os
from codecs import BOM_UTF8
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from rnnlm.data.encoded_header import MAGIC
from rnnlm.data.vocabulary import LONGEST_WORD
from rnnlm.errors import DataError
from rnnlm.opening import LONGEST_LINE

GZIP = b"\x1f\x8b"  # the first bytes of such a file

__all__ = ["Advance", "EndOfPiece", "expect_text", "raw_lines"]

READ = 1 << 14  # bytes at once: what is computed from them stays in the cache
Advance = Callable[[int], object]
EndOfPiece = Callable[[bytes], int]


def expect_text(path: str | os.PathLike[str]) -> None:
    """Check that a path is that of a file, a pipe or a terminal.

    Raises:
        DataError: it is not.
    """
    if not Path(path).is_file() and not Path(path).is_fifo() and not Path(path).is_char_device():
        raise DataError(f"{path} {'is not a file' if Path(path).exists() else 'does not exist'}")


def raw_lines(
    path: str | os.PathLike[str], advance: Advance | None, end_of_piece: EndOfPiece | None
) -> Iterator[tuple[int, bytes, bool]]:
    """Yield for each line its number from 1, its UTF-8 bytes without line feed, and whether the line ends there.

    Args:
        path: path of a text.
        advance: called with the size in bytes of each line after its use.
        end_of_piece: returns where to split the beginning of a line of more than 16 KiB, or 0 for nowhere; None to keep
            lines whole.

    Raises:
        DataError: not a file, bytes that are not UTF-8, or a line or word that is too long.
    """
    expect_text(path)
    first, start = 1, 0  # number of the line and offset of the byte that a piece begins with
    with open(path, "rb") as file:
        for content, ends in _pieces(path, file, end_of_piece):
            lines = content.removesuffix(b"\n").split(b"\n")
            feed = content.endswith(b"\n")  # the file's last line may lack one
            strange, place = not _is_text(content), start
            if not start and content.startswith(BOM_UTF8):
                lines[0], place = lines[0].removeprefix(BOM_UTF8), len(BOM_UTF8)
            for number, line in enumerate(lines, first):
                if strange:
                    _expect_utf8(path, line, number, place)
                    place += len(line) + 1
                yield number, line, ends
                if advance is not None:
                    advance(len(line) + feed)
            start += len(content)
            first += ends * len(lines)


def _pieces(
    path: str | os.PathLike[str], file: BinaryIO, end_of_piece: EndOfPiece | None
) -> Iterator[tuple[bytes, bool]]:
    """Yield a text in pieces, each whole lines or part of one line, and whether the piece ends a line."""
    longest, what = (LONGEST_LINE, "line") if end_of_piece is None else (LONGEST_WORD, "word")
    rest, before = b"", 0
    while more := file.read1(max(READ, len(rest))):  # type: ignore[attr-defined]
        content = rest + more
        end = content.rfind(b"\n") + 1
        if not end and end_of_piece is not None and len(content) >= READ:
            end = end_of_piece(content)
        rest = content[end:]
        if len(content) > longest:  # else nothing in it can be too long
            for number, line in enumerate(content.split(b"\n"), before + 1):
                if _is_too_long(line, longest, end_of_piece):
                    raise DataError(
                        f"{path}, line {number}: a {what} must have at most {longest:,} bytes: is this a text? Break "
                        "it into lines or words, as with fold -s"
                    )
        if end:
            before += content.count(b"\n", 0, end)
            yield content[:end], content.endswith(b"\n", 0, end)
    if rest:
        yield rest, True


def _is_too_long(line: bytes, longest: int, end_of_piece: EndOfPiece | None) -> bool:
    """Return whether a line has a stretch of more than `longest` bytes that can't be split."""
    start = 0
    while len(line) - start > longest:
        end = 0 if end_of_piece is None else end_of_piece(line[start : start + longest + 1])
        if not end:
            return True
        start += end
    return False


def _is_text(content: bytes) -> bool:
    """Whether it is UTF-8."""
    try:
        content.decode()
        return True
    except UnicodeDecodeError:
        return False


def _expect_utf8(path: str | os.PathLike[str], line: bytes, number: int, start: int) -> None:
    """Check that a line, which begins at byte `start` of the file, is UTF-8."""
    try:
        line.decode()
    except UnicodeDecodeError as error:
        if not start and line.startswith(MAGIC.partition(b"\n")[0]):
            raise DataError(f"{path} is an encoded corpus, and here a text is needed") from error
        if not start and line.startswith(GZIP):
            raise DataError(f"{path} is compressed with gzip: unpack it first, as with zcat FILE > TEXT") from error
        raise DataError(
            f"{path} is not UTF-8: line {number}, byte {start + error.start} of the file "
            f"({line[error.start]:#04x}): {error.reason}; convert it first, as with iconv -t UTF-8"
        ) from error
