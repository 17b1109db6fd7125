"""Products with the previous state, and the way back, with dropout of the state where there is some.

        out = (h_{t-1} m) Wh        dh_{t-1} = (da Whᵀ) m

m is one mask (N, H) for all time steps of a window: a fresh one at each step would pile up noise over time. Source: Gal
and Ghahramani, A theoretically grounded application of dropout in recurrent neural networks, NIPS 2016.
"""

from collections.abc import Callable

from rnnlm.backend import Array, ops, xp

__all__ = ["from_state", "to_state"]

Multiply = Callable[[Array, Array], None]


def from_state(W: Array, mask: Array | None, rows: int, times: int) -> Multiply:
    """multiply(h, out) for an h (rows, H) each of so many times, the mask (rows, H) put to it before."""
    multiply = ops.multiplier(W, rows, times)
    if mask is None:
        return multiply
    dropped = xp.empty_like(mask)

    def of_dropped(h: Array, out: Array) -> None:
        xp.multiply(h, mask, out=dropped)
        multiply(dropped, out)

    return of_dropped


def to_state(W: Array, mask: Array | None, rows: int, times: int) -> Multiply:
    """multiply(da, out) for the gradient (rows, g) of each of so many products, the mask put to what comes out."""
    multiply = ops.multiplier(W.T, rows, times)
    if mask is None:
        return multiply

    def to_dropped(da: Array, out: Array) -> None:
        multiply(da, out)
        xp.multiply(out, mask, out=out)

    return to_dropped
