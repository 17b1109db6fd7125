"""Gradient clipping by global norm."""

from collections.abc import Sequence
from math import inf

from rnnlm.backend import Array, accelerated, ops, xp
from rnnlm.checks import positive
from rnnlm.optim.base import expect_arrays, expect_writable

__all__ = ["clip_grads", "norm_and_factor"]


@accelerated
def squares(a: Array) -> Array:
    """Return the sum of the squares of an array's elements."""
    return xp.vdot(a, a)


@accelerated
def norm_and_factor(grads: Sequence[Array], max_norm: float) -> tuple[Array, Array]:
    """Return the global norm of gradients, and the factor that clips it to `max_norm`, in the gradients' dtype.

        |g| = sqrt(sum g²)        factor = min(1, max_norm / (|g| + 1e-6))

    The factor is 1 for a norm that is NaN or infinite. Source and arguments are those of `clip_grads`.
    """
    with ops.quiet(), ops.one_blas_thread:
        wide = [g if g.itemsize >= 4 else g.astype(xp.float32) for g in grads]  # squares overflow float16
        norm = xp.sqrt(sum(squares(g) for g in wide))
        factor = xp.where(xp.isfinite(norm), xp.minimum(1, max_norm / (norm + 1e-6)), 1)
    return norm, factor.astype(norm.dtype)


def clip_grads(grads: Sequence[Array], max_norm: float) -> Array:
    """Scale all gradients by one factor so that their global norm is at most `max_norm`, in place.

        g = g * min(1, max_norm / (|g| + 1e-6))

    Gradients are not changed if the norm is NaN or infinite.

    Source: Pascanu, Mikolov and Bengio, On the difficulty of training recurrent neural networks, ICML 2013.

    Args:
        grads: a list of arrays, changed in place.
        max_norm: positive; infinite to compute the norm only.

    Returns:
        norm: the global norm before clipping, a 0-d array or scalar of the backend.
    """
    max_norm = positive("max_norm", max_norm, finite=False)
    expect_arrays("grads", grads)
    expect_writable("grads", grads)
    norm, factor = norm_and_factor(grads, max_norm)
    if max_norm < inf:
        for g in grads:
            ops.scale_(g, factor)
    return norm
