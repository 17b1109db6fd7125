"""Reading columns of a CSV file, one of them as a text, a line per row."""

import csv
import os
import re
from collections.abc import Iterator, Sequence

from rnnlm.checks import did_you_mean
from rnnlm.errors import DataError
from rnnlm.opening import LONGEST_LINE, lines_within

__all__ = ["fields_of", "rows_of"]

END = "end"  # a row of its own, after the last line of a file in which all quotes are closed
LINE_END = re.compile("\r\n|\r|\n")


class _Ended:
    """Lines, and `END` after them.

    Attributes:
        ended: whether that has been read.
    """

    def __init__(self, lines: Iterator[str]) -> None:
        self.lines, self.ended = lines, False

    def __iter__(self) -> Iterator[str]:
        yield from self.lines
        self.ended = True
        yield END


def rows_of(path: str | os.PathLike[str], column: str) -> Iterator[tuple[int, str]]:
    """Yield for each row the number of its last line and its text in a column; line ends within it become blanks.

    Args:
        path: a UTF-8 file whose first row has the column names.
        column: name of the column.

    Raises:
        DataError: no such column (the message suggests the nearest name) or two of them, a row without it, a quote that
            is not closed, or not UTF-8.
    """
    for number, (field,) in fields_of(path, [column]):
        yield number, LINE_END.sub(" ", field.rstrip("\r\n"))


def fields_of(path: str | os.PathLike[str], columns: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    """Yield for each row the number of its last line and its fields in some columns; errors are those of `rows_of`."""
    csv.field_size_limit(LONGEST_LINE)
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            lines = _Ended(lines_within(file, path, DataError))
            reader = csv.reader(lines)
            names = next(reader)
            if lines.ended and names != [END]:
                raise DataError(f"{path}, line 1: a quote in this row is not closed")
            names = [] if lines.ended else names  # an empty file
            for column in columns:
                if column not in names:
                    hint = did_you_mean(column, names, cutoff=0.4)
                    if len(names) == 1 and column in re.split("[\t;|]", names[0]):
                        hint = ": its fields must be separated by commas"
                    raise DataError(f"{path} has the columns {', '.join(names) or '(none)'}, and no {column!r}{hint}")
                if names.count(column) > 1:
                    raise DataError(f"{path} must have one column {column!r}, and has {names.count(column)}")
            places, begun = [names.index(column) for column in columns], reader.line_num
            for row in reader:
                if lines.ended:
                    if row != [END]:
                        raise DataError(f"{path}, line {begun + 1}: a quote in this row is not closed")
                    return
                begun = reader.line_num
                if row and (len(row) <= max(places) or any(row[len(names) :])):
                    quote = "" if len(row) < len(names) else ": put a text with commas between double quotes"
                    raise DataError(
                        f"{path}, line {reader.line_num}: a row must have {len(names)} fields, got {len(row)}{quote}"
                    )
                if row:
                    yield reader.line_num, [row[place] for place in places]
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8: {error}; convert it first, as with iconv -t UTF-8") from error
    except csv.Error as error:
        raise DataError(f"{path} is not a CSV file: {error}") from error
