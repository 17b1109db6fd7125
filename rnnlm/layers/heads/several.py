"""One loss for a network with several outputs: the weighted sum of a loss for each."""

from collections.abc import Sequence
from typing import Any

from rnnlm.backend import Array, xp
from rnnlm.checks import finite, flag, instance_of, sequence
from rnnlm.errors import InputError
from rnnlm.layers.heads.base import Head, factor_of

__all__ = ["Losses"]


class Losses(Head):
    """The weighted sum of several losses, for a network with several outputs.

        L = w1 L1 + w2 L2 + ...

    Args:
        heads: a head for each output, in order, without parameters.
        weights: of the losses; all 1 by default.
    """

    scores_words = False

    def __init__(self, *heads: Head, weights: Sequence[float] | None = None) -> None:
        super().__init__()
        given = [1.0] * len(heads) if weights is None else sequence("weights", weights, "numbers")
        self.heads, self.weights = heads, [finite("each of the weights", weight) for weight in given]
        if not heads or len(self.weights) != len(heads):
            raise InputError(f"weights must be {len(heads)} numbers, one for each head, got {len(self.weights)}")
        for head in heads:
            instance_of("each of heads", head, Head)
        if any(head.params for head in heads):
            raise InputError("heads of Losses must have no parameters: put their layers before them")

    def loss(self, h: Any, ts: Any, keep: bool = True) -> Array:
        """Return the weighted sum of the losses; outputs and targets are tuples."""
        flag("keep", keep)
        losses = [head.loss(one, t, keep) for head, one, t in self._parted(h, ts)]
        self._saved = () if keep else None
        return sum((loss * w for loss, w in zip(losses, self.weights)), xp.zeros((), xp.float64))

    def each(self, h: Any, ts: Any) -> list[tuple[float, Head, Any, Any]]:
        """As `Head.each`, of all heads."""
        parts = zip(self.weights, self._parted(h, ts))
        return [(w * v, *part) for w, (head, one, t) in parts for v, *part in head.each(one, t)]

    def _parted(self, h: Any, ts: Any) -> list[tuple[Head, Any, Any]]:
        """Return each head with its outputs and targets."""
        for name, given in (("the outputs", h), ("ts", ts)):
            if not isinstance(given, (tuple, list)) or len(given) != len(self.heads):
                raise InputError(f"{name} must be a tuple of {len(self.heads)}, one for each head")
        return list(zip(self.heads, h, ts))

    def hits(self, h: Any, ts: Any) -> Array:
        """Raise InputError: accuracy is that of one output."""
        raise InputError("accuracy is that of one output, and Losses is of several: leave it out")

    def backward(self, dout: Any = 1) -> Any:
        """Return the gradients of the outputs, a tuple."""
        self.saved_values()
        factor = factor_of(dout)
        each = [w if factor is None else factor * w for w in self.weights]
        for one in each:
            factor_of(one)
        self.clear_saved_values()
        return tuple(head.backward(one) for head, one in zip(self.heads, each))

    def scores(self, h: Any) -> Any:
        """Return the outputs themselves."""
        self.clear_saved_values()
        return h
