"""The layers of a recurrent language model with small weights: the equations of those that are trained, forward alone.

They have the names, the states and the shapes of those; what they multiply with is a `SmallMatrix`.
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

FEWER = 4  # parts of the scores that stand in memory at once elsewhere: no slower here, and memory is what this is for


def not_trained() -> NoReturn:
    """Say that small weights are for inference."""
    raise InputError(
        "a model with small weights can't be trained: an update is smaller than what tells two of its numbers apart. "
        "Train the float32 model that it was made of, and quantize that again"
    )


class Small(Layer):
    """What the three share: small matrices by name, which are listed in `params` as what they are made of."""

    small: Mapping[str, SmallMatrix]

    def _own(self, dtype: Any, small: Mapping[str, SmallMatrix], *plain: tuple[str, Array]) -> None:
        """Make matrices, and arrays as they are, this layer's parameters: the codes first, the scales last.

        Args:
            dtype: of the activations.
            small, plain: by name.
        """
        self._dtype = dtype
        made = [list(matrix.arrays(name).items()) for name, matrix in small.items()]
        listed = [*(codes for codes, *_ in made), *plain, *(scales for _, *rest in made for scales in rest)]
        self.small, self.names = small, tuple(name for name, _ in listed)
        self.params, self.grads = [array for _, array in listed], []

    @property
    def dtype(self) -> Any:
        """Of the activations."""
        return self._dtype

    def share(self, other: "Small") -> None:
        """Take another layer's weights, of which this one is a copy, for its own."""
        self.small, self.params = other.small, other.params

    def backward(self, *_gradients: Any) -> NoReturn:
        """There is none."""
        not_trained()


class SmallEmbedding(Small):
    """Look up the vectors of a window's words.  ids (N, T) -> (N, T, D)

    Args:
        W: (V, D) word vectors, a scale for each.
        dtype: of what comes out.
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
        """Vectors (N, T, D) of the words `ids` (N, T), integers in [0, V); errors as `TimeEmbedding`."""
        V, D = self.small["W"].shape
        expect_ids("ids", ids, ("N", "T"), V)
        N, T = ids.shape
        vectors = self._buffer("vectors", (T * N, D), self.dtype)
        self.small["W"].rows(time_major(ids).reshape(-1), vectors)
        return batch_first(vectors.reshape(T, N, D))


class SmallRecurrent(Small, Recurrent):
    """A recurrent layer over T time steps.  (N, T, D) -> (N, T, H)

    Wh is made larger for a window, once for all its time steps, in memory that all layers of a model share; Wx, which
    is needed once, in blocks.

    Args:
        Wx: (D, gH), a scale for each column.
        Wh: (H, gH), the same.
        b: (gH,) bias, or (2, gH), as it is.
        memory: for Wh, by name.
        options: of the layer that is trained.
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
    """`TimeRNN` with small weights."""


class SmallLSTM(SmallRecurrent, TimeLSTM):
    """`TimeLSTM` with small weights."""


class SmallGRU(SmallRecurrent, TimeGRU):
    """`TimeGRU` with small weights."""


SMALL_CELLS: dict[str, type[SmallRecurrent]] = {"rnn": SmallRNN, "lstm": SmallLSTM, "gru": SmallGRU}


class SmallOutput(Small, Head):
    """Affine, softmax and mean cross-entropy in nats.  (N, T, H), (N, T) -> ()

    Args:
        W: (H, V), a scale for each word; with `tied` the transpose of the embedding's, which lists it.
        b: (V,) bias.
        tied: whether it is.
    """

    called = "affine"

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
        """As `Head` has it; there is nothing to keep. The scores of some rows at a time stand in memory."""
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
        """Scores (N, T, V) of the words after hidden states (N, T, H)."""
        expect("xs", h, ("N", "T", self.takes), self.dtype)
        N, T, H = h.shape
        scores = self._buffer("scores", (T * N, len(self._bias)), self.dtype)
        self.small["W"].product(time_major(h).reshape(T * N, H), scores)
        scores += self._bias
        return batch_first(scores.reshape(T, N, -1))

    @property
    def _bias(self) -> Array:
        return self.params[self.names.index("b")]
