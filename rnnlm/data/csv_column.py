"""Reading one column of a CSV file as a text, one line per row."""

import csv
import os
from collections.abc import Iterator
from difflib import get_close_matches

from rnnlm.errors import DataError
from rnnlm.opening import LONGEST_LINE, lines_within

__all__ = ["rows_of"]


def rows_of(path: str | os.PathLike[str], column: str) -> Iterator[tuple[int, str]]:
    """Yield for each row the number of its last line and its text in a column; line ends within it become blanks.

    Args:
        path: a UTF-8 file whose first row has the column names.
        column: name of the column.

    Raises:
        DataError: no such column (the message suggests the nearest name), a row without it, not CSV, or not UTF-8.
    """
    csv.field_size_limit(LONGEST_LINE)
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(lines_within(file, path, DataError))
            names = next(reader, [])
            if column not in names:
                near = get_close_matches(column, names, 1, cutoff=0.4)
                hint = f"; did you mean {near[0]}?" if near else ""
                raise DataError(f"{path} has the columns {', '.join(names) or '(none)'}, and no {column!r}{hint}")
            place = names.index(column)
            for row in reader:
                if row and len(row) <= place:
                    raise DataError(
                        f"{path}, line {reader.line_num}: a row must have {len(names)} fields, got {len(row)}"
                    )
                if row:
                    yield reader.line_num, " ".join(row[place].splitlines())
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8: {error}; convert it first, as with iconv -t UTF-8") from error
    except csv.Error as error:
        raise DataError(f"{path} is no CSV file: {error}") from error
