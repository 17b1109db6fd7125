"""An encoder that returns all of its hidden states, and a decoder that attends to them."""

from typing import Any

from rnnlm.backend import Array, xp
from rnnlm.layers.attention import TimeAttention
from rnnlm.layers.base import expect
from rnnlm.models.config import ModelConfig
from rnnlm.models.decoder import Decoder
from rnnlm.models.encoder import Encoder, Question

__all__ = ["AttentionDecoder", "AttentionEncoder"]


class AttentionEncoder(Encoder):
    """An encoder that returns all of its hidden states.  ids (N, T) -> (N, T, H). Arguments are those of `Encoder`."""

    def forward(self, xs: Array, lengths: Array | None = None) -> Array:
        """Return the hidden states (N, T, H) of the questions xs, ids (N, T)."""
        return self.read(xs, lengths).hs

    def backward(self, dhs: Array) -> None:
        """Write the gradients of the weights to `grads`; ids have none."""
        self.back(dhs, xp.zeros((len(dhs), dhs.shape[2]), dhs.dtype))


class AttentionDecoder(Decoder):
    """A decoder that attends to all of the encoder's hidden states.  ids (N, T'), (N, T, H) -> (N, T', V)

        hs = LSTM(E[x]) from h        c = Attention(hs_enc, hs)        s = [c, hs] W + b

    Arguments are those of `Decoder`.

    Attributes:
        attention: the attention layer; its `attention_weights` are those of the last forward.
    """

    def __init__(self, vocab_size: int, wordvec_size: int, hidden_size: int, **options: Any) -> None:
        super().__init__(vocab_size, wordvec_size, hidden_size, **options)
        self.attention = TimeAttention()

    def backward(self, dscores: Array) -> Array:
        """Return the gradient (N, T, H) of the encoder's states and write those of the weights to `grads`."""
        dhs, dh = self.back(dscores)
        dhs[:, -1] += dh
        return dhs

    def _question_of(self, h: Array) -> Question:
        expect("enc_hs", h, ("N", "T", len(self.lstm.params[1])), self.dtype)
        return Question(h, h[:, -1])

    def _widths(self, config: ModelConfig) -> tuple[int, int]:
        return config.wordvec_size, 2 * config.hidden_size

    def _features(self, hs: Array) -> Array:
        question = self._expect_question()
        contexts = self.attention.forward(question.hs, hs, question.lengths)
        return self._beside("features", contexts, hs)

    def _features_back(self, dys: Array) -> tuple[Array, Array | None, Array | None]:
        H = dys.shape[2] // 2
        of_question, of_hs = self.attention.backward(dys[:, :, :H])
        return dys[:, :, H:] + of_hs, of_question, None
