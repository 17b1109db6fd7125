"""Softmax and cross-entropy. Equations and arguments are explained in layers/heads/."""

from typing import Any

from rnnlm.backend.cuda.launch import FLOAT, blocks_for, dense, empty, integer, launch

__all__ = ["exp_scores", "mean_loss", "output_factors", "scale_rows", "softmax_gradient", "weigh_targets"]

Array = Any


def exp_scores(scores: Array, b: Array | None, targets: Array, nats: Array, totals: Array) -> None:
    """As the function of this name in layers/heads/softmax.py."""
    M, V = scores.shape
    given = integer(b is not None)
    of_row = (targets, nats, totals, integer(V))
    launch("output", "exp_scores", scores.dtype, M, scores, scores if b is None else dense(b), given, *of_row)


def softmax_gradient(exps: Array, targets: Array, weights: Array, totals: Array) -> None:
    """As the function of this name in layers/heads/softmax.py."""
    M, V = exps.shape
    launch("output", "softmax_gradient", exps.dtype, M, exps, targets, weights, totals, integer(V))


def output_factors(
    exps: Array, targets: Array, weights: Array, totals: Array, x: Array, factors: Array, xf: Array
) -> None:
    """As the function of this name in layers/heads/output.py."""
    (M, V), H = exps.shape, x.shape[1]
    of_row = (targets, weights, totals, x, factors, xf, integer(H), integer(V))
    launch("output", "output_factors", exps.dtype, M, exps, *of_row)


def scale_rows(x: Array, factors: Array) -> None:
    """As the function of this name in layers/heads/output.py."""
    M, H = x.shape
    launch("output", "scale_rows", x.dtype, blocks_for(x.size), x, factors, integer(M), integer(H))


def weigh_targets(ts: Array, ignore_label: int, targets: Array, shares: Array, weights: Array) -> None:
    """As the function of this name in layers/heads/base.py."""
    ids, written = ts.astype(integer, copy=False), (targets, shares, weights)
    launch("output", "weigh_targets", weights.dtype, 1, ids, integer(ignore_label), *written, integer(ts.size))


def mean_loss(nats: Array, shares: Array) -> Array:
    """As the function of this name in layers/heads/base.py."""
    loss = empty((), nats.dtype)
    launch("output", "mean_loss", FLOAT, 1, nats, shares, loss, integer(nats.size))
    return loss
