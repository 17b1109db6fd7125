"""Windows of rows of different lengths, each padded at its end, without masks in cells.

A layer that runs forward in time continues past the end of a short row; its outputs there are ignored, so their
gradient is zero, and the final state is gathered at each row's own end. For a layer that runs backward in time, each
row is reversed within its length.
"""

from rnnlm.backend import Array, xp
from rnnlm.layers.base import expect_ids
from rnnlm.layers.expected import expect_within

__all__ = ["add_to_ends", "checked_lengths", "ends", "turned", "without_pads"]


def checked_lengths(lengths: Array | None, N: int, T: int, least: int = 0) -> Array | None:
    """Return lengths (N,) as signed integers, checked on the host to be in [least, T]; None for rows that fill the
    window.

    Raises:
        InputError: another shape or dtype, or a row that is shorter or longer.
    """
    if lengths is None:
        return None
    expect_ids("lengths", lengths, (N,))
    expect_within("lengths", lengths, least, T)
    return lengths.astype(xp.int64) if lengths.dtype.kind == "u" else lengths


def turned(xs: Array, lengths: Array | None) -> Array:
    """Reverse each row of (N, T, D) in time within its length; later steps stay where they are.

    The function is its own inverse, and so reverses the gradient too.
    """
    if lengths is None:
        return xs[:, ::-1]
    N, T, _ = xs.shape
    steps = xp.arange(T)[None]
    steps = xp.where(steps < lengths[:, None], lengths[:, None] - 1 - steps, steps)
    return xs[xp.arange(N)[:, None], steps]


def ends(hs: Array, lengths: Array | None) -> Array:
    """Return the last valid step of each row of (N, T, H), (N, H); zeros for a row without steps."""
    if lengths is None:
        return hs[:, -1]
    return hs[xp.arange(len(hs)), xp.maximum(lengths, 1) - 1] * (lengths > 0)[:, None]


def add_to_ends(dhs: Array, dh: Array, lengths: Array | None) -> None:
    """Add dh (N, H), the gradient of each row's last valid step, to dhs (N, T, H), that of all steps, in place."""
    if lengths is None:
        dhs[:, -1] += dh
    else:
        last = xp.arange(len(dhs)), xp.maximum(lengths, 1) - 1  # no index repeats, so += is safe
        dhs[last] += dh * (lengths > 0)[:, None]


def without_pads(ids: Array) -> tuple[Array, Array]:
    """Return the rows of ids (N, T) shifted left past leading pads, and their lengths (N,); id 0 is the pad.

    Pads between words are kept and count. A row of pads only has length 0.
    """
    expect_ids("ids", ids)
    words, T = ids != 0, ids.shape[1]
    begins = words.argmax(axis=1)
    lengths = xp.where(words.sum(axis=1) > 0, T - words[:, ::-1].argmax(axis=1) - begins, 0)
    places = xp.arange(T)[None] + begins[:, None]
    shifted = ids[xp.arange(len(ids))[:, None], xp.minimum(places, T - 1)]
    return xp.where(places < T, shifted, 0), lengths
