"""What a model is built from, and what its ids must be."""

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from rnnlm.checks import whole_number
from rnnlm.errors import InputError

__all__ = ["ModelConfig", "expect_words"]

LARGEST = 2**31  # of any size: ids are 32-bit numbers


@dataclass(frozen=True)
class ModelConfig:
    """What a model is built from; saved beside its weights.

    Attributes:
        model: name of the class.
        vocab_size: V, words of the vocabulary.
        wordvec_size: D, length of a word vector.
        hidden_size: H, hidden units.
        bias_range: biases are drawn uniformly from [-bias_range, bias_range]; 0 for the book's zeros.
        seed: of the random weights.
        dtype: 'float32' or 'float64'.
    """

    model: str = "SimpleRnnlm"
    vocab_size: int = 10_000
    wordvec_size: int = 100
    hidden_size: int = 100
    bias_range: float = 0.0
    seed: int = 0
    dtype: str = "float32"

    def __post_init__(self) -> None:
        for name in ("vocab_size", "wordvec_size", "hidden_size"):
            if whole_number(name, getattr(self, name), 1) >= LARGEST:
                raise InputError(f"{name} must be below 2**31, got {getattr(self, name)}")
        if self.vocab_size == 1:
            raise InputError("vocab_size must be at least 2: one word leaves nothing to predict, got 1")
        if not 0 <= self.bias_range < float("inf"):
            raise InputError(f"bias_range must be at least 0 and finite, got {self.bias_range}")
        whole_number("seed", self.seed, 0, 2**64)
        if self.dtype not in ("float32", "float64"):
            raise InputError(f"dtype must be 'float32' or 'float64', got {self.dtype!r}")


def expect_words(name: str, ids: NDArray[Any], vocab_size: int, lowest: int = 0) -> None:
    """Check that all ids on the host are in [lowest, vocab_size)."""
    if ids.size and (ids.min() < lowest or ids.max() >= vocab_size):
        wrong = ids.min() if ids.min() < lowest else ids.max()
        raise InputError(f"{name} must hold ids in [{lowest}, {vocab_size}), got {wrong}")
