"""The layers of a recurrent language model with quantised weights (`SmallMatrix`): forward only, no training.

Equations, names, states and shapes are those of the layers that are trained.
"""

from collections.abc import Mapping, MutableMapping
from typing import Any, NoReturn

from rnnlm.backend import Array, ops, xp
from rnnlm.backend.memory import reused
from rnnlm.checks import flag
from rnnlm.errors import InputError
from rnnlm.layers.base import Layer, Shape, batch_first, expect, expect_ids, time_major
from rnnlm.layers.gru import TimeGRU
from rnnlm.layers.heads.base import Head
from rnnlm.layers.heads.softmax import exp_scores
from rnnlm.layers.lstm import TimeLSTM
from rnnlm.layers.recurrent import Recurrent
from rnnlm.layers.rnn import TimeRNN
from rnnlm.layers.small import SmallMatrix

__all__ = ["SMALL_CELLS", "Small", "SmallEmbedding", "SmallOutput", "SmallRecurrent", "not_trained"]

FEWER = 4  # divides the number of scores held in memory at once: no slower here, and saves memory


def not_trained() -> NoReturn:
    """Raise the InputError that quantised weights can't be trained."""
    raise InputError(
        "a quantized model can't be trained: its numbers are too coarse for the small changes of a step. Train the "
        "float32 model that it was made from, and quantize that again"
    )


class Small(Layer):
    """Base class of the layers here: quantised matrices by name; `params` lists their codes and scales."""

    small: Mapping[str, SmallMatrix]

    def _own(self, dtype: Any, small: Mapping[str, SmallMatrix], *plain: tuple[str, Array]) -> None:
        """Set this layer's parameters: first the codes, then the plain arrays, then the scales.

        Args:
            dtype: of the activations.
            small: quantised matrices by name.
            plain: (name, array) of parameters that are not quantised.
        """
        self._dtype = dtype
        made = [list(matrix.arrays(name).items()) for name, matrix in small.items()]
        listed = [*(codes for codes, *_ in made), *plain, *(scales for _, *rest in made for scales in rest)]
        self.small, self.names = small, tuple(name for name, _ in listed)
        self.params, self.grads = [array for _, array in listed], []

    @property
    def dtype(self) -> Any:
        """dtype of the activations."""
        return self._dtype

    def share(self, other: "Small") -> None:
        """Use the weights of another layer, of which this one is a copy, without copying them."""
        self.small, self.params = other.small, other.params

    def backward(self, *_gradients: Any) -> NoReturn:
        """Raise InputError: there is no backward."""
        not_trained()


class SmallEmbedding(Small):
    """Look up the vectors of a window's words.  ids (N, T) -> (N, T, D)

    Args:
        W: (V, D) word vectors, with one scale a row.
        dtype: of the outputs.
    """

    def __init__(self, W: SmallMatrix, dtype: Any) -> None:
        super().__init__()
        self._own(dtype, {"W": W})

    @property
    def takes_ids(self) -> int:
        """V."""
        return self.small["W"].shape[0]

    def output_shape(self, shape: Shape) -> Shape:
        """(..., D)"""
        return *shape, self.small["W"].shape[1]

    def forward(self, ids: Array) -> Array:
        """Return the vectors (N, T, D) of the words `ids` (N, T), integers in [0, V); errors as `TimeEmbedding`."""
        V, D = self.small["W"].shape
        expect_ids("ids", ids, ("N", "T"), V)
        N, T = ids.shape
        vectors = self._buffer("vectors", (T * N, D), self.dtype)
        self.small["W"].rows(time_major(ids).reshape(-1), vectors)
        return batch_first(vectors.reshape(T, N, D))


