"""Gradient clipping by global norm."""

from collections.abc import Sequence
from math import inf

from rnnlm.backend import Array, ops, xp
from rnnlm.checks import positive

__all__ = ["clip_grads"]


def clip_grads(grads: Sequence[Array], max_norm: float) -> Array:
    """Scale all gradients by one factor so that their global norm is at most `max_norm`, in place.

        g = g * min(1, max_norm / (|g| + 1e-6))

    Gradients whose norm is NaN or infinite are left as they are.

    Source: Pascanu, Mikolov and Bengio, On the difficulty of training recurrent neural networks, ICML 2013.

    Args:
        grads: arrays, changed in place.
        max_norm: positive; infinite to measure only.

    Returns:
        norm: the global norm before clipping, a 0-d array or scalar of the backend.
    """
    positive("max_norm", max_norm, finite=False)
    with ops.quiet(), ops.one_blas_thread:
        norm = xp.sqrt(sum(xp.vdot(g, g) for g in grads))
    if max_norm < inf:
        factor = xp.where(xp.isfinite(norm), xp.minimum(1, max_norm / (norm + 1e-6)), 1)
        for g in grads:
            ops.scale_(g, factor)
    return norm
