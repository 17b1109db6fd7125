"""What an experiment can be told: the options of `rnnlm train`."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
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
    """Train a language model; leave it, its figures and a picture in a folder.

    A recipe sets options, those given beside it override it, and the rest have the defaults shown here.

    Examples: rnnlm train | rnnlm train --corpus book.txt --out runs/book | rnnlm train --recipe seed-1000 --seed 3

    Attributes:
        recipe: settings to begin with: story, book-rnn, seed-1000, or a TOML file with a table [settings].
        corpus: story (built in), ptb (Penn Treebank) or a UTF-8 text file, whose last tenth is then held out.
        out: folder for the results, new or empty; runs/RECIPE-NNN, counting up, unless given.
        data_dir: folder that holds ptb/ptb.train.txt and so on; $RNNLM_DATA or the cache of downloads unless given.
        max_words: words of a text file to tell apart, the most frequent ones.
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

    recipe: str = "story"
    corpus: str = "story"
    out: Path | None = None
    data_dir: Path | None = None
    max_words: int = 10_000
    max_tokens: int | None = None
    wordvec_size: int = 100
    hidden_size: int = 100
    bias_range: float = 0.0
    dtype: Literal["float32", "float64"] = "float32"
    optimizer: Literal["sgd", "adam"] = "adam"
    lr: float = 0.003
    lr_decay: float = 4.0
    batch_size: int = 32
    time_size: int = 35
    max_epoch: int = 5
    max_grad: float = 1.0
    evaluate: bool = True
    seed: int = 0

    @classmethod
    def from_recipe(cls, name: str, **changes: Any) -> "TrainConfig":
        """A recipe's settings, with changes.

        Raises:
            InputError: no such recipe or setting; the nearest name is offered.
        """
        settings = {"recipe": name, **recipes.load(name)["settings"], **changes}
        known = [field.name for field in fields(cls)]
        for key in settings:
            if key not in known:
                near = get_close_matches(key, known, 1)
                hint = f"; did you mean {near[0]}?" if near else ""
                raise InputError(f"a setting must be one of {', '.join(known)}, got {key!r} in recipe {name}{hint}")
        return cls(**settings)

    def published(self) -> float | None:
        """The training perplexity that others reached, if the settings are the recipe's but for seed and folders."""
        same = replace(self, out=None, data_dir=None, seed=0) == type(self).from_recipe(self.recipe)
        value = recipes.load(self.recipe)["about"].get("published")
        return None if value is None or not same else positive("published in the recipe", value)

    def check(self) -> None:
        """Raise an InputError if a setting is out of range."""
        recipes.load(self.recipe)
        whole_number("max_words", self.max_words, 3)
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
