"""Use of a predictor with the vocabulary of another model."""

from copy import copy
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnlm.backend import ops
from rnnlm.checks import instance_of
from rnnlm.data.vocabulary import EOS, UNK, Vocabulary
from rnnlm.errors import InputError
from rnnlm.inference.predictor import Predictor, expect_predictor, rows_of, shared_copy_of, start_of

__all__ = ["InOtherWords", "in_words_of", "log_softmax"]


def in_words_of(predictor: Predictor, own: Vocabulary, words: Vocabulary) -> Predictor:
    """Return a predictor with vocabulary `own` as one with vocabulary `words`, matched by name; itself if equal.

    Raises:
        InputError: a word missing in one vocabulary, which has no `<unk>` for it, or has no `<eos>`; or vocabularies
            that read texts in different ways.
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

    Words that the predictor lacks map to its `<unk>` and share its probability equally. Words that the vocabulary lacks
    map to the vocabulary's `<unk>`, to which their probabilities are added. So all probabilities still sum to 1.
    """

    def __init__(self, predictor: Predictor, own: Vocabulary, words: Vocabulary) -> None:
        self.predictor, self.predictors, self.vocab_size = predictor, [predictor], len(words)
        self.table = np.array([own.word_to_id.get(word, own.unk_id) for word in words.words], np.int64)
        times = np.bincount(self.table, minlength=len(own))
        self.shared = np.log(times[self.table])  # log of the number of words that share a probability
        self.strange = np.flatnonzero(times == 0)  # the predictor's words that the vocabulary lacks
        self.unk_id = words.unk_id
        self.start_id = None if start_of(predictor) is None else words.eos_id
        self.rows = rows_of(predictor)

    def shared_copy(self) -> "InOtherWords":
        """Return a copy for another thread, whose predictor shares weights; see `Mixture.shared_copy`."""
        twin = copy(self)
        twin.predictor = shared_copy_of(self.predictor)
        twin.predictors = [twin.predictor]
        return twin

    def losses(self, xs: Any, ts: Any) -> NDArray[np.float64]:
        """As `Predictor.losses`. At a time step whose target is `<unk>`, the probabilities of all words that it stands
        for are added, which is slower."""
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
        """Compute `losses` for targets that each map to one word of the predictor."""
        nats = ops.asnumpy(self.predictor.losses(self.table[xs], np.where(ts < 0, -1, self.table[ts])))
        return nats + np.where(ts < 0, 0.0, self.shared[ts])

    def next_scores(self, xs: Any) -> NDArray[np.float64]:
        """Return the log-probabilities (N, V), in nats, of the word after the last of the ids xs (N, T)."""
        own = log_softmax(self.predictor.next_scores(self.table[np.asarray(ops.asnumpy(xs))]))
        scores = own[:, self.table] - self.shared
        if len(self.strange) and self.unk_id is not None:
            with np.errstate(divide="ignore"):  # all of them may be impossible
                rest = np.log(np.exp(own[:, self.strange]).sum(axis=1))
            scores[:, self.unk_id] = np.logaddexp(scores[:, self.unk_id], rest)
        return scores

    def reset_state(self) -> None:
        """Reset the predictor's state."""
        self.predictor.reset_state()

    def get_state(self) -> Any:
        """Return the predictor's state."""
        return self.predictor.get_state()

    def set_state(self, state: Any) -> None:
        """Restore a state that `get_state` returned."""
        self.predictor.set_state(state)


def log_softmax(scores: Any) -> NDArray[np.float64]:
    """Return the log-probabilities (N, V), float64 on the host, of scores (N, V) on the host or a device."""
    found = ops.asnumpy(scores).astype(np.float64)
    found -= found.max(axis=1, keepdims=True)
    found -= np.log(np.exp(found).sum(axis=1, keepdims=True))
    return found
