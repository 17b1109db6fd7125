"""The book's second language model: one LSTM."""

from typing import Any

from rnnlm.layers.affine import TimeAffine
from rnnlm.layers.embedding import TimeEmbedding
from rnnlm.layers.heads.affine_softmax import TimeAffineWithLoss
from rnnlm.layers.lstm import TimeLSTM
from rnnlm.models.base import Model
from rnnlm.models.config import ModelConfig, initial_options
from rnnlm.models.weights import Weights

__all__ = ["Rnnlm"]


class Rnnlm(Model):
    """A language model with one LSTM.

        x_t = E[w_t]                                       embedding    (V, D)
        f, g, i, o from a_t = h_{t-1} Wh + x_t Wx + b      gates        (D, 4H), (H, 4H), (4H,)
        c_t = f c_{t-1} + g i,   h_t = o tanh(c_t)         recurrence
        s_t = h_t W + b'                                   scores       (H, V), (V,)
        p(w_{t+1} | w_1 ... w_t) = softmax(s_t)

    Source: the sizes, names and initial weights are those of Rnnlm in Deep Learning from Scratch 2, chapter 6.

    Args:
        vocab_size: V, at least 2.
        wordvec_size: D.
        hidden_size: H.
        options: seed, dtype and initial weights: `bias_range`, `init`, `init_range` and `forget_bias` of `ModelConfig`.

    Attributes:
        lstm_layer: the recurrent layer, also `layers["lstm"]`.
    """

    def __init__(
        self, vocab_size: int = 10_000, wordvec_size: int = 100, hidden_size: int = 100, **options: Any
    ) -> None:
        V, D, H = vocab_size, wordvec_size, hidden_size
        given = initial_options("Rnnlm", options)
        super().__init__(ModelConfig("Rnnlm", V, cell="lstm", wordvec_size=D, hidden_size=H, **given))
        embed = TimeEmbedding(Weights(self.config, layer=0).embedding())
        self.lstm_layer = TimeLSTM(*Weights(self.config, layer=1).recurrent(D, H), stateful=True)
        affine = TimeAffine(*Weights(self.config, layer=2).affine(H))
        self.set_layers({"embed": embed, "lstm": self.lstm_layer}, head=TimeAffineWithLoss(affine))
