"""Gradient clipping by global norm."""

from collections.abc import Sequence

from rnnlm.backend import Array, ops, xp
from rnnlm.errors import InputError

__all__ = ["clip_grads"]


def clip_grads(grads: Sequence[Array], max_norm: float) -> Array:
    """Scale all gradients by one factor so that their global norm is at most `max_norm`, in place.

        g = g * min(1, max_norm / (|g| + 1e-6))

    Where the norm is NaN or infinite the gradients are set to zero, so that an update changes nothing that it should
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
    norm = global_norm(grads)
    scale_grads(grads, norm, max_norm, keep=xp.isfinite(norm))
    return norm


def global_norm(grads: Sequence[Array]) -> Array:
    """Euclidean length of all gradients together."""
    with ops.quiet():
        return xp.sqrt(sum(xp.vdot(g, g) for g in grads))


def scale_grads(grads: Sequence[Array], norm: Array, max_norm: float, keep: Array) -> None:
    """Clip gradients of global norm `norm` in place; set them to zero, whatever they hold, where `keep` is false."""
    with ops.quiet():
        factor = xp.where(keep, xp.minimum(1, max_norm / (norm + 1e-6)), xp.nan)
    for g in grads:
        ops.scale_(g, factor)
