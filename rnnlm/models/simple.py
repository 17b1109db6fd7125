"""The book's first language model: one Elman RNN."""

from typing import Any

from rnnlm.layers.affine import TimeAffine
from rnnlm.layers.embedding import TimeEmbedding
from rnnlm.layers.heads.affine_softmax import TimeAffineWithLoss
from rnnlm.layers.rnn import TimeRNN
from rnnlm.models.base import Model
from rnnlm.models.config import ModelConfig, initial_options
from rnnlm.models.weights import Weights

__all__ = ["SimpleRnnlm"]


class SimpleRnnlm(Model):
    """A language model with one plain recurrent layer.

        x_t = E[w_t]                          embedding          (V, D)
        h_t = tanh(h_{t-1} Wh + x_t Wx + b)   recurrence         (D, H), (H, H), (H,)
        s_t = h_t W + b'                      scores             (H, V), (V,)
        p(w_{t+1} | w_1 ... w_t) = softmax(s_t)

    Source: Mikolov et al., Recurrent neural network based language model, Interspeech 2010; the sizes, names and
    initial weights are those of SimpleRnnlm in Deep Learning from Scratch 2, chapter 5.

    Args:
        vocab_size: V, at least 2.
        wordvec_size: D.
        hidden_size: H.
        options: seed, dtype and initial weights: `bias_range`, `init` and `init_range` of `ModelConfig`.

    Attributes:
        rnn_layer: the recurrent layer, also `layers["rnn"]`.
    """

    def __init__(self, vocab_size: int, wordvec_size: int, hidden_size: int, **options: Any) -> None:
        V, D, H = vocab_size, wordvec_size, hidden_size
        given = initial_options("SimpleRnnlm", options)
        super().__init__(ModelConfig("SimpleRnnlm", V, cell="rnn", wordvec_size=D, hidden_size=H, **given))
        embed = TimeEmbedding(Weights(self.config, layer=0).embedding())
        self.rnn_layer = TimeRNN(*Weights(self.config, layer=1).recurrent(D, H), stateful=True)
        affine = TimeAffine(*Weights(self.config, layer=2).affine(H))
        self.set_layers({"embed": embed, "rnn": self.rnn_layer}, head=TimeAffineWithLoss(affine))
