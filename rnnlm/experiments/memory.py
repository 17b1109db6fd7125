"""How much memory a training takes, told and, where there is not so much, refused before any of it is taken."""

from dataclasses import dataclass

import numpy as np

from rnnlm.backend import ops
from rnnlm.errors import InputError
from rnnlm.experiments.settings import TrainConfig
from rnnlm.models.config import ModelConfig

__all__ = ["Memory", "in_bytes"]

COPIES = 3  # of the weights, beside what the optimiser remembers: they, their gradients, those to go back to
UNITS = ("B", "kB", "MB", "GB", "TB", "PB", "EB")


@dataclass(frozen=True)
class Memory:
    """What a training takes at least, in bytes: libraries, the corpus, and what is written to files come beside it.

    Attributes:
        weights: all that is as large as the weights.
        windows: what a window leaves on its way forward, and its gradients.
    """

    weights: int
    windows: int

    @classmethod
    def of(cls, config: TrainConfig, model: ModelConfig) -> "Memory":
        """Of a training of this model."""
        size = np.dtype(model.dtype).itemsize
        slots = len(config.make_optimizer().slots)
        rows = config.batch_size * config.time_size
        scores = min(rows * model.output_width, max(ops.SCORES, model.output_width))
        return cls(size * (COPIES + slots) * model.parameters, size * (rows * model.kept + scores))

    def __str__(self) -> str:
        weights, windows = in_bytes(self.weights), in_bytes(self.windows)
        return f"{in_bytes(self.total)} ({weights} for weights, gradients and optimizer, {windows} for a window)"

    @property
    def total(self) -> int:
        """Both."""
        return self.weights + self.windows

    def expect_room(self, config: TrainConfig, model: ModelConfig) -> None:
        """Check that there is so much.

        Raises:
            InputError: there is not; all sizes that matter are named.
        """
        there = ops.memory()
        if there is None or self.total <= there:
            return
        sizes = {"vocab_size": model.vocab_size, "wordvec_size": model.wordvec_size, "hidden_size": model.hidden_size}
        sizes |= {"layers": model.layers, "batch_size": config.batch_size, "time_size": config.time_size}
        if config.model.model != "recurrent":
            sizes["context"] = model.context
        told = ", ".join(f"{name} {size:,}" for name, size in sizes.items())
        raise InputError(
            f"sizes must go into the {in_bytes(there)} of memory that there are, got {told}: in "
            f"{model.dtype} they take {self}; take smaller ones"
        )


def in_bytes(size: float) -> str:
    """A number of bytes for people: `1.2 GB`."""
    for unit in UNITS[:-1]:
        if size < 999.5:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:,.3g} {UNITS[-1]}"
