"""The equations of output and loss in one: hidden states to cross-entropy, and back to the weights."""

from rnnlm.backend import Array, accelerated, ops, xp
from rnnlm.layers.heads.softmax import exp_scores

__all__ = ["output_backward", "output_factors", "output_forward", "output_nats", "scale_rows", "weight_gradients"]


@accelerated
def output_forward(x: Array, W: Array, b: Array, targets: Array, exps: Array, totals: Array, nats: Array) -> None:
    """Cross-entropy of each row in nats, and what its gradient is made of.

        s = x W + b        nats = log(sum exp(s - m)) + m - s[target]        m = max s, or any number near it

    At least 0, and finite for all finite scores of float32: a probability that underflows to 0 never meets a logarithm,
    and the difference of two large scores is taken in float64. Of float64 the difference itself must be finite.

    Args:
        x: (M, H).
        W, b: (H, V), (V,).
        targets: (M,) ids in [0, V).
        exps: (M, V), to be overwritten with exp(s - m).
        totals: (M,), to be overwritten with their sums.
        nats: (M,) float64, to be overwritten.
    """
    ops.matmul(x, W, out=exps)
    exp_scores(exps, b, targets, nats, totals)


@accelerated
def output_nats(
    x: Array, W: Array, b: Array, targets: Array, shares: Array, totals: Array, nats: Array, memory: Array
) -> None:
    """The cross-entropy alone, for no way back, of as many rows at a time as there is memory (rows, V) for.

    Rows whose share (M,) of the mean is 0 may be left out; all else is as `output_forward` has it.
    """
    for start in range(0, len(x), len(memory)):
        rows = slice(start, min(len(x), start + len(memory)))
        output_forward(x[rows], W, b, targets[rows], memory[: rows.stop - start], totals[rows], nats[rows])


@accelerated
def output_factors(
    exps: Array, targets: Array, weights: Array, totals: Array, x: Array, factors: Array, xf: Array
) -> None:
    """Leave in exps (M, V) the gradient of the scores but for a factor for each row, and the factors.

        ds = weights (exps / totals - onehot(target)) = factors (exps - totals onehot(target))

    `weights` is what a row counts in the loss, `totals` the sum of its exponentials, `factors` (M, 1) their quotient.
    That is put to x, as `xf` (M, H) = factors x, and later to dx, which are smaller than ds.
    """
    exps[xp.arange(len(x)), targets] -= totals
    xp.divide(weights, totals, out=factors[:, 0])
    xp.multiply(x, factors, out=xf)


@accelerated
def scale_rows(x: Array, factors: Array) -> None:
    """x *= factors, in place.  x (M, H), factors (M, 1)"""
    x *= factors


def output_backward(
    x: Array, W: Array, targets: Array, weights: Array, exps: Array, totals: Array,
    dx: Array, factors: Array, xf: Array,
) -> None:  # fmt: skip
    """Gradient of x, of the sum of weights * nats; and in exps, factors and xf what `weight_gradients` needs.

        p = exps / totals        ds = weights (p - onehot(target))        dx = ds Wᵀ    dW = xᵀ ds    db = sum of ds

    The factor weights / totals of a row is put to x and dx, which are smaller than ds.

    Args:
        x, W, targets, exps, totals: as `output_forward` took and left them.
        weights: (M,).
        dx: (M, H), to be overwritten.
        factors, xf: (M, 1) and (M, H), to be overwritten.
    """
    output_factors(exps, targets, weights, totals, x, factors, xf)
    ops.matmul(exps, W.T, out=dx)
    scale_rows(dx, factors)


def weight_gradients(exps: Array, factors: Array, xf: Array, dW: Array, db: Array, add: bool) -> None:
    """The others, after `output_backward`.

    Args:
        exps, factors, xf: as that left them.
        dW, db: (H, V) or its transposed memory, (V,), to be overwritten, or added to if `add`.
    """
    if dW.flags.c_contiguous:
        ops.matmul(xf.T, exps, out=dW, add=add)
    else:  # the transpose of an embedding's gradient
        ops.matmul(exps.T, xf, out=dW.T, add=add)
    ops.matmul(factors.T, exps, out=db[None], add=add)
