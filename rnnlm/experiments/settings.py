"""Settings of an experiment: the options of `rnnlm train`."""

from collections.abc import Callable, Mapping
from dataclasses import Field, asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from rnnlm.checks import encodable, flag, one_of, path_of, positive, share, text, whole_number
from rnnlm.data.batches import make_batches
from rnnlm.data.cleaning import TextOptions
from rnnlm.data.sentences import Sentences
from rnnlm.data.tokens import Tokens
from rnnlm.data.windows import Windows
from rnnlm.errors import InputError
from rnnlm.experiments import recipes
from rnnlm.experiments.resuming import NOT_SAID, PLACE, expect_same, found_from, saved_settings
from rnnlm.experiments.typed import expect_known, typed
from rnnlm.models.config import ModelConfig, ModelOptions
from rnnlm.optim.rates import Constant, Cosine, DivideOnPlateau, Halving, RateRule, StepDecay, expect_decay
from rnnlm.training.save_every import SaveEvery
from rnnlm.training.tensorboard import expect_tensorboard

if TYPE_CHECKING:
    from rnnlm.optim.base import Optimizer

__all__ = ["TrainConfig"]

GROUPS: dict[str, Any] = {"model": ModelOptions, "text": TextOptions}  # nested; recipes and flags name their fields


def known_settings() -> dict[str, Field[Any]]:
    """Return the fields of all settings by name, nested ones included."""
    own = [f for f in fields(TrainConfig) if f.name not in GROUPS]
    return {f.name: f for f in (*own, *(f for kind in GROUPS.values() for f in fields(kind)))}


