"""What an experiment can be told: the options of `rnnlm train`."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from rnnlm import recipes
from rnnlm.checks import positive, whole_number
from rnnlm.errors import InputError
from rnnlm.models import ModelConfig
from rnnlm.optim import SGD, Adam
from rnnlm.optim.base import Optimizer

__all__ = ["TrainConfig"]

OPTIMIZERS: dict[str, Callable[[float], Optimizer]] = {"sgd": SGD, "adam": Adam}


@dataclass(frozen=True)
class TrainConfig:
    """Train a language model on Penn Treebank.

    A recipe sets options, those given beside it override it, and the rest have the defaults shown here.
    Example: --recipe seed-1000 --seed 3 --out runs/third

    Attributes:
        recipe: settings to begin with, by name: book-rnn or seed-1000.
        out: folder for the results, new or empty; runs/RECIPE-NNN, counting up, unless given.
        data_dir: folder that holds ptb/ptb.train.txt and so on; $RNNLM_DATA unless given.
        max_tokens: train on so many tokens from the beginning; all unless given.
        wordvec_size: length of a word vector.
        hidden_size: hidden units.
        bias_range: draw biases from [-bias_range, bias_range].
        dtype: of all weights.
        optimizer: how weights are updated.
        lr: learning rate.
        lr_decay: divide the learning rate by this after an epoch whose valid perplexity is not the best so far.
        batch_size: rows read side by side.
        time_size: time steps that gradients go back (truncated back-propagation through time).
        max_epoch: epochs.
        max_grad: clip the gradient's norm at this; inf to leave it as it is.
        evaluate: valid perplexity after each epoch, exact valid and test perplexity in the end.
        seed: of initial weights and the sample sentence.
    """

    recipe: str = "book-rnn"
    out: Path | None = None
    data_dir: Path | None = None
    max_tokens: int | None = None
    wordvec_size: int = 100
    hidden_size: int = 100
    bias_range: float = 0.0
    dtype: Literal["float32", "float64"] = "float32"
    optimizer: Literal["sgd", "adam"] = "adam"
    lr: float = 0.001
    lr_decay: float = 4.0
    batch_size: int = 20
    time_size: int = 35
    max_epoch: int = 10
    max_grad: float = 1.0
    evaluate: bool = True
    seed: int = 0

    @classmethod
    def from_recipe(cls, name: str, **changes: Any) -> "TrainConfig":
        """A recipe's settings, with changes.

        Raises:
            InputError: no such recipe.
        """
        return cls(**{"recipe": name, **recipes.load(name)["settings"], **changes})

    def check(self) -> None:
        """Raise an InputError if a setting is out of range."""
        recipes.load(self.recipe)
        for name in ("batch_size", "time_size", "max_epoch"):
            whole_number(name, getattr(self, name), 1)
        if self.max_tokens is not None:
            whole_number("max_tokens", self.max_tokens, 2)
        if positive("lr_decay", self.lr_decay) < 1:
            raise InputError(f"lr_decay must be at least 1, got {self.lr_decay}")
        positive("max_grad", self.max_grad, finite=False)
        self.make_optimizer()
        self.model_config(vocab_size=2)

    def make_optimizer(self) -> Optimizer:
        """The optimiser to train with."""
        if self.optimizer not in OPTIMIZERS:
            raise InputError(f"optimizer must be one of {', '.join(OPTIMIZERS)}, got {self.optimizer!r}")
        return OPTIMIZERS[self.optimizer](self.lr)

    def model_config(self, vocab_size: int) -> ModelConfig:
        """The model to build for a vocabulary."""
        return ModelConfig(
            "SimpleRnnlm", vocab_size, self.wordvec_size, self.hidden_size, self.bias_range, self.seed, self.dtype
        )
