"""General recurrent language models, with any cell, depth and dropout that a configuration describes."""

from dataclasses import replace
from typing import Any

from rnnlm.checks import instance_of
from rnnlm.layers.base import Layer
from rnnlm.layers.dropout import TimeDropout
from rnnlm.layers.embedding import TimeEmbedding
from rnnlm.layers.named import CELLS
from rnnlm.layers.recurrent import Recurrent
from rnnlm.layers.regularization import TimeActivationRegularization
from rnnlm.models.base import Model
from rnnlm.models.config import ModelConfig
from rnnlm.models.output import output_head
from rnnlm.models.weights import Weights

__all__ = ["AwdLstm", "LanguageModel"]


class LanguageModel(Model):
    """A language model of L recurrent layers.

        y⁰_t = dropout(E[w_t])
        hˡ_t = cellˡ(yˡ⁻¹_t, hˡ_{t-1})      l = 1 ... L; these dropouts are between layers, not over time
        yˡ_t = dropout(hˡ_t)
        s_t  = yᴸ_t W + b'                  W = Eᵀ if tied
        p(w_{t+1} | w_1 ... w_t) = softmax(s_t)

    With `cutoffs` the output layer is an adaptive softmax (`TimeAdaptiveSoftmaxWithLoss`), for which word ids must be
    in order of falling frequency, unless `model.head.set_frequencies(counts)` is called.

    SimpleRnnlm, Rnnlm and BetterRnnlm are special cases, written out for the reader; AwdLstm is one set of options.

    Args:
        config: sizes, cell, depth, tying, dropouts, regularisation and initial weights.
    """

    def __init__(self, config: ModelConfig) -> None:
        config = replace(instance_of("config", config, ModelConfig), model=type(self).__name__)
        super().__init__(config)
        E = Weights(config, layer=0).embedding()
        layers: dict[str, Layer] = {"embed": TimeEmbedding(E, config.embed_dropout)}
        add_dropout(layers, "input_dropout", config)
        for number, D, H in self._sizes(config):
            name = config.cell if config.layers == 1 else f"{config.cell}{number}"
            layers[name] = self._recurrent(number, D, H)
            if number < config.layers:
                add_dropout(layers, "hidden_dropout", config, str(number))
        if config.tar:
            layers["tar"] = TimeActivationRegularization(tar=config.tar)
        add_dropout(layers, "output_dropout", config)
        if config.ar:
            layers["ar"] = TimeActivationRegularization(ar=config.ar)
        self.set_layers(layers, head=output_head(config, config.layers + 1, E))

    @classmethod
    def from_config(cls, config: ModelConfig) -> "Model":
        """Return a new model built from `config`."""
        return cls(config)

    @staticmethod
    def _sizes(config: ModelConfig) -> list[tuple[int, int, int]]:
        """Return (number, inputs, hidden units) of each recurrent layer."""
        sizes = config.hidden_sizes
        return list(zip(range(1, config.layers + 1), [config.wordvec_size, *sizes], sizes))

    def _recurrent(self, number: int, D: int, H: int) -> Recurrent:
        c = self.config
        dropouts = {"weight_drop": c.weight_drop, "recurrent_dropout": c.recurrent_dropout}
        options: dict[str, Any] = {**dropouts, **c.cell_options}
        return CELLS[c.cell].layer(*Weights(c, layer=number).recurrent(D, H), stateful=True, **options)


def add_dropout(layers: dict[str, Layer], place: str, config: ModelConfig, number: str = "") -> None:
    """Add the dropout layer of a place (`ModelConfig.ratio_of`), unless its ratio is 0."""
    if ratio := config.ratio_of(place):
        layers[place + number] = TimeDropout(ratio, config.variational)


class AwdLstm(LanguageModel):
    """The "ASGD weight-dropped LSTM": three LSTMs, weight drop on Wh, four kinds of dropout, AR and TAR, tied weights.

        y⁰_t = m⁰ (e E)[w_t]                e drops whole words, m⁰ ... m³ are the same at all time steps
        hˡ_t = LSTMˡ(yˡ⁻¹_t, hˡ_{t-1})      with a mask on Wh, l = 1 ... 3
        yˡ_t = mˡ hˡ_t
        s_t  = y³_t Eᵀ + b'
        minimised: -mean log softmax(s_t)[w_{t+1}] + ar mean(y³²) + tar mean((h³_{t+1} - h³_t)²)

    `forward` returns the first term; `penalty` is the sum of the others.

    Source: Merity, Keskar and Socher, Regularizing and optimizing LSTM language models, ICLR 2018. Sizes and ratios are
    those for Penn Treebank, initial weights those of the paper's repository.

    Args:
        vocab_size: V, at least 2.
        wordvec_size: D, and hidden units of the last LSTM.
        hidden_size: hidden units of the LSTMs before it.
        layers: number of LSTMs.
        options: any other field of `ModelConfig`.
    """

    def __init__(
        self,
        vocab_size: int = 10_000,
        wordvec_size: int = 400,
        hidden_size: int = 1150,
        layers: int = 3,
        **options: Any,
    ) -> None:
        options = {**AWD, "layers": layers, "last_hidden_size": wordvec_size, **options}
        super().__init__(
            ModelConfig("AwdLstm", vocab_size, wordvec_size=wordvec_size, hidden_size=hidden_size, **options)
        )

    @classmethod
    def from_config(cls, config: ModelConfig) -> "Model":
        """Return a new model built from `config`."""
        return cls(**{name: value for name, value in vars(config).items() if name != "model"})


AWD: dict[str, Any] = {
    "cell": "lstm",
    "tied": True,
    "input_dropout": 0.4,
    "hidden_dropout": 0.25,
    "output_dropout": 0.4,
    "variational": True,
    "embed_dropout": 0.1,
    "weight_drop": 0.5,
    "ar": 2.0,
    "tar": 1.0,
    "init": "torch",
}