@dataclass(frozen=True)
class TrainConfig:
    """Settings of a training: corpus, model, optimiser, learning rates and where the results go.

    Attributes:
        recipe: settings to start from: a name that `rnnlm recipes` lists, a TOML file with a table [settings], or the
            folder or settings.json of a run. On the command line, if not given: text for a recurrent model of a text
            file, else story.
        corpus: story (built in), ptb (Penn Treebank), or a UTF-8 text file or an encoded corpus (`rnnlm data encode`),
            whose last tenth is held out for evaluation.
        out: folder for the results, new or empty. If not given: runs/RECIPE-NNN, counting up.
        resume: folder of a run to resume exactly where it stopped, with its settings. Only these may be changed:
            max_epoch (not with lr_rule cosine), save_every, corpus (if the same text has moved), data_dir, tensorboard
            and device. Not allowed in a recipe.
        save_every: save a checkpoint after so many steps (200) or so much time (30s, 10m, 1h), in addition to one after
            each epoch.
        data_dir: folder that holds ptb/ptb.train.txt and so on. If not given: $RNNLM_DATA, or the download cache.
        max_words: vocabulary size for a text file: its most frequent words, or with units bpe the byte pairs learned
            from it.
        text: how the text is read.
        unk_rate: for a text file read as one stream: share of the epochs in which a word that occurs only once in the
            train part is read as `<unk>`. Words that occur only in the held-out parts always are. This teaches the
            model how likely unknown words are; 0 if a text will have none.
        max_tokens: train on the first so many tokens. If not given: on all.
        model: layers, dropout and initial weights.
        init_embedding: initialise word vectors from a file in word2vec's text format (`rnnlm vectors train` writes
            one). Words are matched by name; those without a vector are initialised as `init` says.
        unigram_bias: initialise the output bias with the log frequencies of the words. Otherwise they are learned
            first, on a small text through the hidden state alone, which may fail at the beginning of another text.
        optimizer: update rule of the weights; asgd is SGD that averages its weights once valid perplexity stops
            improving.
        lr: learning rate.
        weight_decay: add this times each weight to its gradient; for adamw subtract lr times this times the weight from
            it (if not given: 0.01 for adamw, 0 for all others).
        lr_rule: when the learning rate falls. plateau: divide it by lr_decay after each epoch without a new best valid
            perplexity (never without evaluation). halving: divide after each epoch from the first one on that improves
            little, and stop at the second such epoch. step: divide after each epoch from lr_epochs on. cosine: fall to
            zero over the training. constant: never.
        lr_decay: divisor of plateau, halving and step. If not given: 4 for plateau, 2 for the others.
        lr_epochs: with lr_rule step: number of epochs at the full rate.
        warmup: with lr_rule cosine: number of steps of a linear rise at the beginning.
        batch_size: number of rows read in parallel; with sentences, as many lines as have about batch_size times
            time_size tokens.
        time_size: number of time steps for truncated back-propagation through time.
        random_bptt: use windows of random length around time_size, with the learning rate in proportion.
        max_epoch: number of epochs.
        patience: stop after so many epochs without a better valid perplexity. If not given, or without evaluation:
            never.
        max_grad: clip the gradient's norm at this; inf for no clipping.
        evaluate: compute valid perplexity after each epoch, and exact valid and test perplexity at the end.
        tensorboard: write a log for TensorBoard (extra `tensorboard`) to tensorboard/ in the run's folder.
        device: cpu, cuda (an NVIDIA GPU), cuda:1 and so on. If not given: $RNNLM_DEVICE, else cpu. Not allowed in a
            recipe.
        precision: precision of float32 matrix products on a GPU: fp32, or the faster tf32 or bf16, which round factors
            to 10 or 7 bits of mantissa. If not given: $RNNLM_PRECISION, else fp32. Not allowed in a recipe.
    """

    recipe: str = "story"
    corpus: str = "story"
    out: Path | None = None
    resume: Path | None = None
    save_every: str = "10m"
    data_dir: Path | None = None
    max_words: int = 10_000
    text: TextOptions = field(default_factory=TextOptions)
    unk_rate: float = 0.5
    max_tokens: int | None = None
    model: ModelOptions = field(default_factory=ModelOptions)
    init_embedding: Path | None = None
    unigram_bias: bool = False
    optimizer: Literal["sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw", "asgd"] = "adam"
    lr: float = 0.003
    weight_decay: float | None = None
    lr_rule: Literal["constant", "plateau", "halving", "step", "cosine"] = "cosine"
    lr_decay: float | None = None
    lr_epochs: int = 0
    warmup: int = 0
    batch_size: int = 32
    time_size: int = 35
    random_bptt: bool = False
    max_epoch: int = 5
    patience: int | None = None
    max_grad: float = 1.0
    evaluate: bool = True
    tensorboard: bool = False
    device: str | None = None
    precision: Literal["fp32", "tf32", "bf16"] | None = None

    @classmethod
    def from_recipe(cls, name: str, **changes: Any) -> "TrainConfig":
        """Return a recipe's settings, with changes.

        Raises:
            InputError: no such recipe or setting (the message suggests the nearest name), or one of the wrong type.
        """
        name = text("recipe", name)
        known = {key: f for key, f in known_settings().items() if key not in PLACE}
        expect_known(changes, known, f"a change of recipe {name}")
        settings = typed(recipes.load(name)["settings"], known, f"recipe {name}")
        return cls.of({**settings, **changes}, recipe=name)

    @classmethod
    def of_run(cls, folder: Path) -> "TrainConfig":
        """Return the settings of a run that is to be resumed.

        Raises:
            InputError: not the folder of a run, or it has an unknown setting.
        """
        saved = {key: value for key, value in saved_settings(folder).items() if key not in NOT_SAID}
        given = {key: value for key, value in saved.items() if value is not None}
        if isinstance(given.get("corpus"), str):
            given["corpus"] = found_from(folder, given["corpus"])
        return cls.of(typed(given, known_settings(), f"{folder}"))

    @classmethod
    def of(cls, settings: Mapping[str, Any], **more: Any) -> "TrainConfig":
        """Create settings from a flat mapping of names to values."""
        values: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in settings.items()
        }
        options: dict[str, Any] = {}
        for group, kind in GROUPS.items():
            options[group] = kind(**{f.name: values.pop(f.name) for f in fields(kind) if f.name in values})
        return cls(**options, **values, **more)

    def flat(self) -> dict[str, Any]:
        """Return all settings by name, nested ones included, as recipes and settings.json have them."""
        own = {f.name: getattr(self, f.name) for f in fields(TrainConfig) if f.name not in GROUPS}
        return {**own, **asdict(self.text), **asdict(self.model)}

    def published(self) -> float | None:
        """Return the recipe's published training perplexity if the settings are the recipe's except for seed and
        folders, else None; also None if a resumed run's recipe is gone."""
        if self.resume is not None and self.recipe not in recipes.names() and not Path(self.recipe).exists():
            return None
        model = replace(self.model, seed=0)
        usual = type(self).save_every
        same = replace(
            self, model=model, out=None, resume=None, save_every=usual, data_dir=None, tensorboard=False, device=None,
            precision=None,
        )  # fmt: skip
        value = recipes.load(self.recipe)["about"].get("published")
        if value is None or same != type(self).from_recipe(self.recipe):
            return None
        return positive("published in the recipe", value)

    def check(self) -> None:
        """Raise an InputError if a setting is out of range."""
        SaveEvery(self.save_every)
        for name in ("corpus", "recipe"):
            text(name, getattr(self, name))
        for name in ("out", "data_dir", "init_embedding", "resume"):
            if getattr(self, name) is not None:
                path_of(name, getattr(self, name))
        for name in ("corpus", "recipe", "out", "data_dir", "init_embedding", "resume"):
            encodable(name, str(getattr(self, name)))
        for name in ("random_bptt", "evaluate", "tensorboard", "unigram_bias"):
            flag(name, getattr(self, name))
        if self.tensorboard:
            expect_tensorboard()
        if self.resume is None:
            recipes.load(self.recipe)
        elif self.out is not None:
            raise InputError(f"out must be left out where a run goes on, in its own folder: {self.resume}")
        else:
            expect_same(self, saved_settings(self.resume))
        self.text.check()
        share("unk_rate", self.unk_rate)
        whole_number("max_words", self.max_words, 3)
        for name in ("batch_size", "time_size", "max_epoch"):
            whole_number(name, getattr(self, name), 1)
        if self.max_tokens is not None:
            whole_number("max_tokens", self.max_tokens, 2)
        if self.patience is not None:
            whole_number("patience", self.patience, 1)
        if not self.evaluate and (self.lr_rule == "halving" or self.optimizer == "asgd"):
            raise InputError("lr_rule halving and optimizer asgd need valid perplexities: leave out --no-evaluate")
        for name in ("lr_epochs", "warmup"):
            whole_number(name, getattr(self, name), 0)
        if self.random_bptt and self.text.sentences:
            raise InputError("random_bptt is for one long text: leave it out, or --sentences")
        if self.random_bptt:
            whole_number("time_size with random_bptt", self.time_size, 10)
        positive("max_grad", self.max_grad, finite=False)
        if self.lr_decay is not None:
            expect_decay(self.lr_decay)
        self.make_optimizer()
        self.make_rate(self.warmup + 1)
        self.model_config(vocab_size=2**31 - 1)  # any size will do: the corpus's is not known yet

    def make_optimizer(self) -> "Optimizer":
        """Return the optimiser to train with."""
        from rnnlm.optim.named import OPTIMIZERS  # optimisers need an array library

        one_of("optimizer", self.optimizer, OPTIMIZERS)
        decay = {} if self.weight_decay is None else {"weight_decay": self.weight_decay}
        return OPTIMIZERS[self.optimizer](lr=self.lr, **decay)

    def make_batches(self, train: NDArray[np.integer] | Tokens | Sentences) -> Windows:
        """Return the windows of a corpus, as the first call of `RnnlmTrainer.fit` makes them."""
        random = self.random_bptt and not isinstance(train, Sentences)  # whose windows are as long as their lines
        return make_batches(train, None, self.batch_size, self.time_size, random, self.model.seed)

    def make_rate(self, steps: int) -> RateRule:
        """Return the learning-rate rule for a training of `steps` steps."""
        decay = {} if self.lr_decay is None else {"decay": self.lr_decay}
        rules: dict[str, Callable[[], RateRule]] = {
            "constant": lambda: Constant(self.lr),
            "plateau": lambda: DivideOnPlateau(self.lr, **decay),
            "halving": lambda: Halving(self.lr, **decay),
            "step": lambda: StepDecay(self.lr, **decay, full_epochs=self.lr_epochs),
            "cosine": lambda: Cosine(self.lr, steps, self.warmup),
        }
        return rules[one_of("lr_rule", self.lr_rule, rules)]()

    def model_config(self, vocab_size: int) -> ModelConfig:
        """Return the configuration of the model for a vocabulary of `vocab_size` words."""
        from rnnlm.models.build import config_for  # models need an array library

        return config_for(self.model, vocab_size)
