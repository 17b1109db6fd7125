"""Activation regularisation (AR, TAR): a penalty on hidden states while training."""

from rnnlm.backend import Array, xp
from rnnlm.checks import not_negative
from rnnlm.layers.base import Layer, batch_first, expect, time_major

__all__ = ["TimeActivationRegularization"]


class TimeActivationRegularization(Layer):
    """The identity, with a penalty on large (AR) and fast-changing (TAR) hidden states.  (N, T, H) -> (N, T, H)

        penalty = ar mean(h²) + tar mean((h_{t+1} - h_t)²)
        dh = dy + 2 ar h / (N T H) + 2 tar ((h_t - h_{t-1}) - (h_{t+1} - h_t)) / (N (T-1) H)

    If some steps are padding (`counted`), the means are over the other steps, and over pairs of adjacent ones.

    Source: Merity, McCann and Socher, Revisiting activation regularization for language RNNs, 2017.

    Args:
        ar, tar: weights of the two terms, at least 0.

    Attributes:
        penalty: of the last forward, in nats; 0 while evaluating. `backward` adds its gradient, but the loss itself
            stays the cross-entropy, whose exp is the perplexity.
        train_flg: True to penalise, False for the identity alone.
        counted: (N, T) mask of the steps of the next window that count; None for all.
    """

    repeatable = True
    regularizes = True

    def __init__(self, ar: float = 0.0, tar: float = 0.0) -> None:
        super().__init__()
        self.ar, self.tar = not_negative("ar", ar), not_negative("tar", tar)
        self.penalty: Array | float = 0.0

    def forward(self, xs: Array) -> Array:
        """Return the hidden states (N, T, H) unchanged and set `penalty`."""
        expect("xs", xs, ("N", "T", "H"))
        h = time_major(xs)
        self.penalty = 0.0
        each, pairs = self._shares(h) if self.train_flg else (None, None)
        self.counted = None  # it was for this window only
        if self.train_flg and self.ar:
            self.penalty = self.ar * _mean(h * h, each)
        if self.train_flg and self.tar and len(h) > 1:
            slope = h[1:] - h[:-1]
            self.penalty = self.penalty + self.tar * _mean(slope * slope, pairs)
        self.save_for_backward(h, self.train_flg, each, pairs)
        return xs

    def backward(self, dys: Array) -> Array:
        """Return the gradient (N, T, H) of the inputs: that of the outputs plus that of the penalty."""
        h, train_flg, each, pairs = self.saved_values()
        T, N, H = h.shape
        expect("dys", dys, (N, T, H), h.dtype)
        self.clear_saved_values()
        if not train_flg:
            return dys
        dx = self._buffer("dxs", h.shape, h.dtype)
        xp.multiply(h, 2 * self.ar / h.size if each is None else 2 * self.ar * each, out=dx)
        dx += dys.swapaxes(0, 1)
        if T > 1 and self.tar:
            pull = xp.subtract(h[1:], h[:-1], out=self._buffer("pull", (T - 1, N, H), h.dtype))
            pull *= 2 * self.tar / (h.size - N * H) if pairs is None else 2 * self.tar * pairs
            dx[1:] += pull
            dx[:-1] -= pull
        return batch_first(dx)

    def _shares(self, h: Array) -> tuple[Array | None, Array | None]:
        """Return the weights of steps (T, N, 1) and of adjacent pairs (T-1, N, 1) in the means; None if all count."""
        if self.counted is None:
            return None, None
        steps, H = self.counted.T[..., None], h.shape[2]
        each, pairs = (
            (which / xp.maximum(which.sum() * H, 1)).astype(h.dtype) for which in (steps, steps[1:] & steps[:-1])
        )
        return each, pairs


def _mean(squares: Array, shares: Array | None) -> Array:
    return squares.mean() if shares is None else (squares * shares).sum()
