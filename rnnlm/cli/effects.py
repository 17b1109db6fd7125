"""Refuse options that have no effect in combination with the others.

Only options typed on the command line are checked: a recipe may set options that a change to it makes useless.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

from rnnlm.data.corpora.named import BUILT_IN
from rnnlm.data.encoded import is_encoded
from rnnlm.errors import InputError
from rnnlm.experiments.settings import TrainConfig

__all__ = ["ENCODING", "EVALUATING", "NGRAMS", "TRAINING", "VECTORS", "Effect", "expect_effect"]


@dataclass(frozen=True)
class Effect:
    """The condition under which some options have an effect.

    Attributes:
        options: their names.
        does: returns whether they have an effect, given all options, which were checked before.
        where: the condition in words, following "has an effect only".
    """

    options: tuple[str, ...]
    does: Callable[[Any], bool]
    where: str


def _is_text(config: Any) -> bool:
    """Whether the vocabulary is counted from the text, rather than given with it."""
    if config.corpus in BUILT_IN:
        return config.corpus == "ptb" and (config.text.cleans or config.text.units != "word")
    return not (Path(config.corpus).is_file() and is_encoded(Path(config.corpus)))


def _is_own_stream(config: TrainConfig) -> bool:
    """Whether the corpus is a text in which rare words may be read as `<unk>`."""
    own = config.corpus not in BUILT_IN and _is_text(config)
    return own and not config.text.sentences and config.text.units != "bpe"  # byte pairs have no unknown words


def _overruled(config: TrainConfig) -> bool:
    """Whether each place that dropout_ratio applies to has a dropout option of its own that is set."""
    places = [config.model.input_dropout, config.model.output_dropout]
    if config.model.model == "recurrent" and config.model.layers > 1:
        places.append(config.model.hidden_dropout)
    return None not in places


def _drops(config: TrainConfig) -> bool:
    """Whether any activation dropout is used."""
    m = config.model
    return bool(m.dropout_ratio or m.input_dropout or m.hidden_dropout or m.output_dropout)


PTB_FOLDER = Effect(("data_dir",), lambda c: c.corpus == "ptb", "with --corpus ptb")

TRAINING = [
    Effect(("warmup",), lambda c: c.lr_rule == "cosine", "with --lr-rule cosine"),
    Effect(("lr_epochs",), lambda c: c.lr_rule == "step", "with --lr-rule step"),
    Effect(
        ("lr_decay",),
        lambda c: c.lr_rule in ("plateau", "halving", "step"),
        "with --lr-rule plateau, halving or step",
    ),
    Effect(
        ("lr_decay",),
        lambda c: c.lr_rule != "plateau" or c.evaluate,
        "with valid perplexities where --lr-rule is plateau: leave out --no-evaluate",
    ),
    Effect(
        ("patience",), lambda c: c.evaluate, "where there are valid perplexities to wait for: leave out --no-evaluate"
    ),
    Effect(
        ("unk_rate",),
        _is_own_stream,
        "on a text file of one's own that is read as one stream of words or characters",
    ),
    PTB_FOLDER,
    Effect(
        ("max_words",),
        _is_text,
        "where words are counted: of a text file, and of ptb with --units or what cleans it. story and encoded files "
        "have their words already",
    ),
    Effect(("cell", "layers", "activation"), lambda c: c.model.model == "recurrent", "with --model recurrent"),
    Effect(("context",), lambda c: c.model.model != "recurrent", "with --model nnlm or cbow-lm"),
    Effect(
        ("hidden_size",),
        lambda c: c.model.model != "cbow-lm",
        "where there is a hidden layer, which cbow-lm does not have",
    ),
    Effect(
        ("hidden_size",),
        lambda c: c.model.model != "recurrent" or c.model.layers > 1 or c.model.last_hidden_size is None,
        "with more than one layer where --last-hidden-size is given, too: that is the size of the last one",
    ),
    Effect(("hidden_dropout",), lambda c: c.model.layers > 1, "between layers: with --layers 2 or more"),
    Effect(
        ("dropout_ratio",),
        lambda c: not _overruled(c),
        "where no other dropout is named, and input, hidden and output dropout all are",
    ),
    Effect(("div_value",), lambda c: bool(c.model.cutoffs), "with --cutoffs"),
    Effect(("variational",), _drops, "with --dropout-ratio, or one of the three that it stands for"),
    Effect(("activation",), lambda c: c.model.cell == "rnn", "with --cell rnn"),
    Effect(("init_range",), lambda c: c.model.init in ("uniform", "torch"), "with --init uniform or torch"),
]


NGRAMS = [
    PTB_FOLDER,
    Effect(("part",), lambda c: c.corpus not in BUILT_IN, "with a file: of story and ptb the train part is counted"),
    Effect(
        ("max_words",),
        lambda c: c.vocab is None and _is_text(c),
        "where words are counted: of a text file, and of ptb with --units or what cleans it, without --vocab",
    ),
]
VECTORS = [
    PTB_FOLDER,
    Effect(("max_words",), lambda c: c.corpus not in BUILT_IN and _is_text(c), "on a text file"),
    Effect(
        ("negative", "epochs", "lr", "subsample", "block"),
        lambda c: c.method != "svd",
        "with --method skip-gram or cbow",
    ),
]
EVALUATING = [
    Effect(("dynamic_decay", "dynamic_segment"), lambda c: c.adaptation.dynamic_lr is not None, "with --dynamic-lr"),
    Effect(("cache_size", "cache_flatness"), lambda c: c.adaptation.cache_weight is not None, "with --cache-weight"),
]
ENCODING = [Effect(("max_words",), lambda c: c.vocab is None, "without --vocab, which has the words")]


def expect_effect(given: Any, effects: Sequence[Effect], typed: Collection[str]) -> None:
    """Check that options that were typed have an effect, or are 0 or off.

    Args:
        given: all options, a dataclass, already checked.
        typed: names of the options that were typed.

    Raises:
        InputError: an option has no effect; the message names it and what to do.
    """
    values = _flat(given)
    for effect in effects:
        for name in effect.options:
            if name in typed and values[name] and not effect.does(given):
                flag = f"--{name.replace('_', '-')}"
                raise InputError(f"{flag} {values[name]} has an effect only {effect.where}; leave out {flag}")


def _flat(given: Any) -> dict[str, Any]:
    """Return the fields of a dataclass by name, those of nested dataclasses included."""
    values: dict[str, Any] = {}
    for field in fields(given):
        value = getattr(given, field.name)
        values |= _flat(value) if is_dataclass(value) else {field.name: value}
    return values
