"""The corpus of an experiment: its parts, as streams or as sentences."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnlm.data.corpora.named import BUILT_IN, Corpus, load_corpus
from rnnlm.data.rare_words import RareUnknown, rare_words, words_of_training
from rnnlm.data.sentences import Sentences
from rnnlm.data.sources import tokens_of
from rnnlm.data.tokens import Tokens
from rnnlm.data.vocabulary import Vocabulary
from rnnlm.data.windows import Windows
from rnnlm.errors import DataError, InputError
from rnnlm.experiments.settings import TrainConfig
from rnnlm.progress import say

__all__ = ["Texts", "load"]


@dataclass(frozen=True)
class Texts:
    """The texts and the vocabulary of an experiment.

    Attributes:
        train, valid, test: each a stream of ids, or `Sentences`; None if there is no such part.
        vocabulary: the words.
        floors: the lowest perplexity that a model can be expected to reach on each part, where it is known.
        rare: ids of words that are randomly read as `<unk>` in training, or None.
    """

    train: Any
    valid: Any
    test: Any
    vocabulary: Vocabulary
    floors: Mapping[str, float]
    rare: NDArray[np.intp] | None = None

    def windows(self, config: TrainConfig) -> Windows:
        """Return the windows to train on."""
        windows = config.make_batches(self.train)
        if self.rare is None or not self.rare.size:
            return windows
        return RareUnknown(windows, self.rare, self.vocabulary, config.unk_rate, config.model.seed)

    def frequencies(self, unk_rate: float) -> NDArray[np.float64]:
        """Return how often each word is trained on in an epoch, (V,): expected values where words become `<unk>`."""
        counts = np.zeros(len(self.vocabulary))
        for piece in _ids_of(self.train).pieces():
            counts += np.bincount(piece, minlength=len(counts))
        if self.rare is not None:
            counts[self.rare] -= unk_rate
            counts[self.vocabulary.unk_id] += unk_rate * self.rare.size
        return counts

    def digests(self) -> dict[str, str]:
        """Return a digest of each part and of the vocabulary, to recognise changed texts."""
        parts = {"train": self.train, "valid": self.valid, "test": self.test}
        found = {name: _ids_of(part).digest() for name, part in parts.items() if part is not None}
        return {**found, "vocabulary": hashlib.sha256(self.vocabulary.to_bytes()).hexdigest()[:32]}


def _ids_of(part: Any) -> Tokens:
    """Return the ids of a part."""
    return part.ids if isinstance(part, Sentences) else tokens_of("ids", part)


def load(config: TrainConfig) -> tuple[Texts, TrainConfig]:
    """Load the texts; returns them and the settings, in which `evaluate` is off if nothing can be held out. Without
    `evaluate`, words numbered after the last one of the train part are dropped from the vocabulary.

    Raises:
        DataError, InputError: no such corpus, or it is too short.
    """
    corpus = load_corpus(config.corpus, config.data_dir, config.max_words, config.text)
    corpus = replace(corpus, vocabulary=corpus.vocabulary.read_by(config.text))
    if config.text.sentences:
        texts, config = _in_sentences(corpus, config)
    else:
        train = corpus.train[: config.max_tokens]
        texts = Texts(train, corpus.valid, corpus.test, corpus.vocabulary, corpus.floors)
        texts = _with_unknown_words(texts) if _has_unknown_words(config, corpus) else texts
        if config.evaluate and min(len(corpus.valid), len(corpus.test)) < 2:
            raise DataError(
                f"{config.corpus} is too short to hold out a tenth of it: take --no-evaluate, --sentences or more text"
            )
    return texts if config.evaluate else replace(texts, vocabulary=_words_in_use(texts)), config


def _has_unknown_words(config: TrainConfig, corpus: Corpus) -> bool:
    """Whether rare words are to be read as `<unk>`: for a text file, whose vocabulary is built from it."""
    own = config.corpus not in BUILT_IN and not isinstance(corpus.train, Tokens)
    return bool(own and config.unk_rate and corpus.vocabulary.unk_id is not None)


def _with_unknown_words(texts: Texts) -> Texts:
    """Return the texts in the train part's own vocabulary, whose rare words will be read as `<unk>` at random."""
    (train, valid, test), words = words_of_training(texts.train, [texts.valid, texts.test], texts.vocabulary)
    return replace(texts, train=train, valid=valid, test=test, vocabulary=words, rare=rare_words(train, words))


def _in_sentences(corpus: Corpus, config: TrainConfig) -> tuple[Texts, TrainConfig]:
    """Return the parts of a corpus as sentences; with too few lines to hold any out, all of them are for training."""
    words = corpus.vocabulary
    if words.eos_id is None:
        raise DataError(f"{config.corpus} has no <eos> among its words: it has no lines that could stand alone")
    parts = [corpus.train[: config.max_tokens], corpus.valid, corpus.test]
    valid, test = (_sentences(part, words.eos_id) for part in parts[1:])
    if not config.evaluate or (valid is not None and test is not None):
        return Texts(Sentences(parts[0], words.eos_id), valid, test, words, {}), config
    if config.lr_rule == "halving" or config.optimizer == "asgd":
        raise InputError(
            "lr_rule halving and optimizer asgd need valid perplexities, and there are too few lines in "
            f"{config.corpus} to hold some out"
        )
    whole = np.concatenate([np.asarray(part) for part in (corpus.train, corpus.valid, corpus.test)])
    whole = whole[: config.max_tokens]
    if _sentences(whole, words.eos_id) is None:
        at_most = "" if config.max_tokens is None else f" in its first {config.max_tokens} tokens (max_tokens)"
        raise DataError(f"{config.corpus} must have a line with at least one word, and has none{at_most}")
    say(f"{config.corpus} has too few lines to hold some out: all are trained on, and nothing is evaluated")
    return Texts(Sentences(whole, words.eos_id), None, None, words, {}), replace(config, evaluate=False)


def _sentences(part: Any, eos: int) -> Sentences | None:
    try:
        return Sentences(part, eos)
    except DataError:  # no line with a word
        return None


def _words_in_use(texts: Texts) -> Vocabulary:
    """Return the words up to the last one in the train part; all of them for byte pairs, which build on each other."""
    words = texts.vocabulary
    if words.reading.options.units == "bpe":
        return words
    ids = texts.train.ids if isinstance(texts.train, Sentences) else tokens_of("train", texts.train)
    last = max(int(piece.max()) for piece in ids.pieces())
    return Vocabulary(words.words[: last + 1], words.reading)
