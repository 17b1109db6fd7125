"""Questions and answers of the book: additions and dates.

`addition.txt` and `date.txt` are read from the user's copy of the book; without one they are generated
(`rnnlm.data.additions`, `rnnlm.data.dates`).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnlm.book.dataset.own import own
from rnnlm.data.corpora.made_pairs import additions, dates
from rnnlm.data.pairs import read_pairs
from rnnlm.errors import DataError

__all__ = ["get_vocab", "load_data"]

MADE = {"addition.txt": additions, "date.txt": dates}
Part = tuple[NDArray[Any], NDArray[Any]]

char_to_id: dict[str, int] = {}  # of all files loaded so far
id_to_char: dict[int, str] = {}


def load_data(file_name: str = "addition.txt", seed: int | None = 1984) -> tuple[Part, Part]:
    """Load questions (count, T) and answers (count, T' + 1) as character ids: a training part, and a tenth for testing.

    Args:
        file_name: name of a file with a "question_answer" on each line.
        seed: seed of the order; None for that of the file.

    Raises:
        DataError: no such file, or a line that is not a question and an answer.
    """
    path = own(file_name)
    if path is None and file_name not in MADE:
        raise DataError(f"{file_name} is not in the folder dataset/ of the book; made are {', '.join(MADE)}")
    pairs = MADE[file_name]() if path is None else read_pairs(path)
    for character in pairs.characters:
        id_to_char.setdefault(char_to_id.setdefault(character, len(char_to_id)), character)
    ids = np.array([char_to_id[character] for character in pairs.characters])
    train, test = ((ids[part.questions], ids[part.answers]) for part in pairs.split(seed))
    return train, test


def get_vocab() -> tuple[dict[str, int], dict[int, str]]:
    """Return the characters of all files loaded so far, `char_to_id` and `id_to_char`."""
    return char_to_id, id_to_char
