"""Optimisers, clipping, learning-rate rules, and where random numbers come from."""

from collections.abc import Callable
from typing import Any

import numpy as np

from rnnlm import randomness
from rnnlm.optim import (
    ASGD,
    SGD,
    AdaGrad,
    Adam,
    AdamW,
    Constant,
    Cosine,
    DivideOnPlateau,
    Halving,
    Momentum,
    Nesterov,
    RMSprop,
    StepDecay,
    clip_grads,
)  # fmt: skip
from rnnlm.optim.rates import RateRule
from tests.odd_arguments import Call, Entry, entries, entry, method
from tests.odd_arguments.of_layers import floats

OPTIMIZERS: dict[Any, dict[str, Any]] = {
    SGD: {},
    Momentum: {"momentum": 0.5},
    Nesterov: {"momentum": 0.5},
    AdaGrad: {"epsilon": 1e-6},
    RMSprop: {"decay_rate": 0.5, "epsilon": 1e-6},
    Adam: {"beta1": 0.5, "beta2": 0.75, "epsilon": 1e-6},
    AdamW: {"beta1": 0.5, "beta2": 0.75, "epsilon": 1e-6},
    ASGD: {"nonmono": 2},
}


def step(optimizer: Any, params: Any, grads: Any, **factor: Any) -> Any:
    """The parameters after a step."""
    optimizer.update(params, grads, **factor)
    return [params, optimizer.iter]


def lists(**more: Any) -> dict[str, Any]:
    return {"params": [floats(2, 3), floats(4)], "grads": [floats(2, 3, seed=1), floats(4, seed=2)], **more}


def optimizer(cls: Any, given: dict[str, Any]) -> None:
    """Entries: it is made and takes a step; a step; a state is taken over; an attribute is set."""
    settings = {"lr": 0.5, "weight_decay": 0.25, **given}
    entry(f"{cls.__name__}()", lambda **options: step(cls(**options), **lists()), lambda: dict(settings))

    def of_one() -> Call:
        one = cls(**settings)
        return Call(lambda **arguments: step(one, **arguments), lists(factor=0.5))

    entries.append(Entry(f"{cls.__name__}.update", of_one, takes={"factor": (np.ndarray,)}, writes=("params",)))

    def of_one_array() -> Call:
        one = cls(**settings)
        return Call(lambda params, grads: step(one, [params], [grads]), {"params": floats(2, 3), "grads": floats(2, 3)})

    entries.append(Entry(f"{cls.__name__}.update of one", of_one_array, writes=("params",)))

    def loading() -> Call:
        before = cls(**settings)
        if isinstance(before, ASGD):
            before.start_averaging()
        step(before, **lists())
        one, state = cls(**settings), before.state_dict()

        def load(**entries: Any) -> Any:
            one.load_state_dict(
                {
                    key: [value] if key in one.slots and not isinstance(value, list) else value
                    for key, value in entries.items()
                }
            )
            return one.progress()

        return Call(load, state)

    entries.append(
        Entry(
            f"{cls.__name__}.load_state_dict",
            loading,
            takes={"began": (type(None),), "losses": (tuple, np.ndarray)} | dict.fromkeys(cls.slots, (np.ndarray,)),
        )
    )
    entry(
        f"{cls.__name__}.load_state_dict(state)",
        lambda state: cls(**settings).load_state_dict(state),
        lambda: {"state": cls(**settings).state_dict()},
    )
    for name in ("lr", "weight_decay"):
        entry(
            f"{cls.__name__}.{name}",
            lambda value, name=name: setattr(cls(), name, value),
            lambda: {"value": 0.5},
            also={"value": (name,)},
        )


for cls, given in OPTIMIZERS.items():
    optimizer(cls, given)
method("ASGD.end_epoch", lambda: ASGD(nonmono=1), "end_epoch", lambda: {"loss": 2.0}, takes={"loss": (float,)})
entry(
    "clip_grads",
    lambda grads, max_norm: [clip_grads(grads, max_norm), grads],
    lambda: {"grads": [floats(2, 3), floats(4)], "max_norm": 0.5},
    writes=("grads",),
)
entry(
    "clip_grads of one",
    lambda grads: [clip_grads([grads], 0.5), grads],
    lambda: {"grads": floats(2, 3)},
    writes=("grads",),
    takes={"grads": (np.ndarray,)},
)
RULES: dict[Any, dict[str, Any]] = {
    Constant: {},
    DivideOnPlateau: {"decay": 2.0},
    Halving: {"ratio": 1.5, "decay": 2.0},
    StepDecay: {"decay": 2.0, "full_epochs": 1},
    Cosine: {"steps": 10, "warmup": 2},
}


def rate(rule: RateRule, loss: Any = 2.0) -> Any:
    rule.end_epoch(3.0)
    rule.end_epoch(loss)
    return [rule(0), rule(5), rule.finished]


def loading(cls: Any, settings: dict[str, Any]) -> Callable[[], Call]:
    def make() -> Call:
        one = cls(**settings)

        def load(**state: Any) -> Any:
            one.load_state_dict(state)
            return rate(one)

        return Call(load, cls(**settings).state_dict())

    return make


for cls, given in RULES.items():
    settings = {"lr": 2.0, **given}
    entry(
        f"{cls.__name__}()", lambda cls=cls, **options: rate(cls(**options)), lambda settings=settings: dict(settings)
    )
    entry(
        f"{cls.__name__}.end_epoch",
        lambda loss, cls=cls, settings=settings: rate(cls(**settings), loss),
        lambda: {"loss": 2.0},
        takes={"loss": (float, type(None))},
    )
    entry(f"{cls.__name__}(step)", lambda step, cls=cls, settings=settings: cls(**settings)(step), lambda: {"step": 3})
    entries.append(
        Entry(
            f"{cls.__name__}.load_state_dict", loading(cls, settings), takes=dict.fromkeys(("best", "last"), (float,))
        )
    )
entry(
    "stream",
    lambda **given: randomness.stream(**given).random(3),
    lambda: {"seed": 1, "purpose": "dropout", "step": 2, "part": 3, "lap": 4},
)
entry("key_of", randomness.key_of, lambda: {"seed": 1, "purpose": "dropout", "part": 3})
entry("old_generator", lambda seed: randomness.old_generator(seed).rand(3), lambda: {"seed": 1})
