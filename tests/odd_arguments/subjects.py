"""Small models, texts and folders to be called with odd arguments."""

import atexit
import shutil
import tempfile
from collections.abc import Callable
from contextlib import chdir
from pathlib import Path
from typing import Any

import numpy as np

from rnnlm import (
    ModelConfig,
    NGram,
    Vocabulary,
    build_model,
    encode_corpus,
    kneser_ney,
    load_model,
    save_model,
    save_ngram,
)
from rnnlm.models.base import Model

V = 5
WORDS = ["<eos>", "<unk>", "a", "b", "c"]
TEXT = "a b c\nb a\nstrange a\n" * 8
PAIRS = "1+1_2\n2+3_5\n"
FOLDER = Path(tempfile.mkdtemp())
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)


def words() -> Vocabulary:
    return Vocabulary(WORDS)


def model(**options: Any) -> Model:
    return build_model(
        ModelConfig(vocab_size=V, **{"wordvec_size": 2, "hidden_size": 3, "dtype": "float64", **options})
    )


def ngram() -> NGram:
    return kneser_ney(ids(), V, 0, 2)


def ids() -> np.ndarray:
    return np.array([2, 3, 4, 0, 3, 2, 0, 1, 2, 0, 2, 2, 3, 0])


def in_scratch(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, run in an empty folder: an odd name of a file may be a good one."""

    def called(**arguments: Any) -> Any:
        with tempfile.TemporaryDirectory() as folder, chdir(folder):
            return function(**arguments)

    return called


(FOLDER / "text").write_text(TEXT)
(FOLDER / "pairs").write_text(PAIRS)
encode_corpus(FOLDER / "text", FOLDER / "text.ids", words())
words().save(FOLDER / "vocab.txt")
save_model(FOLDER / "model", model(), words())
save_ngram(FOLDER / "ngram", ngram(), words())
save_ngram(FOLDER / "ngram.arpa", ngram(), words())
assert load_model(FOLDER / "model")
