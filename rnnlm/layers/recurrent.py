"""Base class of the recurrent layers: everything but the equations of their cells."""

from collections.abc import Callable, Sequence
from typing import Any

from rnnlm.backend import Array, ops, xp
from rnnlm.checks import Checked, flag
from rnnlm.errors import InputError
from rnnlm.layers.base import Shape, batch_first, expect, time_major
from rnnlm.layers.dropout import DropoutMask
from rnnlm.layers.expected import expect_weights
from rnnlm.layers.initialization import Drawn
from rnnlm.layers.lengths import add_to_ends, checked_lengths, ends

__all__ = ["Recurrent"]


class Recurrent(Drawn):
    """A recurrent layer over T time steps.  (N, T, D) -> (N, T, H)

    All inputs are multiplied with Wx in one matrix product before the loop over time, and dWx, dWh and db are one
    product each after it: only h_{t-1} Wh has to wait for the previous step. A subclass implements the two loops,
    `_window_forward` and `_window_backward`.

    Args:
        Wx: (D, gH) weights of the input, the g blocks of the gates side by side.
        Wh: (H, gH) weights of the previous hidden state.
        b: (gH,) bias.
        stateful: True to begin a window with the state that the last one ended with; False for zeros.
        return_sequences: False to return only the last hidden state (N, H).
        weight_drop: share of the entries of Wh dropped while training, with one mask for each window. Source: Merity,
            Keskar and Socher, Regularizing and optimizing LSTM language models, ICLR 2018.
        recurrent_dropout: share of the entries of h_{t-1} dropped in its product with Wh while training, with one mask
            (N, H) for all time steps of a window (`state_products.py`).

    Attributes:
        h: (N, H) state after the last time step; None for zeros.
        dh: (N, H) gradient of the window's initial state, valid from a backward until the next one.
    """

    names = ("Wx", "Wh", "b")
    takes_lengths = True
    gates = 1
    biases = 1
    return_sequences = Checked(flag)
    dh: Array | None

    def __init__(
        self, Wx: Array, Wh: Array, b: Array, stateful: bool = False, return_sequences: bool = True,
        weight_drop: float = 0.0, recurrent_dropout: float = 0.0,
    ) -> None:  # fmt: skip
        expect_weights(Wx, Wh, b, self.gates, self.biases)
        super().__init__(Wx, Wh, b)
        self.stateful, self.return_sequences = stateful, return_sequences
        self.mask = DropoutMask(weight_drop, "weight_drop")
        self.state_mask = DropoutMask(recurrent_dropout, "recurrent_dropout")
        self.reset_state()
        for name in self.states:
            setattr(self, f"d{name}", None)

    @property
    def takes(self) -> int:
        """D."""
        return len(self.params[0])

    def output_shape(self, shape: Shape) -> Shape:
        """(N, T, H), or (N, H) for the last hidden states only."""
        kept = shape[:-1] if self.return_sequences else shape[:1]
        return *kept, len(self.params[1])

    def forward(self, xs: Array, lengths: Array | None = None) -> Array:
        """Return the hidden states (N, T, H) of the inputs (N, T, D), or the last ones (N, H).

        Args:
            xs: inputs.
            lengths: (N,) number of valid steps in each row, in [0, T]: a row's last hidden state is that of its last
                valid step, zeros if it has none. Outputs after a row's length are undefined. Not for a stateful layer.

        Raises:
            InputError: wrong shape or dtype, lengths for a stateful layer, or a carried state of another batch size.
        """
        expect("xs", xs, ("N", "T", self.takes), self.dtype)
        lengths = checked_lengths(lengths, *xs.shape[:2])
        if lengths is not None and self.stateful:
            raise InputError("lengths are for layers that begin with zeros: a stateful one would go on from a pad")
        x = time_major(xs)
        T, N, D = x.shape
        self.check_batch(N)
        states = [self._buffer(f"{name}s", (T + 1, N, len(self.params[1])), self.dtype) for name in self.states]
        a = self._preactivations(states[0])
        W, mask, m, kept = self._run(x.reshape(T * N, D), a, states)
        self.save_for_backward(x, a, W, mask, m, states, kept, lengths)
        hs = batch_first(states[0][1:])
        return hs if self.return_sequences else ends(hs, lengths)

    def stepper(self, N: int) -> Callable[[Array], Array]:
        """As `Layer.stepper`, from inputs (N, D) to hidden states (N, H)."""
        shape, dtype = (N, self.takes), self.dtype
        states = [xp.zeros((2, N, len(self.params[1])), dtype) for _ in self.states]
        a = self._preactivations(states[0])

        def step(x: Array) -> Array:
            expect("xs", x, shape, dtype)
            self.clear_saved_values()
            self._run(x, a, states)
            return states[0][1]

        return step

    def _run(self, x: Array, a: Array, states: Sequence[Array]) -> tuple[Any, ...]:
        """Run over the inputs x (T N, D), from the carried state, and update it.

        Args:
            a, states: memory for the pre-activations (T, N, gH) and the states (T+1, N, H).

        Returns:
            what backward needs: the recurrent weights after weight drop and the mask that was applied to Wh, the mask
            of the state, and what `_window_forward` returned.
        """
        for name, steps in zip(self.states, states):
            steps[0] = self._initial(name)  # before the rest is overwritten: the state may be a view of steps[-1]
        rows, b = a.reshape(len(x), -1), self.params[2]
        self._multiply_inputs(x, rows)
        rows += b if self.biases == 1 else b[0]
        W, mask = self._state_weights()
        m = self.state_mask.draw(states[0].shape[1:], self.dtype) if self.train_flg else None
        kept = self._window_forward(a, W, m, *states)
        for name, steps in zip(self.states, states):
            setattr(self, name, steps[-1])
        return W, mask, m, kept

    def backward(self, dhs: Array, *dlast: Array | None) -> Array:
        """Return the gradient (N, T, D) of the inputs; write those of the weights to `grads`, the state's to `dh`.

        Args:
            dhs: gradient of what forward returned, (N, T, H) or (N, H).
            dlast: further gradients (N, H) of the state after the last time step, h first, if it was used elsewhere;
                None or left out for zeros.
        """
        Wx, Wh, _ = self.params
        dWx, dWh, _ = self.grads
        x, a, W, mask, m, states, kept, lengths = self.saved_values()
        T, N, D = x.shape
        expect("dhs", dhs, (N, T, len(Wh)) if self.return_sequences else (N, len(Wh)), self.dtype)
        if len(dlast) > len(self.states):
            raise InputError(f"dlast must be the gradients of {', '.join(self.states)}, got {len(dlast)} of them")
        given = [*dlast, *[None] * (len(self.states) - len(dlast))]
        for name, last in zip(self.states, given):
            if last is not None:
                expect(f"d{name} of the last step", last, (N, len(Wh)), self.dtype)
        self.clear_saved_values()
        dstates = [self._buffer(f"d{name}", (N, len(Wh)), self.dtype) for name in self.states]
        for name, dstate, last in zip(self.states, dstates, given):
            dstate[...] = 0 if last is None else last
            setattr(self, f"d{name}", dstate)
        das, of_state = self._window_backward(self._time_major(dhs, T, lengths), a, W, m, states, dstates, kept)
        rows = das.reshape(T * N, -1)
        h_prevs = states[0][:-1]
        if m is not None:  # Wh was multiplied with the masked states
            h_prevs, kept = h_prevs * m, None if kept is None else kept * m

        def of_weights() -> None:
            ops.matmul(x.reshape(T * N, D).T, rows, out=dWx)
            self._hidden_gradients(rows, of_state.reshape(T * N, -1), h_prevs.reshape(T * N, -1), kept)
            if mask is not None:
                xp.multiply(dWh, mask, out=dWh)

        ops.beside(of_weights)
        dx = self._buffer("dx", x.shape, self.dtype)
        ops.matmul(rows, Wx.T, out=dx.reshape(T * N, D))
        return batch_first(dx)

    def _time_major(self, dhs: Array, T: int, lengths: Array | None) -> Array:
        """Return the gradients (T, N, H) of all hidden states: dhs itself, or zeros but for each row's last state."""
        if self.return_sequences:
            return dhs.swapaxes(0, 1)
        all_steps = self._buffer("dhs", (T, *dhs.shape), self.dtype)
        all_steps[...] = 0
        add_to_ends(batch_first(all_steps), dhs, lengths)
        return all_steps

    def _multiply_inputs(self, x: Array, out: Array) -> None:
        """Write x Wx of all time steps, (T N, gH), to `out`."""
        ops.matmul(x, self.params[0], out=out)

    def _state_weights(self) -> tuple[Array, Array | None]:
        """Return the recurrent weights (H, gH) for a window, with weight drop, and the mask applied to Wh, or None."""
        Wh = self.params[1]
        mask = self.mask.draw(Wh.shape, self.dtype) if self.train_flg else None
        if mask is None:
            return Wh, None
        return xp.multiply(Wh, mask, out=self._buffer("W", Wh.shape, self.dtype)), mask

    def _preactivations(self, hs: Array) -> Array:
        """Return memory (T, N, gH) for x Wx + b of all time steps; hs is (T+1, N, H)."""
        T, N, H = hs.shape
        return self._buffer("a", (T - 1, N, self.gates * H), self.dtype)

    def _hidden_gradients(self, das: Array, of_state: Array, h_prevs: Array, _kept: Any) -> None:
        """Write dWh and db to `grads`.

        Args:
            das, of_state: (T N, gH), what `_window_backward` returned.
            h_prevs: (T N, H) all h_{t-1}, masked.
            _kept: what `_window_forward` returned, masked.
        """
        _, dWh, db = self.grads
        ops.matmul(h_prevs.T, of_state, out=dWh)
        ops.matmul(self._ones(len(das)), das, out=db[None])  # a sum over rows, 4 times faster than sum

    @property
    def masks(self) -> tuple[DropoutMask, ...]:
        """The masks of Wh and of the state."""
        return self.mask, self.state_mask

    def _window_forward(self, a: Array, Wh: Array, m: Array | None, *states: Array) -> Array | None:
        """Run over time. `a` (T, N, gH) and the states (T+1, N, H) are overwritten with what backward needs; m is the
        mask (N, H) of the state, or None.

        Returns whatever else backward needs, (T, N, H), or None.
        """
        raise NotImplementedError

    def _window_backward(
        self, dhs: Array, a: Array, Wh: Array, m: Array | None, states: Sequence[Array], dstates: Sequence[Array],
        kept: Any,
    ) -> tuple[Array, Array]:  # fmt: skip
        """Run back over time.

        Args:
            dhs: (T, N, H) gradients of h_t from above.
            a, Wh, m, states: as `_window_forward` took and left them.
            dstates: (N, H) gradients of the states after the window, overwritten with those of the states before it.
            kept: what `_window_forward` returned.

        Returns:
            gradients (T, N, gH), contiguous, of x_t Wx and of h_{t-1} Wh; the same array twice for a cell that uses
            only the sum of the two products.
        """
        raise NotImplementedError
