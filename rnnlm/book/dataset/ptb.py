"""Penn Treebank as in the book, from the user's copy of the book if the files are there."""

from typing import Any

from numpy.typing import NDArray

from rnnlm.book.dataset.own import own, read_array
from rnnlm.book.pickles import load_file
from rnnlm.data.corpora import ptb
from rnnlm.data.corpora.parts import expect_part
from rnnlm.data.text import read_corpus
from rnnlm.data.vocabulary import Vocabulary
from rnnlm.errors import DataError

__all__ = ["load_data", "load_vocab"]


def load_data(data_type: str = "train") -> tuple[NDArray[Any], dict[str, int], dict[int, str]]:
    """Return ids (tokens,) of a part ('train', 'valid' or 'val', 'test'), `word_to_id` and `id_to_word`.

    Read from `ptb.train.txt` and so on beside the book's `ptb.py`, or from what the book made of them, `ptb.train.npy`
    and `ptb.vocab.pkl`; otherwise as `rnnlm.data.ptb` finds them.
    """
    part = expect_part(data_type)
    text, array = own(f"ptb.{part}.txt"), own(f"ptb.{part}.npy")
    if text is None and array is None:
        return ptb.load_data(part)
    words = _words()
    if text is not None:
        ids: NDArray[Any] = read_corpus(text, words)[0]
    else:
        assert array is not None
        ids = read_array(array)
    return ids, words.word_to_id, words.id_to_word


def load_vocab() -> tuple[dict[str, int], dict[int, str]]:
    """Return `word_to_id` and `id_to_word`."""
    words = _words()
    return words.word_to_id, words.id_to_word


def _words() -> Vocabulary:
    """Return the vocabulary of the training part, numbered as in the user's copy if it has a numbering."""
    numbered, text = own("ptb.vocab.pkl"), own("ptb.train.txt")
    if numbered is not None:
        word_to_id, _ = load_file(numbered)
        words = sorted(word_to_id, key=word_to_id.__getitem__)
        if [word_to_id[word] for word in words] != list(range(len(words))):
            raise DataError(f"{numbered} must number its words from 0 on, without gaps")
        return Vocabulary(words)
    return ptb.vocabulary() if text is None else read_corpus(text)[1]
