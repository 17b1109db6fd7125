"""Penn Treebank, the language-modelling benchmark, in Mikolov's preprocessing (10,000 words).

The text belongs to the Linguistic Data Consortium and is no part of this library. Its three files are looked for in the
folder `ptb/` of `data_dir`, or of the folder that the environment variable RNNLM_DATA names.
"""

import hashlib
import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rnnlm.data.corpus import read_corpus
from rnnlm.data.vocabulary import Vocabulary
from rnnlm.errors import DataError, InputError

__all__ = ["find", "load_data", "load_vocab", "vocabulary"]

SHA256 = {
    "train": "fcea919f6cf83f35d4d00c6cbf08040d13d4155226340912e2fef9c9c4102cbf",
    "valid": "c9fe6985fe0d4ccb578183407d7668fc6066c20700cb4cf87d8ff1cc34df1bf2",
    "test": "dd65dff31e70846b2a6030a87482edcd5d199130cdcfa1f3dccbb033728deee0",
}
FILES = {part: f"ptb.{part}.txt" for part in SHA256}
DataDir = str | os.PathLike[str] | None


def load_data(
    data_type: str = "train", data_dir: DataDir = None
) -> tuple[NDArray[np.int32], dict[str, int], dict[int, str]]:
    """One part of the corpus as word ids.

    Args:
        data_type: 'train' (929,589 tokens), 'valid' or 'val' (73,760) or 'test' (82,430), `<eos>` included.
        data_dir: the folder that holds `ptb/`; $RNNLM_DATA unless given.

    Returns:
        corpus: (tokens,) int32.
        word_to_id, id_to_word: the vocabulary of the training part, 10,000 words in order of appearance.

    Raises:
        DataError: a file is missing, or is not the published one by its SHA-256.
    """
    part = "valid" if data_type == "val" else data_type
    if part not in FILES:
        raise InputError(f"data_type must be 'train', 'valid' (or 'val') or 'test', got {data_type!r}")
    words = None if part == "train" else vocabulary(data_dir)
    ids, words = read_corpus(find(part, data_dir), words)
    return ids, words.word_to_id, words.id_to_word


def load_vocab(data_dir: DataDir = None) -> tuple[dict[str, int], dict[int, str]]:
    """word_to_id and id_to_word of the training part."""
    words = vocabulary(data_dir)
    return words.word_to_id, words.id_to_word


def vocabulary(data_dir: DataDir = None) -> Vocabulary:
    """The vocabulary of the training part."""
    return read_corpus(find("train", data_dir))[1]


def find(part: str, data_dir: DataDir) -> Path:
    """Path of the file of one part, checked to be the published one; arguments and errors as `load_data`."""
    named = data_dir if data_dir is not None else os.environ.get("RNNLM_DATA")
    if not named:
        raise DataError(f"Penn Treebank: no folder is named; {_remedy('DIR')}")
    folder = Path(named) / "ptb"
    path = folder / FILES[part]
    if not path.is_file():
        raise DataError(f"Penn Treebank: {path} does not exist; {_remedy(os.fspath(named))}")
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != SHA256[part]:
        raise DataError(
            f"Penn Treebank: {path} is not the published file: SHA-256 must be {SHA256[part]}, got {digest}; "
            "get it anew, and leave its line ends as they are"
        )
    return path


def _remedy(folder: str) -> str:
    return (
        f"put {', '.join(FILES.values())} in {Path(folder) / 'ptb'} and name the folder {folder} by --data-dir "
        "or by the environment variable RNNLM_DATA"
    )
