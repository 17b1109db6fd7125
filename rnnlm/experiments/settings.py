"""What an experiment can be told: the options of `rnnlm train`."""

from collections.abc import Callable, Mapping
from dataclasses import Field, asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from rnnlm.checks import flag, one_of, path_of, positive, share, text, whole_number
from rnnlm.data.batches import make_batches
from rnnlm.data.cleaning import TextOptions
from rnnlm.data.sentences import Sentences
from rnnlm.data.tokens import Tokens
from rnnlm.data.windows import Windows
from rnnlm.errors import InputError
from rnnlm.experiments import recipes
from rnnlm.experiments.going_on import NOT_SAID, PLACE, expect_same, saved_settings
from rnnlm.experiments.typed import expect_known, typed
from rnnlm.models.config import ModelConfig, ModelOptions
from rnnlm.optim.rates import Constant, Cosine, DivideOnPlateau, Halving, RateRule, StepDecay, expect_decay
from rnnlm.training.save_every import SaveEvery
from rnnlm.training.tensorboard import expect_tensorboard

if TYPE_CHECKING:
    from rnnlm.optim.base import Optimizer

__all__ = ["TrainConfig"]

GROUPS: dict[str, Any] = {"model": ModelOptions, "text": TextOptions}  # of settings; files and flags name them flat


def known_settings() -> dict[str, Field[Any]]:
    """The fields of all settings by name."""
    own = [f for f in fields(TrainConfig) if f.name not in GROUPS]
    return {f.name: f for f in (*own, *(f for kind in GROUPS.values() for f in fields(kind)))}


