"""Base class of the language models: checked ids, layers and a head."""

from collections.abc import Mapping
from inspect import signature
from typing import Any, Self, cast

from numpy.typing import NDArray

from rnnlm.backend import Array
from rnnlm.checks import flag
from rnnlm.errors import InputError
from rnnlm.layers.base import Layer
from rnnlm.layers.heads.base import Head
from rnnlm.models.config import INITIAL, ModelConfig
from rnnlm.models.ids import checked_ids, which_count
from rnnlm.models.sequential import Sequential, State
from rnnlm.models.stacked import Stacked
from rnnlm.models.weights import undrawn

__all__ = ["Model", "State"]


class Model(Stacked):
    """A language model: layers from word ids to hidden states, and a head from there to a loss or to scores.

    A subclass passes its layers and its head to `set_layers`, and lists in `arguments` the fields of `ModelConfig` that
    its constructor takes. A constructor of another form needs its own `from_config`, by which models are copied,
    pickled and loaded. A model is a predictor: `evaluate`, `score` and `generate` take it.

    Attributes:
        config: the configuration from which the model was built.
        context: number of words that a prediction depends on; None for all words read.
    """

    configuration = ModelConfig  # class of `config`
    arguments: tuple[str, ...] = ("vocab_size", "wordvec_size", "hidden_size")  # taken besides those in INITIAL
    context: int | None = None

    def __init__(self, config: ModelConfig) -> None:
        self.config = config

    @classmethod
    def from_config(cls, config: ModelConfig) -> "Model":
        """Return a new model of this class, built from `config`.

        Raises:
            InputError: `config` differs from a value that the class fixes, or the constructor takes other arguments.
        """
        known = (*cls.arguments, *INITIAL)
        for name, parameter in signature(cls).parameters.items():
            if name not in known and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
                raise InputError(
                    f"{cls.__name__} takes {name!r}, which its config does not have, so a copy would be another model: "
                    "bring a from_config of its own"
                )
        model = cls(**{name: getattr(config, name) for name in known})
        for name, value in vars(model.config).items():
            if getattr(config, name) != value:
                raise InputError(
                    f"{name} of {cls.__name__} must be {value!r}, got {getattr(config, name)!r}: "
                    "LanguageModel takes any"
                )
        return model

    def set_layers(self, layers: Mapping[str, Layer], head: Head) -> None:
        """Set the layers of this model, by name and in order, and its head."""
        self.head = head
        self.set_stack(Sequential(layers, head, self.config.dtype, self.config.seed))
        _ = self.stack.vocab_size  # for its errors

    @property
    def vocab_size(self) -> int:
        """V, the number of words in the vocabulary."""
        return self.config.vocab_size

    # ------------------------------------------------------------------ forward and back

    def predict(self, xs: Any, train_flg: bool = False) -> Array:
        """Return the scores (N, T, V) of the next word after each of the ids `xs` (N, T), a copy.

        Softmax over the last axis gives probabilities. `train_flg` enables dropout. Recurrent state is carried to the
        next call.
        """
        with self.one_thread:
            return self.stack.scores(self._ids("xs", xs), train_flg).copy()

    def next_scores(self, xs: Any) -> Array:
        """Return the scores (N, V) of the word after the last of the ids `xs` (N, T).

        The caller may overwrite the array; it is valid until the model is used again. Recurrent state is carried to
        the next call.
        """
        return self.stack.next_scores(self._ids("xs", xs))

    def forward(self, xs: Any, ts: Any, train_flg: bool = True, keep: bool = True) -> Array:
        """Return the mean cross-entropy in nats of the targets `ts` (N, T) after the words `xs` (N, T).

        Recurrent state is carried to the next call.

        Args:
            xs: ids in [0, vocab_size), a host array (checked, then moved) or an array of the backend.
            ts: ids in [0, vocab_size), or -1 for a target that does not count; or one-hot (N, T, V).
            train_flg: False for no dropout and no regularisation, for an evaluation.
            keep: False if no backward will follow.

        Raises:
            InputError: shapes differ, ids are out of range, or a carried state has another batch size.
        """
        given, keep, train_flg = ts, flag("keep", keep), flag("train_flg", train_flg)
        xs, ts = self._ids("xs", xs), self._ids("ts", ts, self.head.ignore_label)
        if xs.shape != ts.shape:
            raise InputError(f"xs and ts must have one shape (N, T), got {xs.shape} and {ts.shape}")
        counted = which_count(given, self.head.ignore_label) if train_flg and self.stack.regularizers else None
        return self.stack.loss(xs, ts, train_flg, keep, counted)

    @property
    def repeatable(self) -> bool:
        """As `Sequential.repeatable`, but False if a subclass or an instance overrides `forward` or `backward`."""
        own = type(self).forward is not Model.forward or type(self).backward is not Stacked.backward
        return not own and not {"forward", "backward"} & vars(self).keys() and self.stack.repeatable

    def losses(self, xs: Any, ts: Any, keep: bool = False) -> Array:
        """Return the cross-entropy in nats of each target, (N, T) float64, 0 where it is -1, without dropout.

        Recurrent state is carried to the next call. `keep`: True if a backward of their mean will follow.
        """
        with self.one_thread, self.head.scoring_all():
            self.forward(xs, ts, train_flg=False, keep=keep)
            return self.head.nats.copy()

    def _ids(self, name: str, ids: Any, ignored: int | None = None) -> Array:
        return checked_ids(name, ids, self.config.vocab_size, ignored)

    # ------------------------------------------------------------------ copying

    def _like(self) -> Self:
        """Return a model of this configuration with zero weights, in memory not yet allocated (see `undrawn`)."""
        with undrawn():
            model = cast(Self, self.from_config(self.config))
        model.head.ignore_label = self.head.ignore_label
        return model

    def __reduce__(self) -> Any:
        """Copy and pickle by configuration, weights and state: copies of single layers would lose the flat buffers."""
        state = self.get_state(), self.train_steps, self.head.ignore_label
        return _rebuild, (type(self), self.config, self.state_dict(), *state)


def _rebuild(
    cls: type[Model],
    config: ModelConfig,
    weights: Mapping[str, NDArray[Any]],
    state: State,
    train_steps: int,
    ignore_label: int = -1,
) -> Model:
    """Return a model built from the parts that `Model.__reduce__` gave."""
    with undrawn():
        model = cls.from_config(config)
    model.load_state_dict(weights)
    model.set_state(state)
    model.train_steps, model.head.ignore_label = train_steps, ignore_label
    return model
