"""The mean over time steps, or over the words of a context."""

from rnnlm.backend import Array, xp
from rnnlm.layers.base import Layer, Shape, expect

__all__ = ["MeanOverTime"]


class MeanOverTime(Layer):
    """The mean of the vectors of a window.  (N, T, D) -> (N, D)

    y = 1/T sum of x_t        dx_t = dy / T
    """

    def output_shape(self, shape: Shape) -> Shape:
        """(N, D)"""
        return shape[0], shape[-1]

    def forward(self, xs: Array) -> Array:
        """The mean (N, D) of the inputs (N, T, D) over T."""
        expect("xs", xs, ("N", "T", "D"))
        self._save(xs.shape, xs.dtype)
        return xs.mean(axis=1)

    def backward(self, dys: Array) -> Array:
        """Gradient (N, T, D) of the inputs: a view, the same at all time steps."""
        (N, T, D), dtype = self._restore()
        expect("dys", dys, (N, D), dtype)
        self._done()
        return xp.broadcast_to((dys / T)[:, None], (N, T, D))
