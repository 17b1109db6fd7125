"""A loss summed over several targets of the same hidden state."""

from typing import Any

from rnnlm.backend import Array, xp
from rnnlm.checks import flag, instance_of
from rnnlm.layers.base import expect, expect_ids
from rnnlm.layers.heads.base import Head, factor_of

__all__ = ["EachTarget"]


class EachTarget(Head):
    """The loss of another head summed over C targets a row, averaged over rows.  (N, H), ids (N, C) -> ()

        L = 1/N sum over n and c of l(h_n, t_nc)            without the targets that the head ignores

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
        of_row: Any = (ts != self.head.ignore_label).sum() / N if self.head.ignores else C  # targets that count
        loss = of_row * self.head.loss(xp.repeat(h, C, axis=0), ts.reshape(-1), keep)
        self._saved = (N, C, of_row) if keep else None
        return loss

    def backward(self, dout: Any = 1) -> Array:
        """Return the gradient (N, H) of the hidden states."""
        N, C, of_row = self.saved_values()
        factor = factor_of(dout)
        dh = self.head.backward(of_row if factor is None else factor * of_row)
        self.clear_saved_values()
        return dh.reshape(N, C, -1).sum(axis=1)

    def scores(self, h: Array) -> Array:
        """Return the scores of the inner head."""
        self.clear_saved_values()
        return self.head.scores(h)
