"""Equations of the fused output layer and loss: hidden states to cross-entropy, and back to the weights."""

from rnnlm.backend import Array, accelerated, ops, xp
from rnnlm.layers.heads.softmax import exp_scores

__all__ = ["output_backward", "output_factors", "output_forward", "output_nats", "scale_rows", "weight_gradients"]


@accelerated
def output_forward(x: Array, W: Array, b: Array, targets: Array, exps: Array, totals: Array, nats: Array) -> None:
    """Compute the cross-entropy of each row in nats, and the exponentials from which the gradient is computed.

        s = x W + b        nats = log(sum exp(s - m)) + m - s[target]        m = max s, or any number near it

    Nats are at least 0, and finite for all finite float32 scores: no logarithm is taken of a probability, which may
    underflow to 0, and m - s[target] is computed in float64. In float64 that difference must be finite.

    Args:
        x: (M, H).
        W, b: (H, V), (V,).
        targets: (M,) ids in [0, V).
        exps: (M, V), overwritten with exp(s - m).
        totals: (M,), overwritten with their row sums.
        nats: (M,) float64, overwritten.
    """
    ops.matmul(x, W, out=exps)
    exp_scores(exps, b, targets, nats, totals)


@accelerated
def output_nats(
    x: Array, W: Array, b: Array, targets: Array, shares: Array, totals: Array, nats: Array, memory: Array
) -> None:
    """Compute the cross-entropy only, without a backward pass, in blocks of as many rows as `memory` (rows, V) has.

    Rows whose share (M,) of the mean is 0 may be skipped. Other arguments are those of `output_forward`.
    """
    for start in range(0, len(x), len(memory)):
        rows = slice(start, min(len(x), start + len(memory)))
        output_forward(x[rows], W, b, targets[rows], memory[: rows.stop - start], totals[rows], nats[rows])


@accelerated
def output_factors(
    exps: Array, targets: Array, weights: Array, totals: Array, x: Array, factors: Array, xf: Array
) -> None:
    """Overwrite exps (M, V) with the gradient of the scores, up to a factor for each row, and compute the factors.

        ds = weights (exps / totals - onehot(target)) = factors (exps - totals onehot(target))

    `weights` are those of the rows in the loss, `totals` the sums of their exponentials, `factors` (M, 1) the ratios.
    They are applied to x, as `xf` (M, H) = factors x, and later to dx, because both are smaller than ds.
    """
    exps[xp.arange(len(x)), targets] -= totals
    xp.divide(weights, totals, out=factors[:, 0])
    xp.multiply(x, factors, out=xf)


@accelerated
def scale_rows(x: Array, factors: Array) -> None:
    """Do x *= factors in place.  x (M, H), factors (M, 1)"""
    x *= factors


def output_backward(
    x: Array, W: Array, targets: Array, weights: Array, exps: Array, totals: Array,
    dx: Array, factors: Array, xf: Array,
) -> None:  # fmt: skip
    """Compute dx, the gradient of sum(weights * nats), and prepare exps, factors and xf for `weight_gradients`.

        p = exps / totals        ds = weights (p - onehot(target))        dx = ds Wᵀ    dW = xᵀ ds    db = sum of ds

    The factor weights / totals of a row is applied to x and dx, which are smaller than ds.

    Args:
        x, W, targets, exps, totals: as `output_forward` took and left them.
        weights: (M,).
        dx: (M, H), overwritten.
        factors, xf: (M, 1) and (M, H), overwritten.
    """
    output_factors(exps, targets, weights, totals, x, factors, xf)
    ops.matmul(exps, W.T, out=dx)
    scale_rows(dx, factors)


def weight_gradients(exps: Array, factors: Array, xf: Array, dW: Array, db: Array, add: bool) -> None:
    """Compute the gradients dW and db, after `output_backward`.

    Args:
        exps, factors, xf: as `output_backward` left them.
        dW: (H, V), C-contiguous or the transpose of such an array.
        db: (V,).
        add: add to dW and db instead of overwriting them.
    """
    if dW.flags.c_contiguous:
        ops.matmul(xf.T, exps, out=dW, add=add)
    else:  # the transpose of an embedding's gradient
        ops.matmul(exps.T, xf, out=dW.T, add=add)
    ops.matmul(factors.T, exps, out=db[None], add=add)
