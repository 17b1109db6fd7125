"""Products of the previous state with Wh and their backward pass, with optional dropout of the state.

        out = (h_{t-1} m) Wh        dh_{t-1} = (da Whᵀ) m

m is one mask (N, H) for all time steps of a window: a new one at each step would accumulate noise over time. Source:
Gal and Ghahramani, A theoretically grounded application of dropout in recurrent neural networks, NIPS 2016.
"""

from collections.abc import Callable

from rnnlm.backend import Array, ops, xp

__all__ = ["from_state", "to_state"]

Multiply = Callable[[Array, Array], None]


def from_state(W: Array, mask: Array | None, rows: int, times: int) -> Multiply:
    """Return multiply(h, out), which writes (h mask) W to out, for h (rows, H); it will be called `times` times."""
    multiply = ops.multiplier(W, rows, times)
    if mask is None:
        return multiply
    dropped = xp.empty_like(mask)

    def of_dropped(h: Array, out: Array) -> None:
        xp.multiply(h, mask, out=dropped)
        multiply(dropped, out)

    return of_dropped


def to_state(W: Array, mask: Array | None, rows: int, times: int) -> Multiply:
    """Return multiply(da, out), which writes (da Wᵀ) mask to out, for da (rows, gH); `times` as in `from_state`."""
    multiply = ops.multiplier(W.T, rows, times)
    if mask is None:
        return multiply

    def to_dropped(da: Array, out: Array) -> None:
        multiply(da, out)
        xp.multiply(out, mask, out=out)

    return to_dropped
