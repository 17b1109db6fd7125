"""The book's first language model: one Elman RNN."""

from math import sqrt

from rnnlm.layers.affine import TimeAffine
from rnnlm.layers.embedding import TimeEmbedding
from rnnlm.layers.rnn import TimeRNN
from rnnlm.models.base import Model, Weights
from rnnlm.models.config import ModelConfig

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
        bias_range: biases are drawn uniformly from [-bias_range, bias_range]; 0 for zeros.
        seed: the same seed gives the same weights, on every backend.
        dtype: 'float32' or 'float64'.
    """

    def __init__(
        self,
        vocab_size: int,
        wordvec_size: int,
        hidden_size: int,
        *,
        bias_range: float = 0.0,
        seed: int = 0,
        dtype: str = "float32",
    ) -> None:
        V, D, H = vocab_size, wordvec_size, hidden_size
        super().__init__(ModelConfig("SimpleRnnlm", V, D, H, bias_range, seed, dtype))
        draw = Weights(self.config, layer=0)
        embed = TimeEmbedding(draw.normal((V, D), 1 / 100))
        draw = Weights(self.config, layer=1)
        rnn = TimeRNN(draw.normal((D, H), 1 / sqrt(D)), draw.normal((H, H), 1 / sqrt(H)), draw.bias(H), stateful=True)
        draw = Weights(self.config, layer=2)
        affine = TimeAffine(draw.normal((H, V), 1 / sqrt(H)), draw.bias(V))
        self._own(embed=embed, rnn=rnn, affine=affine)
