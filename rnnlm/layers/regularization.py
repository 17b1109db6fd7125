"""Activation regularisation: a penalty on hidden states while training."""

from rnnlm.backend import Array, xp
from rnnlm.checks import not_negative
from rnnlm.layers.base import Layer, batch_first, expect, time_major

__all__ = ["TimeActivationRegularization"]


class TimeActivationRegularization(Layer):
    """Passes hidden states on, and asks for small ones (AR) and slow ones (TAR) while training.  (N, T, H) -> (N, T, H)

        penalty = ar mean(h²) + tar mean((h_{t+1} - h_t)²)
        dh = dy + 2 ar h / (N T H) + 2 tar ((h_t - h_{t-1}) - (h_{t+1} - h_t)) / (N (T-1) H)

    Where some steps only fill up shorter rows (`counted`), the means are over the others, and over pairs of them.

    Source: Merity, McCann and Socher, Revisiting activation regularization for language RNNs, 2017.

    Args:
        ar, tar: the two weights, 0 or more.

    Attributes:
        penalty: nats of the last forward, 0 while evaluating. Its gradient goes back with that of the loss; the loss
            itself stays the cross-entropy, whose exp is the perplexity.
        train_flg: True to ask, False to pass everything on as it is.
        counted: (N, T) which steps of the next window count; None for all.
    """

    repeatable = True
    regularizes = True

    def __init__(self, ar: float = 0.0, tar: float = 0.0) -> None:
        super().__init__()
        self.ar, self.tar = not_negative("ar", ar), not_negative("tar", tar)
        self.penalty: Array | float = 0.0

    def forward(self, xs: Array) -> Array:
        """The hidden states (N, T, H) as they are; their penalty is left in `penalty`."""
        expect("xs", xs, ("N", "T", "H"))
        h = time_major(xs)
        self.penalty = 0.0
        each, pairs = self._shares(h) if self.train_flg else (None, None)
        self.counted = None  # it was said of this window
        if self.train_flg and self.ar:
            self.penalty = self.ar * _mean(h * h, each)
        if self.train_flg and self.tar and len(h) > 1:
            slope = h[1:] - h[:-1]
            self.penalty = self.penalty + self.tar * _mean(slope * slope, pairs)
        self._save(h, self.train_flg, each, pairs)
        return xs

    def backward(self, dys: Array) -> Array:
        """Gradient (N, T, H) of the inputs: that of the outputs and that of the penalty."""
        h, train_flg, each, pairs = self._restore()
        T, N, H = h.shape
        expect("dys", dys, (N, T, H), h.dtype)
        self._done()
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
        """The share of each step (T, N, 1), and of each pair of them (T-1, N, 1), in its mean; None if all count."""
        if self.counted is None:
            return None, None
        steps, H = self.counted.T[..., None], h.shape[2]
        each, pairs = (
            (which / xp.maximum(which.sum() * H, 1)).astype(h.dtype) for which in (steps, steps[1:] & steps[:-1])
        )
        return each, pairs


def _mean(squares: Array, shares: Array | None) -> Array:
    return squares.mean() if shares is None else (squares * shares).sum()
