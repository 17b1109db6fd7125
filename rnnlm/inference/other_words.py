"""A predictor in the words of another model."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnlm.backend import ops
from rnnlm.checks import instance_of
from rnnlm.data.vocabulary import EOS, UNK, Vocabulary
from rnnlm.errors import InputError
from rnnlm.inference.predictor import Predictor, expect_predictor, rows_of, start_of

__all__ = ["InOtherWords", "in_words_of", "log_softmax"]


def in_words_of(predictor: Predictor, own: Vocabulary, words: Vocabulary) -> Predictor:
    """The predictor, whose words are `own`, as one of `words`, which are matched by name; itself if they are the same.

    Raises:
        InputError: a word that one of the two has not, and no `<unk>` to take its place; texts read in different ways.
    """
    size = expect_predictor("predictor", predictor)
    for name, vocabulary in (("own", own), ("words", words)):
        instance_of(name, vocabulary, Vocabulary)
    for name in ("units", "lower", "strip_punctuation", "ascii_only", "leave_out"):
        ours, theirs = (getattr(vocabulary.reading.options, name) for vocabulary in (words, own))
        if ours != theirs:
            raise InputError(f"models that are mixed must read texts alike, and {name} is {ours!r} and {theirs!r}")
    for here, there, whose in ((own, words, "the other model"), (words, own, "the first model")):
        lacking = [word for word in there.words if word not in here]
        if EOS in lacking:
            raise InputError(f"{whose} has no {EOS}, and the other one has: they read different texts")
        if lacking and here.unk_id is None:
            raise InputError(
                f"{whose} has no {UNK} to stand for {lacking[0]!r}, one of {len(lacking):,} words of the other that "
                "it lacks: make both in the same words, as `rnnlm ngram train --vocab MODEL` does"
            )
    if len(own) != size:
        raise InputError(f"own must be the words of predictor, {size} of them, got {len(own)}")
    return predictor if own.words == words.words else InOtherWords(predictor, own, words)


class InOtherWords:
    """A predictor whose words are matched by name to those of another vocabulary; see `in_words_of`.

    Words of the vocabulary that it has not are its `<unk>`, whose probability they share alike. Its words that the
    vocabulary has not are the vocabulary's `<unk>`, which has the sum of their probabilities. So all probabilities
    still sum to 1.
    """

    def __init__(self, predictor: Predictor, own: Vocabulary, words: Vocabulary) -> None:
        self.predictor, self.predictors, self.vocab_size = predictor, [predictor], len(words)
        self.table = np.array([own.word_to_id.get(word, own.unk_id) for word in words.words], np.int64)
        times = np.bincount(self.table, minlength=len(own))
        self.shared = np.log(times[self.table])  # among how many words a probability is shared
        self.strange = np.flatnonzero(times == 0)  # words of its own that the others have not
        self.unk_id = words.unk_id
        self.start_id = None if start_of(predictor) is None else words.eos_id
        self.rows = rows_of(predictor)

    def losses(self, xs: Any, ts: Any) -> NDArray[np.float64]:
        """As of every predictor. Where `<unk>` is a target, and stands for words of the predictor's, all its words are
        asked for."""
        xs, ts = (np.asarray(ops.asnumpy(ids)) for ids in (xs, ts))
        whole = np.flatnonzero((ts == self.unk_id).any(axis=0)).tolist() if len(self.strange) else []
        nats, begin = np.zeros(ts.shape), 0
        for column in [*whole, ts.shape[1]]:
            if begin < column:
                part = slice(begin, column)
                nats[:, part] = self._losses(xs[:, part], ts[:, part])
            if column < ts.shape[1]:
                scores, targets = self.next_scores(xs[:, column : column + 1]), ts[:, column]
                nats[:, column] = np.where(targets < 0, 0.0, -scores[np.arange(len(ts)), targets])
            begin = column + 1
        return nats

    def _losses(self, xs: NDArray[Any], ts: NDArray[Any]) -> NDArray[np.float64]:
        """Of targets that are each a word, or part of one, of the predictor's."""
        nats = ops.asnumpy(self.predictor.losses(self.table[xs], np.where(ts < 0, -1, self.table[ts])))
        return nats + np.where(ts < 0, 0.0, self.shared[ts])

    def next_scores(self, xs: Any) -> NDArray[np.float64]:
        """Natural-log probabilities (N, V) of the word after the last of the ids xs (N, T)."""
        own = log_softmax(self.predictor.next_scores(self.table[np.asarray(ops.asnumpy(xs))]))
        scores = own[:, self.table] - self.shared
        if len(self.strange) and self.unk_id is not None:
            with np.errstate(divide="ignore"):  # all of them may be impossible
                rest = np.log(np.exp(own[:, self.strange]).sum(axis=1))
            scores[:, self.unk_id] = np.logaddexp(scores[:, self.unk_id], rest)
        return scores

    def reset_state(self) -> None:
        """Forget what was read."""
        self.predictor.reset_state()

    def get_state(self) -> Any:
        """That of the predictor."""
        return self.predictor.get_state()

    def set_state(self, state: Any) -> None:
        """Go on from what `get_state` gave."""
        self.predictor.set_state(state)


def log_softmax(scores: Any) -> NDArray[np.float64]:
    """Natural-log probabilities (N, V) on the host, of scores (N, V) anywhere."""
    found = ops.asnumpy(scores).astype(np.float64)
    found -= found.max(axis=1, keepdims=True)
    found -= np.log(np.exp(found).sum(axis=1, keepdims=True))
    return found
