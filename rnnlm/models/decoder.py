"""Decoders, which generate the answer to a question that an encoder has read."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnlm.backend import Array, ops
from rnnlm.errors import InputError
from rnnlm.layers.affine import TimeAffine
from rnnlm.layers.base import Layer, expect
from rnnlm.layers.embedding import TimeEmbedding
from rnnlm.layers.lstm import TimeLSTM
from rnnlm.models.config import ModelConfig
from rnnlm.models.encoder import Question, config_of_lstm
from rnnlm.models.search import greedy_search
from rnnlm.models.weights import Weights

__all__ = ["Decoder", "PeekyDecoder"]

FIRST = 3  # random stream of the first layer's initial weights: lower numbers are an encoder's


class Decoder(Layer):
    """An LSTM decoder that starts from the encoder's last hidden state.  ids (N, T), (N, H) -> (N, T, V)

        hs = LSTM(E[x]) from h        s = hs W + b

    A subclass feeds more of the question to the LSTM or the output layer by overriding `_lstm_inputs`, `_features` and
    their backward methods.

    Args:
        vocab_size: V.
        wordvec_size: D.
        hidden_size: H, that of the encoder.
        options: `seed`, `dtype` and initial weights, as in `ModelConfig`.
    """

    causal = False  # outputs depend on the whole question

    def __init__(self, vocab_size: int, wordvec_size: int, hidden_size: int, **options: Any) -> None:
        super().__init__()
        config = config_of_lstm(type(self).__name__, vocab_size, wordvec_size, hidden_size, options)
        inputs, features = self._widths(config)
        self.embed = TimeEmbedding(Weights(config, FIRST).embedding())
        self.lstm = TimeLSTM(*Weights(config, FIRST + 1).recurrent(inputs, config.hidden_size), stateful=True)
        self.affine = TimeAffine(*Weights(config, FIRST + 2).affine(features))
        inner = (self.embed, self.lstm, self.affine)
        self.params, self.grads = [p for layer in inner for p in layer.params], [g for x in inner for g in x.grads]
        self._question: Question | None = None

    def parts(self) -> Mapping[str, Layer]:
        """Return the layers embed, lstm and affine."""
        return {"embed": self.embed, "lstm": self.lstm, "affine": self.affine}

    @property
    def takes_ids(self) -> int:
        """V."""
        return self.embed.takes_ids

    # ------------------------------------------------------------------ from a whole `Question`

    def begin(self, question: Question) -> None:
        """Start the answers to these questions: set the LSTM's state from them."""
        self._question = question
        self.lstm.set_state(question.h)

    def go_on(self, xs: Array) -> Array:
        """Return the scores (N, T, V) of the word after each of the ids xs (N, T), which continue the last call's."""
        self._expect_question()
        hs = self.lstm.forward(self._lstm_inputs(self.embed.forward(xs)))
        return self.affine.forward(self._features(hs))

    def back(self, dscores: Array) -> tuple[Any, Array]:
        """Return the gradients of the question's `hs` (None for zeros) and `h`; write the weights' to `grads`."""
        dhs, of_question, dh = self._features_back(self.affine.backward(dscores))
        dvectors, peeked = self._lstm_inputs_back(self.lstm.backward(dhs))
        self.embed.backward(dvectors)
        dlast: Any = self.lstm.dh
        for other in (dh, peeked):
            dlast = dlast if other is None else dlast + other
        return of_question, dlast

    def _expect_question(self) -> Question:
        if self._question is None:
            raise InputError(f"{type(self).__name__}.go_on needs a question to answer: begin(question) first")
        return self._question

    def _widths(self, config: ModelConfig) -> tuple[int, int]:
        """Return the input widths of the LSTM and of the output layer."""
        return config.wordvec_size, config.hidden_size

    def _lstm_inputs(self, vectors: Array) -> Array:
        return vectors

    def _lstm_inputs_back(self, dxs: Array) -> tuple[Array, Array | None]:
        """Return the gradient of the word vectors, and that of the question's h, or None."""
        return dxs, None

    def _features(self, hs: Array) -> Array:
        """Return the inputs of the output layer."""
        return hs

    def _features_back(self, dys: Array) -> tuple[Array, Array | None, Array | None]:
        """Return the gradients of the LSTM's hidden states, of the question's hs, or None, and of its h, or None."""
        return dys, None, None

    def _beside(self, name: str, left: Array, right: Array) -> Array:
        """Concatenate `left`, (N, T, H) or (N, H) for all steps alike, and `right` (N, T, D): (N, T, H + D)."""
        N, T, D = right.shape
        H = left.shape[-1]
        both = self._buffer(name, (T, N, H + D), self.dtype)
        both[:, :, :H] = left if left.ndim == 2 else left.swapaxes(0, 1)
        both[:, :, H:] = right.swapaxes(0, 1)
        return both.swapaxes(0, 1)

    # ------------------------------------------------------------------ the book's interface

    def forward(self, xs: Array, h: Array) -> Array:
        """Return the scores (N, T, V) of the word after each of the ids xs (N, T), given the encoder's h (N, H)."""
        self.begin(self._question_of(h))
        return self.go_on(xs)

    def backward(self, dscores: Array) -> Array:
        """Return the gradient (N, H) of h and write those of the weights to `grads`."""
        return self.back(dscores)[1]

    def generate(self, h: Array, start_id: int, sample_size: int) -> list[int]:
        """Return `sample_size` ids, each the most likely one, after `start_id`, for the encoder's output h of one
        question."""
        self.begin(self._question_of(h))
        return greedy_search(self.next_scores, np.array([start_id]), sample_size, None)[0].tolist()

    def next_scores(self, words: NDArray[np.int64]) -> Array:
        """Return the scores (N, V) of the next word after host ids (N,), which continue the previous call's."""
        return self.go_on(ops.asarray(words)[:, None])[:, 0]

    def _question_of(self, h: Array) -> Question:
        """Return a `Question` made from the encoder's output alone."""
        expect("h", h, ("N", len(self.lstm.params[1])), self.dtype)
        return Question(h[:, None], h)


class PeekyDecoder(Decoder):
    """A decoder that gets the encoder's last hidden state at every step.  ids (N, T), (N, H) -> (N, T, V)

        hs = LSTM([h, E[x]]) from h        s = [h, hs] W + b

    Source: Cho et al., Learning phrase representations using RNN encoder-decoder for statistical machine translation,
    EMNLP 2014. Arguments are those of `Decoder`.
    """

    def _widths(self, config: ModelConfig) -> tuple[int, int]:
        return config.hidden_size + config.wordvec_size, 2 * config.hidden_size

    def _lstm_inputs(self, vectors: Array) -> Array:
        return self._beside("inputs", self._expect_question().h, vectors)

    def _lstm_inputs_back(self, dxs: Array) -> tuple[Array, Array | None]:
        H = self._expect_question().h.shape[1]
        return dxs[:, :, H:], dxs[:, :, :H].sum(axis=1)

    def _features(self, hs: Array) -> Array:
        return self._beside("features", self._expect_question().h, hs)

    def _features_back(self, dys: Array) -> tuple[Array, Array | None, Array | None]:
        H = dys.shape[2] // 2
        return dys[:, :, H:], None, dys[:, :, :H].sum(axis=1)
