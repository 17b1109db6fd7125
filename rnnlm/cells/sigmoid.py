"""The logistic function."""

from rnnlm.backend import Array, accelerated, xp

__all__ = ["sigmoid_"]


@accelerated
def sigmoid_(a: Array) -> None:
    """Overwrite a, of any shape, with 1 / (1 + exp(-a)), computed as (1 + tanh(a / 2)) / 2, which never overflows."""
    a *= 0.5
    xp.tanh(a, out=a)
    a += 1
    a *= 0.5
