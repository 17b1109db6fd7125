"""Language models with a fixed context, without recurrence: the feed-forward NNLM, and CBOW with a left context."""

from dataclasses import dataclass, fields
from typing import Any

from rnnlm.checks import whole_number
from rnnlm.errors import InputError
from rnnlm.layers.activations import Tanh
from rnnlm.layers.affine import TimeAffine
from rnnlm.layers.base import Layer
from rnnlm.layers.context import TimeContextEmbedding
from rnnlm.models.base import Model
from rnnlm.models.config import ModelConfig, ModelOptions
from rnnlm.models.general import add_dropout
from rnnlm.models.output import output_head
from rnnlm.models.weights import Weights

__all__ = ["NNLM", "CbowLm", "ContextConfig"]

LONGEST = 1_000  # context, in words
TAKEN = (
    "model", "vocab_size", "context", "wordvec_size", "hidden_size", "tied", "dropout_ratio", "input_dropout",
    "output_dropout", "variational", "cutoffs", "div_value", "init", "init_range", "bias_range", "dtype", "seed",
)  # fmt: skip


@dataclass(frozen=True)
class ContextConfig(ModelConfig):
    """The configuration of an NNLM or a CbowLm: `ModelConfig` with the recurrent options at their defaults.

    Raises:
        InputError: an option is out of range, or is for recurrent models only.
    """

    model: str = "NNLM"

    def _check_context(self) -> None:
        self._set("context", whole_number("context", self.context, 1, LONGEST + 1))

    def _check_cell(self) -> None:
        taken = [name for name in TAKEN if name != "hidden_size" or self.model != CbowLm.__name__]
        for f in fields(ModelOptions):
            if f.name not in taken and getattr(self, f.name) != f.default:
                raise InputError(
                    f"{f.name} is not an option of {self.model} and must be left at {f.default!r}, got "
                    f"{getattr(self, f.name)!r}"
                )

    @property
    def hidden_sizes(self) -> list[int]:
        """Input width of the output layer, a list of one."""
        return [self.wordvec_size if self.model == CbowLm.__name__ else self.hidden_size]

    @property
    def parameters(self) -> int:
        """Number of parameters of the model, a tied weight counted once."""
        D, (H,) = self.wordvec_size, self.hidden_sizes
        hidden = 0 if self.model == CbowLm.__name__ else (self.context * D + 1) * H
        return self.vocab_size * D + hidden + self.output_parameters

    @property
    def kept(self) -> int:
        """Numbers that training stores for each token of a window, gradients included and scores excluded."""
        return 2 * self.context * self.wordvec_size + 4 * self.hidden_sizes[-1]


class _ContextModel(Model):
    """Base class of NNLM and CbowLm.

    Args:
        config: sizes and options.
    """

    configuration = ContextConfig

    def __init__(self, config: ContextConfig) -> None:
        super().__init__(config)
        self.context = config.context
        E = Weights(config, layer=0).embedding()
        layers: dict[str, Layer] = {"embed": TimeContextEmbedding(E, config.context, mean=self._mean)}
        add_dropout(layers, "input_dropout", config)
        self._hidden(layers)
        add_dropout(layers, "output_dropout", config)
        self.set_layers(layers, head=output_head(config, 2, E))

    _mean = False

    def _hidden(self, layers: dict[str, Layer]) -> None:
        """Add the layers between the embedding and the output layer."""

    @classmethod
    def from_config(cls, config: ModelConfig) -> "Model":
        """Return a new model built from `config`."""
        return cls(**{name: value for name, value in vars(config).items() if name != "model"})


class NNLM(_ContextModel):
    """The feed-forward neural language model: the last n words through one hidden layer.

        x_t = [E[w_{t-n+1}], ..., E[w_t]]       (n D,), zeros for words before the first one
        h_t = tanh(x_t Wh + bh)                 (n D, H), (H,)
        s_t = h_t Wy + by                       (H, V), (V,); Wy = Eᵀ if tied
        p(w_{t+1} | w_{t-n+1} ... w_t) = softmax(s_t)

    Source: Bengio, Ducharme, Vincent and Jauvin, A neural probabilistic language model, JMLR 3 (2003), without its
    direct connections from the vectors to the scores.

    Args:
        vocab_size: V, at least 2.
        wordvec_size: D.
        hidden_size: H.
        context: n.
        options: tied, dropouts, initial weights, seed and dtype, as in `ModelConfig`.
    """

    def __init__(
        self, vocab_size: int, wordvec_size: int = 100, hidden_size: int = 100, context: int = 4, **options: Any
    ) -> None:
        V, D, H = vocab_size, wordvec_size, hidden_size
        super().__init__(ContextConfig("NNLM", V, wordvec_size=D, hidden_size=H, context=context, **options))

    def _hidden(self, layers: dict[str, Layer]) -> None:
        c = self.config
        layers["hidden"] = TimeAffine(*Weights(c, layer=1).hidden(c.context * c.wordvec_size, c.hidden_size))
        layers["tanh"] = Tanh()


class CbowLm(_ContextModel):
    """Predict a word from the mean of the n preceding words' vectors: CBOW with a left context, as a language model.

        h_t = 1/n sum of E[w_{t-n+1}] ... E[w_t]      (D,), zeros for words before the first one
        s_t = h_t W + b                               (D, V), (V,); W = Eᵀ if tied
        p(w_{t+1} | w_{t-n+1} ... w_t) = softmax(s_t)

    The order of the n words has no effect. Source of CBOW: Mikolov, Chen, Corrado and Dean, Efficient estimation of
    word representations in vector space, 2013.

    Args:
        vocab_size: V, at least 2.
        wordvec_size: D.
        context: n.
        options: tied, dropouts, initial weights, seed and dtype, as in `ModelConfig`.
    """

    _mean = True

    def __init__(self, vocab_size: int, wordvec_size: int = 100, context: int = 4, **options: Any) -> None:
        super().__init__(ContextConfig("CbowLm", vocab_size, wordvec_size=wordvec_size, context=context, **options))
