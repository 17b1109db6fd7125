"""Corpora: text to word ids, and windows of them for training."""

from rnnlm.data import ptb, story
from rnnlm.data.batches import Batches
from rnnlm.data.corpora import Corpus, load_corpus
from rnnlm.data.corpus import read_corpus
from rnnlm.data.encoded import open_corpus
from rnnlm.data.encoding import encode_corpus
from rnnlm.data.vocabulary import Vocabulary

__all__ = [
    "Batches",
    "Corpus",
    "Vocabulary",
    "encode_corpus",
    "load_corpus",
    "open_corpus",
    "ptb",
    "read_corpus",
    "story",
]
