"""Bidirectional layers: one layer runs forward in time, one backward. For tagging and encoders, not language models.

In a language model the layer that runs backward would see the very words that are to be predicted.
"""

from collections.abc import Mapping
from typing import Any, Self

from rnnlm.backend import Array, xp
from rnnlm.layers.base import Layer, Shape, expect
from rnnlm.layers.gru import TimeGRU
from rnnlm.layers.lengths import checked_lengths, turned
from rnnlm.layers.lstm import TimeLSTM
from rnnlm.layers.recurrent import Recurrent
from rnnlm.layers.rnn import TimeRNN

__all__ = ["Bidirectional", "TimeBiGRU", "TimeBiLSTM", "TimeBiRNN"]


class Bidirectional(Layer):
    """Two layers over the same inputs, their hidden states concatenated.  (N, T, D) -> (N, T, 2H)

        y_t = [ahead_t, back_t]       back reads x_T first and x_1 last

    Source: Schuster and Paliwal, Bidirectional recurrent neural networks, IEEE Transactions on Signal Processing 45
    (1997).

    Args:
        Wx1, Wh1, b1: weights of the layer that runs forward in time.
        Wx2, Wh2, b2: weights of the layer that runs backward in time.
        stateful: both begin a window with the state that their last one ended with.
        return_sequences: False to return only the final hidden states of both, (N, 2H).
        options: further arguments of both layers.

    Attributes:
        ahead, back: the two layers, each with its h and dh (c and dc).
    """

    names = ("Wx1", "Wh1", "b1", "Wx2", "Wh2", "b2")
    causal = False
    takes_lengths = True
    cell: type[Recurrent]

    def __init__(
        self,
        Wx1: Array,
        Wh1: Array,
        b1: Array,
        Wx2: Array,
        Wh2: Array,
        b2: Array,
        stateful: bool = False,
        return_sequences: bool = True,
        **options: Any,
    ) -> None:
        super().__init__()
        options = {"stateful": stateful, "return_sequences": return_sequences, **options}
        self.ahead, self.back = self.cell(Wx1, Wh1, b1, **options), self.cell(Wx2, Wh2, b2, **options)
        for array, other in zip(self.ahead.params, self.back.params):
            expect("the weights of the layer that reads back", other, array.shape, array.dtype)
        self.params = self.ahead.params + self.back.params
        self.grads = self.ahead.grads + self.back.grads

    @property
    def stateful(self) -> bool:
        """Whether both begin a window with the state that their last one ended with."""
        return self.ahead.stateful

    @property
    def return_sequences(self) -> bool:
        """Whether all hidden states are returned."""
        return self.ahead.return_sequences

    @classmethod
    def of_size(cls, inputs: int, hidden: int, dtype: str = "float32", **options: Any) -> Self:
        """Return a layer of D inputs and H hidden units a direction that draws its own weights; see `Recurrent`."""
        ahead, back = (cls.cell.of_size(inputs, hidden, dtype, **options) for _ in range(2))
        (Wx1, Wh1, b1), (Wx2, Wh2, b2) = ahead.params, back.params
        layer = cls(Wx1, Wh1, b1, Wx2, Wh2, b2, **options)
        layer.ahead.draws = layer.back.draws = True
        return layer

    def parts(self) -> Mapping[str, Layer]:
        """The two layers."""
        return {"ahead": self.ahead, "back": self.back}

    @property
    def takes(self) -> int | None:
        """D."""
        return self.ahead.takes

    def output_shape(self, shape: Shape) -> Shape:
        """(N, T, 2H), or (N, 2H) for the final hidden states only."""
        *kept, H = self.ahead.output_shape(shape)
        return *kept, 2 * int(H)

    def forward(self, xs: Array, lengths: Array | None = None) -> Array:
        """Return the hidden states (N, T, 2H) of the inputs (N, T, D), or the final ones (N, 2H).

        Args:
            xs: inputs.
            lengths: (N,) number of valid steps in each row, in [0, T]: `back` starts at the last of them. Outputs after
                a row's length are undefined.
        """
        self.ahead.train_flg = self.back.train_flg = self.train_flg
        expect("xs", xs, ("N", "T", self.takes or "D"), self.dtype)
        lengths = checked_lengths(lengths, *xs.shape[:2])
        ahead, back = self.ahead.forward(xs, lengths), self.back.forward(turned(xs, lengths), lengths)
        self.save_for_backward(lengths, xs.shape[: 2 if self.return_sequences else 1])
        return xp.concatenate([ahead, turned(back, lengths) if self.return_sequences else back], axis=-1)

    def backward(self, dhs: Array) -> Array:
        """Return the gradient (N, T, D) of the inputs and write those of the weights to `grads`."""
        H = len(self.params[1])
        lengths, like = self.saved_values()
        expect("dhs", dhs, (*like, 2 * H), self.dtype)
        self.clear_saved_values()
        ahead, back = dhs[..., :H], dhs[..., H:]
        dxs = self.ahead.backward(ahead)
        return dxs + turned(self.back.backward(turned(back, lengths) if self.return_sequences else back), lengths)

    def check_state(self, *state: Array | None) -> None:
        """Check arguments for `set_state`; errors are those of the two layers."""
        half = len(self.ahead.states)
        self.ahead.check_state(*state[:half])
        self.back.check_state(*state[half:])

    def check_batch(self, N: int) -> None:
        """Check that the carried states, if there are any, have batch size N; errors are those of the two layers."""
        self.ahead.check_batch(N)
        self.back.check_batch(N)

    def set_state(self, *state: Array | None) -> None:
        """Begin the next window with copies of these states (N, H): those of `ahead`, then those of `back`."""
        self.check_state(*state)
        half = len(self.ahead.states)
        self.ahead.set_state(*state[:half])
        self.back.set_state(*(state[half:] or (None,)))

    def get_state(self) -> tuple[Array, ...] | None:
        """Return copies of the states of both, to be restored by `set_state(*state)`; None for zeros."""
        ahead, back = self.ahead.get_state(), self.back.get_state()
        return None if ahead is None or back is None else ahead + back

    def reset_state(self) -> None:
        """Begin the next window with zeros."""
        self.ahead.reset_state()
        self.back.reset_state()


class TimeBiRNN(Bidirectional):
    """Two `TimeRNN`, one forward and one backward in time."""

    cell = TimeRNN


class TimeBiLSTM(Bidirectional):
    """Two `TimeLSTM`, one forward and one backward in time."""

    cell = TimeLSTM


class TimeBiGRU(Bidirectional):
    """Two `TimeGRU`, one forward and one backward in time."""

    cell = TimeGRU
