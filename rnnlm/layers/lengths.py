"""Rows of different lengths side by side, each in the first so many steps of a window, without masks in cells.

A layer that reads ahead runs on past the end of a short row; what it says there is not looked at, so the gradient there
is zero: the state at each row's own end is gathered. For a layer that reads back, each row is turned round within its
length.
"""

from rnnlm.backend import Array, xp
from rnnlm.layers.base import expect_ids
from rnnlm.layers.expected import expect_within

__all__ = ["add_to_ends", "checked_lengths", "ends", "turned", "without_pads"]


def checked_lengths(lengths: Array | None, N: int, T: int) -> Array | None:
    """Lengths (N,) as signed integers, checked on the host to be in [1, T]; None for rows that fill the window.

    Raises:
        InputError: another shape or dtype, or a row that is empty or longer than the window.
    """
    if lengths is None:
        return None
    expect_ids("lengths", lengths, (N,))
    expect_within("lengths", lengths, 1, T)
    return lengths.astype(xp.int64) if lengths.dtype.kind == "u" else lengths


def turned(xs: Array, lengths: Array | None) -> Array:
    """Each row of (N, T, D) turned round: the last of its steps first. What is after its end stays there.

    Doing it twice changes nothing, and the gradient is turned in the same way.
    """
    if lengths is None:
        return xs[:, ::-1]
    N, T, _ = xs.shape
    steps = xp.arange(T)[None]
    steps = xp.where(steps < lengths[:, None], lengths[:, None] - 1 - steps, steps)
    return xs[xp.arange(N)[:, None], steps]


def ends(hs: Array, lengths: Array | None) -> Array:
    """The last step of each row of (N, T, H): (N, H)."""
    return hs[:, -1] if lengths is None else hs[xp.arange(len(hs)), lengths - 1]


def add_to_ends(dhs: Array, dh: Array, lengths: Array | None) -> None:
    """Add to the gradient (N, T, H) of all steps that of the last ones, dh (N, H), in place."""
    if lengths is None:
        dhs[:, -1] += dh
    else:
        dhs[xp.arange(len(dhs)), lengths - 1] += dh  # each row once


def without_pads(ids: Array) -> tuple[Array, Array]:
    """Rows of ids (N, T) shifted so that each begins with its first word, and their lengths (N,); 0 is the pad.

    Pads between words stay and are read. A row of pads alone is one pad long.
    """
    expect_ids("ids", ids)
    words, T = ids != 0, ids.shape[1]
    begins = words.argmax(axis=1)
    lengths = xp.maximum(xp.where(words.sum(axis=1) > 0, T - words[:, ::-1].argmax(axis=1) - begins, 1), 1)
    places = xp.arange(T)[None] + begins[:, None]
    shifted = ids[xp.arange(len(ids))[:, None], xp.minimum(places, T - 1)]
    return xp.where(places < T, shifted, 0), lengths
