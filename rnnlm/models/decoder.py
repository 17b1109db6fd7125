"""Decoders: what writes an answer to what an encoder has read."""

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

FIRST = 3  # number of the first layer's stream of initial weights: those before are an encoder's


class Decoder(Layer):
    """Writes with an LSTM that begins with the encoder's last hidden state.  ids (N, T), (N, H) -> (N, T, V)

        hs = LSTM(E[x]) from h        s = hs W + b

    A subclass says by `_lstm_inputs`, `_features` and their ways back what else of the question goes in.

    Args:
        vocab_size: V.
        wordvec_size: D.
        hidden_size: H, as the encoder has it.
        options: `seed`, `dtype` and initial weights, as `ModelConfig` has them.
    """

    causal = False  # it has seen the whole question

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
        """embed, lstm and affine."""
        return {"embed": self.embed, "lstm": self.lstm, "affine": self.affine}

    @property
    def takes_ids(self) -> int:
        """V."""
        return self.embed.takes_ids

    # ------------------------------------------------------------------ with all that is known of a question

    def begin(self, question: Question) -> None:
        """Begin answers to these questions."""
        self._question = question
        self.lstm.set_state(question.h)

    def go_on(self, xs: Array) -> Array:
        """Scores (N, T, V) of what follows each of the ids xs (N, T), which follow those of the call before."""
        self._expect_question()
        hs = self.lstm.forward(self._lstm_inputs(self.embed.forward(xs)))
        return self.affine.forward(self._features(hs))

    def back(self, dscores: Array) -> tuple[Any, Array]:
        """Gradients of the question's `hs`, None for zeros, and `h`; those of the weights are left in `grads`."""
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
        """Inputs of the LSTM and of the output layer."""
        return config.wordvec_size, config.hidden_size

    def _lstm_inputs(self, vectors: Array) -> Array:
        return vectors

    def _lstm_inputs_back(self, dxs: Array) -> tuple[Array, Array | None]:
        """Gradients of the vectors, and of the question's h, or None."""
        return dxs, None

    def _features(self, hs: Array) -> Array:
        """What the output layer takes."""
        return hs

    def _features_back(self, dys: Array) -> tuple[Array, Array | None, Array | None]:
        """Gradients of the LSTM's hidden states, of the question's hs, or None, and of its h, or None."""
        return dys, None, None

    def _beside(self, name: str, left: Array, right: Array) -> Array:
        """Two arrays (N, T, ...) side by side, the left one (N, H) for all steps alike or (N, T, H)."""
        N, T, D = right.shape
        H = left.shape[-1]
        both = self._buffer(name, (T, N, H + D), self.dtype)
        both[:, :, :H] = left if left.ndim == 2 else left.swapaxes(0, 1)
        both[:, :, H:] = right.swapaxes(0, 1)
        return both.swapaxes(0, 1)

    # ------------------------------------------------------------------ as the book has them

    def forward(self, xs: Array, h: Array) -> Array:
        """Scores (N, T, V) of what follows each of the ids xs (N, T), after the encoder's h (N, H)."""
        self.begin(self._question_of(h))
        return self.go_on(xs)

    def backward(self, dscores: Array) -> Array:
        """Gradient (N, H) of h; those of the weights are left in `grads`."""
        return self.back(dscores)[1]

    def generate(self, h: Array, start_id: int, sample_size: int) -> list[int]:
        """The most likely ids one after another, `sample_size` of them, after `start_id` and what the encoder said of
        one question."""
        self.begin(self._question_of(h))
        return greedy_search(self.next_scores, np.array([start_id]), sample_size, None)[0].tolist()

    def next_scores(self, words: NDArray[np.int64]) -> Array:
        """Scores (N, V) of what follows the words (N,) of the host, which follow those of the call before."""
        return self.go_on(ops.asarray(words)[:, None])[:, 0]

    def _question_of(self, h: Array) -> Question:
        """A question of which the encoder has handed on this alone."""
        expect("h", h, ("N", len(self.lstm.params[1])), self.dtype)
        return Question(h[:, None], h)


class PeekyDecoder(Decoder):
    """A decoder that sees the encoder's last hidden state at every step.  ids (N, T), (N, H) -> (N, T, V)

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
