"""The models of the book's chapters, with its weight files."""

from typing import Any

from rnnlm.backend import Array, ops, xp
from rnnlm.book.base_model import Pickled
from rnnlm.data.samples import arrays
from rnnlm.layers.activations import Sigmoid
from rnnlm.layers.affine import Affine
from rnnlm.layers.heads.softmax import SoftmaxWithLoss
from rnnlm.models import better, rnnlm, seq2seq, simple
from rnnlm.models.sequential import Sequential
from rnnlm.models.stacked import Stacked
from rnnlm.randomness import stream

__all__ = [
    "AttentionSeq2seq", "BetterRnnlm", "PeekySeq2seq", "Rnnlm", "Seq2seq", "SimpleRnnlm", "TwoLayerNet",
]  # fmt: skip


class TwoLayerNet(Stacked):
    """Network of two affine layers with a sigmoid between them, and softmax cross-entropy: chapter 1.

    Args:
        input_size, hidden_size, output_size: lengths of input, hidden and output rows.
        seed: seed of the initial weights, normal with a standard deviation of 0.01.
    """

    def __init__(self, input_size: int, hidden_size: int, output_size: int, seed: int = 0) -> None:
        first, second = (
            Affine(
                ops.asarray(0.01 * stream(seed, "initial weights", part=k).standard_normal(shape)), xp.zeros(shape[1])
            )
            for k, shape in enumerate([(input_size, hidden_size), (hidden_size, output_size)])
        )
        self.set_stack(Sequential([first, Sigmoid(), second], SoftmaxWithLoss(), "float64", seed))

    def predict(self, x: Any) -> Any:
        """Return scores (N, output_size) of rows (N, input_size), on the host."""
        return self.stack.predict(x)

    def forward(self, xs: Any, ts: Any) -> Array:
        """Return the loss of rows (N, input_size) and classes, ids (N,) or one-hot (N, output_size)."""
        return self.stack.loss(self.stack.inputs("x", xs), arrays("t", ts))


class SimpleRnnlm(Pickled, simple.SimpleRnnlm):
    """`rnnlm.SimpleRnnlm` with the book's weight files: chapter 5."""


class Rnnlm(Pickled, rnnlm.Rnnlm):
    """`rnnlm.Rnnlm` with the book's weight files: chapter 6."""


class BetterRnnlm(Pickled, better.BetterRnnlm):
    """`rnnlm.BetterRnnlm` with the book's weight files: chapter 6."""


class Seq2seq(Pickled, seq2seq.Seq2seq):
    """`rnnlm.Seq2seq` with the book's weight files: chapter 7."""


class PeekySeq2seq(Pickled, seq2seq.PeekySeq2seq):
    """`rnnlm.PeekySeq2seq` with the book's weight files: chapter 7."""


class AttentionSeq2seq(Pickled, seq2seq.AttentionSeq2seq):
    """`rnnlm.AttentionSeq2seq` with the book's weight files: chapter 8."""
