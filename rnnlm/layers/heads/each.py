"""A loss summed over several targets of the same hidden state."""

from typing import Any

from rnnlm.backend import Array, xp
from rnnlm.checks import flag, instance_of
from rnnlm.layers.base import expect, expect_ids
from rnnlm.layers.heads.base import Head, factor_of

__all__ = ["EachTarget"]


class EachTarget(Head):
    """The loss of another head summed over C targets a row, averaged over rows.  (N, H), ids (N, C) -> ()

        L = C times the mean of l(h_n, t_nc) over n and c

    Args:
        head: takes (N, H) and ids (N,).
    """

    scores_words = False

    def __init__(self, head: Head) -> None:
        super().__init__()
        self.head, self.called = instance_of("head", head, Head), head.called
        self.params, self.grads, self.names = head.params, head.grads, head.names

    def loss(self, h: Array, ts: Array, keep: bool = True) -> Array:
        """Return the loss of hidden states h (N, H) and targets ts (N, C)."""
        flag("keep", keep)
        expect("h", h, ("N", "H"))
        expect_ids("ts", ts, (len(h), "C"))
        N, C = ts.shape
        loss = C * self.head.loss(xp.repeat(h, C, axis=0), ts.reshape(-1), keep)
        self._saved = (N, C) if keep else None
        return loss

    def backward(self, dout: Any = 1) -> Array:
        """Return the gradient (N, H) of the hidden states."""
        N, C = self.saved_values()
        factor = factor_of(dout)
        dh = self.head.backward(C if factor is None else factor * C)
        self.clear_saved_values()
        return dh.reshape(N, C, -1).sum(axis=1)

    def which_count(self, h: Array, ts: Array) -> Array | None:
        """As `Head.which_count`, by the inner head."""
        return ts != self.head.ignore_label if self.head.ignores else None

    def scores(self, h: Array) -> Array:
        """Return the scores of the inner head."""
        self.clear_saved_values()
        return self.head.scores(h)