class SmallRecurrent(Small, Recurrent):
    """A recurrent layer over T time steps.  (N, T, D) -> (N, T, H)

    Wh is dequantised once for all time steps of a window, in memory that all layers of a model share. Wx is used in
    one product only and stays quantised (`small_product`).

    Args:
        Wx: (D, gH), with one scale a column.
        Wh: (H, gH), the same.
        b: (gH,) bias, or (2, gH), not quantised.
        memory: for the dequantised Wh, shared between layers.
        options: further arguments of the layer that is trained.
    """

    def __init__(
        self, Wx: SmallMatrix, Wh: SmallMatrix, b: Array, memory: MutableMapping[str, Array], **options: Any
    ) -> None:
        super().__init__(xp.zeros(Wx.shape, b.dtype), xp.zeros(Wh.shape, b.dtype), b, stateful=True, **options)
        self._own(b.dtype, {"Wx": Wx, "Wh": Wh}, ("b", b))
        self._memory = memory

    def _multiply_inputs(self, x: Array, out: Array) -> None:
        self.small["Wx"].product(x, out)

    def _state_weights(self) -> tuple[Array, None]:
        Wh = self.small["Wh"]
        return Wh.whole(reused(self._memory, "Wh", Wh.shape, self.dtype, xp.empty)), None


class SmallRNN(SmallRecurrent, TimeRNN):
    """`TimeRNN` with quantised weights."""


class SmallLSTM(SmallRecurrent, TimeLSTM):
    """`TimeLSTM` with quantised weights."""


class SmallGRU(SmallRecurrent, TimeGRU):
    """`TimeGRU` with quantised weights."""


SMALL_CELLS: dict[str, type[SmallRecurrent]] = {"rnn": SmallRNN, "lstm": SmallLSTM, "gru": SmallGRU}


class SmallOutput(Small, Head):
    """Affine, softmax and mean cross-entropy in nats.  (N, T, H), (N, T) -> ()

    Args:
        W: (H, V), with one scale a word.
        b: (V,) bias.
        tied: True if W is the transpose of the embedding's matrix, whose layer lists it among its parameters.
    """

    called = "affine"
    ignores = True

    def __init__(self, W: SmallMatrix, b: Array, tied: bool) -> None:
        super().__init__()
        self._own(b.dtype, {} if tied else {"W": W}, ("b", b))
        self.small = {"W": W}

    @property
    def takes(self) -> int:
        """H."""
        return self.small["W"].shape[0]

    def output_shape(self, shape: Shape) -> Shape:
        """(N, T, V), of the scores."""
        return *shape[:-1], len(self._bias)

    def loss(self, h: Array, ts: Array, keep: bool = True) -> Array:
        """As `Head.loss`, but nothing is saved for a backward. Scores are computed for a block of rows at a time."""
        flag("keep", keep)
        V = len(self._bias)
        expect("xs", h, ("N", "T", self.takes), self.dtype)
        N, T, H = h.shape
        x = time_major(h).reshape(T * N, H)
        targets, shares, _, totals, nats = self._weighed(ts, N, T, V, self.dtype)
        length = min(len(x), max(1, ops.SCORES_ONCE // FEWER // V))
        memory = self._buffer("scores", (length, V), self.dtype)
        for i in range(0, len(x), length):
            rows = slice(i, min(i + length, len(x)))
            scores = memory[: rows.stop - i]
            self.small["W"].product(x[rows], scores)
            exp_scores(scores, self._bias, targets[rows], nats[rows], totals[rows])
        return self._mean(nats, shares, N, T)

    def scores(self, h: Array) -> Array:
        """Return the scores (N, T, V) of the words after hidden states (N, T, H)."""
        expect("xs", h, ("N", "T", self.takes), self.dtype)
        N, T, H = h.shape
        scores = self._buffer("scores", (T * N, len(self._bias)), self.dtype)
        self.small["W"].product(time_major(h).reshape(T * N, H), scores)
        scores += self._bias
        return batch_first(scores.reshape(T, N, -1))

    @property
    def _bias(self) -> Array:
        return self.params[self.names.index("b")]
