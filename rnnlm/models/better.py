"""The book's third language model: two LSTMs, dropout between all layers, tied embedding and output weights."""

from typing import Any

from rnnlm.layers.affine import TimeAffine
from rnnlm.layers.dropout import TimeDropout
from rnnlm.layers.embedding import TimeEmbedding
from rnnlm.layers.heads.affine_softmax import TimeAffineWithLoss
from rnnlm.layers.lstm import TimeLSTM
from rnnlm.models.base import Model
from rnnlm.models.config import ModelConfig, initial_options
from rnnlm.models.weights import Weights

__all__ = ["BetterRnnlm"]


class BetterRnnlm(Model):
    """A language model with two LSTMs, dropout and tied weights.

        h¹_t = LSTM¹(dropout(E[w_t]), h¹_{t-1})        (V, D), (D, 4H), (H, 4H), (4H,)
        h²_t = LSTM²(dropout(h¹_t), h²_{t-1})          (H, 4H), (H, 4H), (4H,)
        s_t  = dropout(h²_t) Eᵀ + b'                   (V,), and the word vectors again: D = H
        p(w_{t+1} | w_1 ... w_t) = softmax(s_t)

    Sources: Zaremba, Sutskever and Vinyals, Recurrent neural network regularization, 2014 (dropout between layers, not
    over time); Inan, Khosravi and Socher, ICLR 2017, and Press and Wolf, EACL 2017 (tied weights). The sizes, names and
    initial weights are those of BetterRnnlm in Deep Learning from Scratch 2, chapter 6.

    Args:
        vocab_size: V, at least 2.
        wordvec_size: D, which must be H.
        hidden_size: H.
        dropout_ratio: after the embedding and after each LSTM, in [0, 1).
        options: seed, dtype and initial weights: `bias_range`, `init`, `init_range` and `forget_bias` of `ModelConfig`.

    Attributes:
        lstm_layers, drop_layers: the two LSTMs, and the three dropouts, in order.
    """

    arguments = (*Model.arguments, "dropout_ratio")

    def __init__(
        self,
        vocab_size: int = 10_000,
        wordvec_size: int = 650,
        hidden_size: int = 650,
        dropout_ratio: float = 0.5,
        **options: Any,
    ) -> None:
        V, D, H = vocab_size, wordvec_size, hidden_size
        fixed: dict[str, Any] = {"cell": "lstm", "layers": 2, "tied": True, "dropout_ratio": dropout_ratio}
        given = initial_options("BetterRnnlm", options)
        super().__init__(ModelConfig("BetterRnnlm", V, wordvec_size=D, hidden_size=H, **fixed, **given))
        E = Weights(self.config, layer=0).embedding()
        lstm1 = TimeLSTM(*Weights(self.config, layer=1).recurrent(D, H), stateful=True)
        lstm2 = TimeLSTM(*Weights(self.config, layer=2).recurrent(H, H), stateful=True)
        self.lstm_layers = [lstm1, lstm2]
        self.drop_layers = [TimeDropout(dropout_ratio) for _ in range(3)]
        affine = TimeAffine(E.T, Weights(self.config, layer=3).affine_bias())
        layers = {
            "embed": TimeEmbedding(E),
            "input_dropout": self.drop_layers[0],
            "lstm1": lstm1,
            "hidden_dropout1": self.drop_layers[1],
            "lstm2": lstm2,
            "output_dropout": self.drop_layers[2],
        }
        self.set_layers(layers, head=TimeAffineWithLoss(affine))
