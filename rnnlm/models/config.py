"""Model configurations."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from rnnlm.checks import did_you_mean, finite, flag, not_negative, one_of, positive, share, size, whole_number
from rnnlm.errors import InputError
from rnnlm.layers.named import CELLS
from rnnlm.models.output_sizes import cluster_sizes, expect_cutoffs, expect_div_value, output_parameters

__all__ = ["INITIAL", "ModelConfig", "ModelOptions", "initial_options"]

ACTIVATIONS = ("tanh", "relu")
INITS = ("book", "uniform", "orthogonal", "torch")
INITIAL = ("bias_range", "seed", "dtype", "init", "init_range", "forget_bias")  # options of every model
DEEPEST = 1_000  # layers
LARGEST = 100  # bound of initial weights and biases: a sigmoid of it saturates in float32, and learns nothing
CONTEXT = 4  # words, by default


@dataclass(frozen=True, kw_only=True)
class ModelOptions:
    """Options of a model, all but its class and its vocabulary size. `ModelConfig` checks them.

    Attributes:
        model: recurrent, or one with a fixed context: nnlm (with a hidden layer) or cbow-lm (the mean of the vectors).
        context: number of preceding words that nnlm and cbow-lm use.
        cell: type of the recurrent layers: rnn, lstm or gru.
        layers: number of stacked recurrent layers, at most 1,000.
        wordvec_size: D, length of a word vector.
        hidden_size: H, hidden units of each recurrent layer.
        last_hidden_size: hidden units of the last recurrent layer, if not hidden_size.
        activation: of an RNN: tanh or relu.
        reset_after: for a GRU, apply the reset gate after the matrix product, with two biases, as PyTorch and cuDNN do.
        tied: use the word vectors as weights of the output layer.
        cutoffs: adaptive softmax, for large vocabularies: 2000 10000, say, is one softmax over the 2,000 most frequent
            words and two clusters of rarer ones, which are computed only where needed; empty for one softmax over all
            words. Source: Grave et al., Efficient softmax approximation for GPUs, ICML 2017.
        div_value: for adaptive softmax, cluster k has (hidden units / div_value^k) units.
        dropout_ratio: dropout after the embedding and after each recurrent layer; the next three options override it.
        input_dropout: dropout after the embedding.
        hidden_dropout: dropout between recurrent layers.
        output_dropout: dropout after the last recurrent layer.
        variational: use one dropout mask for all time steps of a window.
        embed_dropout: share of words whose vector is zero throughout a window.
        weight_drop: share of the recurrent weights Wh dropped, with one mask for each window.
        recurrent_dropout: share of h_{t-1} dropped in its product with Wh, with one mask for each window.
        ar: activation regularisation of the last recurrent layer.
        tar: temporal activation regularisation of the last recurrent layer.
        init: initial weights. book: normal, the word vectors' standard deviation 1/100, others 1/sqrt(rows). uniform:
            all in [-init_range, init_range], as in Zaremba et al. orthogonal: as book, but each block of Wh
            orthogonal. torch: recurrent weights in [-1/sqrt(H), 1/sqrt(H)], others in [-init_range, init_range], the
            output's bias 0, as in PyTorch's example and AWD-LSTM.
        init_range: bound of initial weights, for uniform and torch; at most 100, as the next two.
        bias_range: draw biases from [-bias_range, bias_range], for book and orthogonal; 0 for the book's zeros.
        forget_bias: added to the bias of an LSTM's forget gate, subtracted from that of a GRU's z (the input
            product's), to remember more at first. Source: Jozefowicz, Zaremba and Sutskever, An empirical exploration
            of recurrent network architectures, ICML 2015.
        dtype: of all weights.
        seed: of initial weights and dropout; in training also of random windows and the sample sentence.
    """

    model: str = "recurrent"
    context: int = CONTEXT
    cell: str = "rnn"
    layers: int = 1
    wordvec_size: int = 100
    hidden_size: int = 100
    last_hidden_size: int | None = None
    activation: Literal["tanh", "relu"] = "tanh"
    reset_after: bool = False
    tied: bool = False
    cutoffs: tuple[int, ...] = ()
    div_value: float = 4.0
    dropout_ratio: float = 0.0
    input_dropout: float | None = None
    hidden_dropout: float | None = None
    output_dropout: float | None = None
    variational: bool = False
    embed_dropout: float = 0.0
    weight_drop: float = 0.0
    recurrent_dropout: float = 0.0
    ar: float = 0.0
    tar: float = 0.0
    init: Literal["book", "uniform", "orthogonal", "torch"] = "book"
    init_range: float = 0.1
    bias_range: float = 0.0
    forget_bias: float = 0.0
    dtype: Literal["float32", "float64"] = "float32"
    seed: int = 0


@dataclass(frozen=True)
class ModelConfig(ModelOptions):
    """The checked configuration of a recurrent language model, saved beside its weights.

    Attributes:
        model: name of the model's class.
        vocab_size: V, number of words in the vocabulary.

    Raises:
        InputError: an option is out of range or incompatible with another.
    """

    model: str = "LanguageModel"
    vocab_size: int = 10_000

    def __post_init__(self) -> None:
        last = () if self.last_hidden_size is None else ("last_hidden_size",)
        for name in ("vocab_size", "wordvec_size", "hidden_size", *last):
            self._set(name, size(name, getattr(self, name)))
        if self.vocab_size == 1:
            raise InputError("vocab_size must be at least 2: one word leaves nothing to predict, got 1")
        self._set("layers", whole_number("layers", self.layers, 1, DEEPEST + 1))
        self._set("seed", whole_number("seed", self.seed, 0, 2**64))
        self._set("dtype", one_of("dtype", self.dtype, ("float32", "float64")))
        self._check_numbers()
        self._check_stack()

    def _set(self, name: str, value: Any) -> Any:
        """Set a checked field: its value is a plain Python number, because JSON can't hold NumPy's."""
        object.__setattr__(self, name, value)
        return value

    def _check_numbers(self) -> None:
        for name in ("dropout_ratio", "embed_dropout", "weight_drop", "recurrent_dropout"):
            self._set(name, share(name, getattr(self, name)))
        for name in ("input_dropout", "hidden_dropout", "output_dropout"):
            if getattr(self, name) is not None:
                self._set(name, share(name, getattr(self, name)))
        for name in ("ar", "tar"):
            self._set(name, not_negative(name, getattr(self, name)))
        self._set("bias_range", not_negative("bias_range", self.bias_range, LARGEST))
        self._set("init_range", positive("init_range", self.init_range, most=LARGEST))
        self._set("forget_bias", finite("forget_bias", self.forget_bias, LARGEST))
        for name in ("reset_after", "tied", "variational"):
            self._set(name, flag(name, getattr(self, name)))

    def _check_stack(self) -> None:
        self._check_context()
        self._check_cell()
        if self.reset_after and self.cell != "gru":
            raise InputError(f"reset_after is for cell gru, got cell {self.cell}")
        one_of("activation", self.activation, ACTIVATIONS)
        if self.activation != "tanh" and self.cell != "rnn":
            raise InputError(f"activation must be tanh, or relu for cell rnn, got {self.activation!r} for {self.cell}")
        if self.forget_bias and self.cell == "rnn":
            raise InputError("forget_bias is for cells with gates, lstm and gru, got cell rnn")
        if self.tied and self.hidden_sizes[-1] != self.wordvec_size:
            raise InputError(
                f"tied needs word vectors as long as the last hidden state, got wordvec_size {self.wordvec_size} and "
                f"{self.hidden_sizes[-1]} hidden units: set last_hidden_size or hidden_size to {self.wordvec_size}"
            )
        self._check_output()
        one_of("init", self.init, INITS)
        if self.bias_range and self.init in ("uniform", "torch"):
            raise InputError(f"bias_range is for init book or orthogonal: {self.init} draws biases by its own rule")

    def _check_output(self) -> None:
        self._set("cutoffs", expect_cutoffs(self.cutoffs, self.vocab_size))
        self._set("div_value", expect_div_value(self.div_value, self.hidden_sizes[-1], len(self.cutoffs)))
        if self.cutoffs and self.tied:
            raise InputError(
                f"tied needs one softmax over all words, got cutoffs {self.cutoffs}: the weights of rare words are "
                "shorter than their word vectors; leave out one of the two"
            )

    def _check_context(self) -> None:
        if whole_number("context", self.context, 1) != CONTEXT:
            raise InputError(
                f"context is for models nnlm and cbow-lm, got {self.context!r}: {self.model} sees all words"
            )

    def _check_cell(self) -> None:
        if isinstance(self.cell, str) and self.cell in CELLS:
            return
        given = str(self.cell).lower().removeprefix("time")
        if given.startswith("bi"):
            raise InputError(
                f"cell must not be bidirectional, got {self.cell!r}: a language model that also reads backwards would "
                "see the words it has to predict"
            )
        hint = did_you_mean(given, CELLS, cutoff=0.3)
        raise InputError(f"cell must be one of {', '.join(CELLS)}, got {self.cell!r}{hint}")

    @property
    def hidden_sizes(self) -> list[int]:
        """Hidden units of each recurrent layer."""
        last = self.hidden_size if self.last_hidden_size is None else self.last_hidden_size
        return [self.hidden_size] * (self.layers - 1) + [last]

    @property
    def output_width(self) -> int:
        """Number of scores of the first or only softmax: of words and, if adaptive, of clusters."""
        return self.cutoffs[0] + len(self.cutoffs) if self.cutoffs else self.vocab_size

    @property
    def clusters(self) -> list[tuple[int, int]]:
        """(units, words) of each cluster of an adaptive softmax."""
        return cluster_sizes(self.hidden_sizes[-1], self.vocab_size, self.cutoffs, self.div_value)

    @property
    def output_parameters(self) -> int:
        """Number of parameters of the output layer, tied weights not counted."""
        return output_parameters(0 if self.tied else self.hidden_sizes[-1], self.output_width, self.clusters)

    @property
    def cell_options(self) -> dict[str, Any]:
        """Further keyword arguments of a recurrent layer of this cell, besides weights and dropouts."""
        names = {"gru": ("reset_after",), "rnn": ("activation",)}.get(self.cell, ())
        return {name: getattr(self, name) for name in names}

    def ratio_of(self, name: str) -> float:
        """Return the dropout ratio of a place: input_dropout, hidden_dropout or output_dropout, else dropout_ratio."""
        own: float | None = getattr(self, name)
        return self.dropout_ratio if own is None else own

    @property
    def kept_as(self) -> str:
        """Number format of the weights, in memory and in a file."""
        return self.dtype

    @property
    def parameters(self) -> int:
        """Number of parameters of the model, a tied weight counted once."""
        D, gates, biases = self.wordvec_size, CELLS[self.cell].gates, 2 if self.reset_after else 1
        count = self.vocab_size * D + self.output_parameters
        for H in self.hidden_sizes:
            count += gates * H * (D + H + biases)
            D = H
        return count

    @property
    def kept(self) -> int:
        """Numbers that training stores for each token of a window, gradients included and scores excluded."""
        D, last, cell = self.wordvec_size, self.hidden_sizes[-1], CELLS[self.cell].layer
        count = 2 * D + 2 * last + 2 * sum(_dropped(self))
        for H in self.hidden_sizes:
            count += (cell.gates + len(cell.states)) * H + D
            D = H
        return count


def _dropped(model: ModelConfig) -> Iterator[int]:
    """Yield the width of each dropout layer of the model, for each of which a mask is stored."""
    *inner, last = model.hidden_sizes
    widths = {"input_dropout": [model.wordvec_size], "hidden_dropout": inner, "output_dropout": [last]}
    for name, places in widths.items():
        if model.ratio_of(name):
            yield from places


def initial_options(model: str, options: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the options of a model with fixed layers, checked to be in `INITIAL`.

    Raises:
        InputError: another option.
    """
    for name in options:
        if name not in INITIAL:
            raise InputError(f"options of {model} are {', '.join(INITIAL)}, got {name!r}: LanguageModel takes any")
    return options