@dataclass(frozen=True)
class TrainConfig:
    """All that a training is told: corpus, model, optimiser, rates, where the results go.

    Attributes:
        recipe: settings to begin with: a name that `rnnlm recipes` lists, a TOML file with a table [settings], or the
            folder or the settings.json of a run; on the command line it is text for a recurrent model of one's own
            text, and story for all else, unless given.
        corpus: story (built in), ptb (Penn Treebank), or a UTF-8 text file or what `rnnlm data encode` made of one,
            whose last tenth is then held out.
        out: folder for the results, new or empty; runs/RECIPE-NNN, counting up, unless given.
        resume: folder of a run to go on with, exactly where it stopped; its settings are taken, and may be changed in
            max_epoch (but for a cosine), save_every, corpus (another place of the same), data_dir, tensorboard and
            device alone. Not a recipe's to say.
        save_every: write all down after so many steps (200) or so much time (30s, 10m, 1h), beside after each epoch.
        data_dir: folder that holds ptb/ptb.train.txt and so on; $RNNLM_DATA or the cache of downloads unless given.
        max_words: words of a text file to tell apart, the most frequent ones; of byte pairs, how many to learn.
        text: what is read of it, and what it is cut into.
        unk_rate: of a text file that is read as one stream: words that occur once in its train part are read as `<unk>`
            in this share of the epochs, and words of its held-out parts alone always, so that a model knows how likely
            unknown words are; 0 for a text without unknown words.
        max_tokens: train on so many tokens from the beginning; all unless given.
        model: its layers, dropouts and initial weights.
        init_embedding: word vectors to begin with, a file in word2vec's text format (`rnnlm vectors train` writes one);
            words are matched by name, and those without a vector begin as `init` has it.
        unigram_bias: the output layer's bias begins as the logarithms of the words' frequencies, which else are
            learned first, and on a small text by the state alone: it then goes astray where another text begins.
        optimizer: how weights are updated; asgd is SGD that averages its weights once valid gets no better.
        lr: learning rate.
        weight_decay: this times each weight is added to its gradient; of adamw (0.01 unless given), lr times this
            times the weight is subtracted from it.
        lr_rule: plateau divides lr by lr_decay after an epoch whose valid perplexity is not the best so far; halving
            from the first epoch on that brings little; step after each epoch from lr_epochs on; cosine falls to zero.
            Without valid perplexities plateau stays where it is.
        lr_decay: what plateau (4 unless given), halving and step (2 unless given) divide by.
        lr_epochs: of step, epochs at the full rate.
        warmup: of cosine, steps of a linear rise before it.
        batch_size: rows read side by side; of sentences as many lines as make batch_size times time_size tokens.
        time_size: time steps that gradients go back (truncated back-propagation through time).
        random_bptt: windows of random length around time_size, the learning rate in proportion.
        max_epoch: epochs.
        patience: stop after so many epochs without a better valid perplexity; never unless given, or without any.
        max_grad: clip the gradient's norm at this; inf to leave it as it is.
        evaluate: valid perplexity after each epoch, exact valid and test perplexity in the end.
        tensorboard: write a log for TensorBoard (extra `tensorboard`) into the run's folder, tensorboard/.
        device: cpu, cuda (an NVIDIA GPU), cuda:1 and so on; $RNNLM_DEVICE, or cpu, unless given. Not a recipe's to say.
        precision: of float32 products on a GPU, fp32, or tf32 or bf16 (faster, with factors of 10 or 7 bits);
            $RNNLM_PRECISION, or fp32, unless given. Not a recipe's to say.
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
        """A recipe's settings, with changes.

        Raises:
            InputError: no such recipe or setting, and the nearest name is offered; or one of another type.
        """
        known = {key: f for key, f in known_settings().items() if key not in PLACE}
        expect_known(changes, known, f"a change of recipe {name}")
        settings = typed(recipes.load(text("recipe", name))["settings"], known, f"recipe {name}")
        return cls.of({**settings, **changes}, recipe=name)

    @classmethod
    def of_run(cls, folder: Path) -> "TrainConfig":
        """The settings of a run, which is to go on.

        Raises:
            InputError: the folder is no run's, or has what is no setting.
        """
        saved = {key: value for key, value in saved_settings(folder).items() if key not in NOT_SAID}
        given = {key: value for key, value in saved.items() if value is not None}
        return cls.of(typed(given, known_settings(), f"{folder}"))

    @classmethod
    def of(cls, settings: Mapping[str, Any], **more: Any) -> "TrainConfig":
        """By name, those of model and text among them."""
        values: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in settings.items()
        }
        options: dict[str, Any] = {}
        for group, kind in GROUPS.items():
            options[group] = kind(**{f.name: values.pop(f.name) for f in fields(kind) if f.name in values})
        return cls(**options, **values, **more)

    def flat(self) -> dict[str, Any]:
        """All settings by name, those of model and text among them, as recipes and settings.json have them."""
        own = {f.name: getattr(self, f.name) for f in fields(TrainConfig) if f.name not in GROUPS}
        return {**own, **asdict(self.text), **asdict(self.model)}

    def published(self) -> float | None:
        """The training perplexity that others reached, if the settings are the recipe's but for seed and folders; None
        where a run goes on without its recipe."""
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
        self.model_config(vocab_size=2**31 - 1)  # of any size: that of the corpus is not known yet

    def make_optimizer(self) -> "Optimizer":
        """The optimiser to train with."""
        from rnnlm.optim.named import OPTIMIZERS  # which need an array library

        one_of("optimizer", self.optimizer, OPTIMIZERS)
        decay = {} if self.weight_decay is None else {"weight_decay": self.weight_decay}
        return OPTIMIZERS[self.optimizer](lr=self.lr, **decay)

    def make_batches(self, train: NDArray[np.integer] | Tokens | Sentences) -> Windows:
        """The windows of a corpus, as the first call of the trainer makes them."""
        random = self.random_bptt and not isinstance(train, Sentences)  # whose windows are as long as their lines
        return make_batches(train, None, self.batch_size, self.time_size, random, self.model.seed)

    def make_rate(self, steps: int) -> RateRule:
        """The learning-rate rule, for a training of so many steps."""
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
        """The model to build for a vocabulary."""
        from rnnlm.models.build import config_for  # models need an array library

        return config_for(self.model, vocab_size)
