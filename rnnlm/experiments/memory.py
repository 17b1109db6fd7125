"""Estimate the memory that a training needs, and refuse one that needs more than there is."""

from dataclasses import dataclass

import numpy as np

from rnnlm.backend import ops
from rnnlm.errors import InputError
from rnnlm.experiments.settings import TrainConfig
from rnnlm.models.config import ModelConfig

__all__ = ["Memory", "in_bytes"]

COPIES = 3  # arrays as large as the weights besides the optimiser's: weights, gradients, the last good weights
UNITS = ("B", "kB", "MB", "GB", "TB", "PB", "EB")


@dataclass(frozen=True)
class Memory:
    """The least memory of a training, in bytes; libraries, the corpus and buffers for saving come on top.

    Attributes:
        weights: all arrays as large as the weights.
        windows: what forward keeps of a window, and its gradients.
    """

    weights: int
    windows: int

    @classmethod
    def of(cls, config: TrainConfig, model: ModelConfig) -> "Memory":
        """Return the estimate for a training of this model."""
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
        """The sum of both."""
        return self.weights + self.windows

    def expect_room(self, config: TrainConfig, model: ModelConfig) -> None:
        """Check that there is enough memory.

        Raises:
            InputError: there is not; the message names the sizes that matter.
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
            f"sizes must fit into the {in_bytes(there)} of memory that this machine has, got {told}: in "
            f"{model.dtype} they take {self}; take smaller ones"
        )


def in_bytes(size: float) -> str:
    """Return a number of bytes as text: `1.2 GB`."""
    for unit in UNITS[:-1]:
        if size < 999.5:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:,.3g} {UNITS[-1]}"
