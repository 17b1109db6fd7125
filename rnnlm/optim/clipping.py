"""Gradient clipping by global norm."""

from collections.abc import Sequence

from rnnlm.backend import Array, ops, xp
from rnnlm.errors import InputError

__all__ = ["clip_grads"]


def clip_grads(grads: Sequence[Array], max_norm: float) -> Array:
    """Scale all gradients by one factor so that their global norm is at most `max_norm`, in place.

        g = g * min(1, max_norm / (|g| + 1e-6))

    A norm that is NaN or infinite clears the gradients instead: the update that follows changes nothing it should
    not, and a GPU need not be waited for to find out.

    Source: Pascanu, Mikolov and Bengio, On the difficulty of training recurrent neural networks, ICML 2013.

    Args:
        grads: arrays, changed in place.
        max_norm: positive; infinite to measure only.

    Returns:
        norm: the global norm before clipping, a 0-d array or scalar of the backend.
    """
    if not max_norm > 0:
        raise InputError(f"max_norm must be positive, got {max_norm}")
    with ops.quiet():
        norm = xp.sqrt(sum(xp.vdot(g, g) for g in grads))
        factor = xp.where(xp.isfinite(norm), xp.minimum(1, max_norm / (norm + 1e-6)), xp.nan)
    for g in grads:
        ops.scale_(g, factor)
    return norm
