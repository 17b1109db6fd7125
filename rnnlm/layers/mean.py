"""The mean over time steps, or over the words of a context."""

from rnnlm.backend import Array, xp
from rnnlm.layers.base import Layer, Shape, expect
from rnnlm.layers.lengths import checked_lengths

__all__ = ["MeanOverTime"]


class MeanOverTime(Layer):
    """The mean of the vectors of a window.  (N, T, D) -> (N, D)

    y = 1/T sum of x_t        dx_t = dy / T
    """

    takes_lengths = True

    def output_shape(self, shape: Shape) -> Shape:
        """(N, D)"""
        return shape[0], shape[-1]

    def forward(self, xs: Array, lengths: Array | None = None) -> Array:
        """Return the mean (N, D) of the inputs (N, T, D) over T, or over the first `lengths` (N,) steps of each row."""
        expect("xs", xs, ("N", "T", "D"))
        lengths = checked_lengths(lengths, *xs.shape[:2])
        shares = None
        if lengths is not None:
            counted = xp.arange(xs.shape[1])[None] < lengths[:, None]
            shares = (counted / xp.maximum(lengths, 1)[:, None]).astype(xs.dtype)[..., None]
        self.save_for_backward(xs.shape, xs.dtype, shares)
        return xs.mean(axis=1) if shares is None else (xs * shares).sum(axis=1)

    def backward(self, dys: Array) -> Array:
        """Return the gradient (N, T, D) of the inputs; without lengths a read-only broadcast view, as all time steps
        have the same."""
        (N, T, D), dtype, shares = self.saved_values()
        expect("dys", dys, (N, D), dtype)
        self.clear_saved_values()
        return xp.broadcast_to((dys / T)[:, None], (N, T, D)) if shares is None else dys[:, None] * shares
