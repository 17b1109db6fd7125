"""Encoders, which read a question."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rnnlm.backend import Array, xp
from rnnlm.checks import flag
from rnnlm.errors import InputError
from rnnlm.layers.base import Layer, expect
from rnnlm.layers.bidirectional import TimeBiLSTM
from rnnlm.layers.embedding import TimeEmbedding
from rnnlm.layers.lengths import add_to_ends, ends
from rnnlm.layers.lstm import TimeLSTM
from rnnlm.models.config import ModelConfig, initial_options
from rnnlm.models.weights import Weights

__all__ = ["Encoder", "Question", "config_of_lstm"]


@dataclass(frozen=True)
class Question:
    """The output of an encoder for N questions.

    Attributes:
        hs: (N, T, H) hidden states.
        h: (N, H) the final hidden state of each question.
        lengths: (N,) of the questions; None if all have T steps.
    """

    hs: Array
    h: Array
    lengths: Array | None = None

    def repeated(self, times: int) -> "Question":
        """Return a `Question` with each row repeated `times` times, consecutively."""
        lengths = None if self.lengths is None else self.lengths.repeat(times)
        return Question(self.hs.repeat(times, axis=0), self.h.repeat(times, axis=0), lengths)


class Encoder(Layer):
    """An LSTM encoder, unidirectional or bidirectional.  ids (N, T) -> (N, H)

        hs = LSTM(E[x])        h = hs at each question's end; bidirectional [ahead at the end, back at the beginning]

    Source: Sutskever, Vinyals and Le, Sequence to sequence learning with neural networks, NIPS 2014.

    Args:
        vocab_size: V.
        wordvec_size: D.
        hidden_size: H; if bidirectional it must be even, with H / 2 for each direction.
        bidirectional: True for a second LSTM that runs backward in time.
        options: `seed`, `dtype` and initial weights, as in `ModelConfig`.
    """

    causal = False

    def __init__(
        self, vocab_size: int, wordvec_size: int, hidden_size: int, bidirectional: bool = False, **options: Any
    ) -> None:
        super().__init__()
        config = config_of_lstm(type(self).__name__, vocab_size, wordvec_size, hidden_size, options)
        self.bidirectional = flag("bidirectional", bidirectional)
        self.embed = TimeEmbedding(Weights(config, layer=0).embedding())
        self.lstm: TimeLSTM | TimeBiLSTM
        if bidirectional:
            if config.hidden_size % 2:
                raise InputError(f"hidden_size of a bidirectional encoder must be even, got {hidden_size}")
            ahead, back = (Weights(config, layer).recurrent(config.wordvec_size, hidden_size // 2) for layer in (1, 2))
            self.lstm = TimeBiLSTM(*ahead, *back)
        else:
            self.lstm = TimeLSTM(*Weights(config, layer=1).recurrent(config.wordvec_size, config.hidden_size))
        self.params, self.grads = self.embed.params + self.lstm.params, self.embed.grads + self.lstm.grads

    def parts(self) -> Mapping[str, Layer]:
        """Return the layers embed and lstm."""
        return {"embed": self.embed, "lstm": self.lstm}

    @property
    def takes_ids(self) -> int:
        """V."""
        return self.embed.takes_ids

    def read(self, xs: Array, lengths: Array | None = None) -> Question:
        """Encode the questions xs, ids (N, T), of which the first `lengths` (N,) of each row count; None for all T."""
        vectors = self.embed.forward(xs)
        if isinstance(self.lstm, TimeBiLSTM):
            hs, half = self.lstm.forward(vectors, lengths), len(self.lstm.ahead.params[1])
            h = xp.concatenate([ends(hs[..., :half], lengths), hs[:, 0, half:]], axis=1)
        else:
            hs = self.lstm.forward(vectors)
            h = ends(hs, lengths)
        self.save_for_backward(hs.shape, lengths)
        return Question(hs, h, lengths)

    def back(self, dhs: Array | None, dh: Array) -> None:
        """Write the gradients of the weights to `grads`.

        Args:
            dhs: (N, T, H) gradients of `Question.hs`; None for zeros.
            dh: (N, H) gradient of `Question.h`.
        """
        (N, T, H), lengths = self.saved_values()
        expect("dh", dh, (N, H), self.dtype)
        self.clear_saved_values()
        steps = self._buffer("dhs", (T, N, H), self.dtype).swapaxes(0, 1)
        steps[...] = 0 if dhs is None else dhs
        if self.bidirectional:
            half = H // 2
            add_to_ends(steps[..., :half], dh[:, :half], lengths)
            steps[:, 0, half:] += dh[:, half:]
        else:
            add_to_ends(steps, dh, lengths)
        self.embed.backward(self.lstm.backward(steps))

    def forward(self, xs: Array, lengths: Array | None = None) -> Array:
        """Return the final hidden states (N, H) of the questions xs, ids (N, T)."""
        return self.read(xs, lengths).h

    def backward(self, dh: Array) -> None:
        """Write the gradients of the weights to `grads`; ids have none."""
        self.back(None, dh)


def config_of_lstm(name: str, V: int, D: int, H: int, options: Mapping[str, Any]) -> ModelConfig:
    """Return the configuration of an LSTM over words, with its sizes and options checked."""
    given = initial_options(name, options)
    return ModelConfig(name, V, cell="lstm", wordvec_size=D, hidden_size=H, **given)
