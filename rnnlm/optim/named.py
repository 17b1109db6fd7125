"""Optimisers by the names used in recipes and on the command line."""

from rnnlm.optim.adam import Adam, AdamW
from rnnlm.optim.adaptive import AdaGrad, RMSprop
from rnnlm.optim.asgd import ASGD
from rnnlm.optim.base import Optimizer
from rnnlm.optim.sgd import SGD, Momentum, Nesterov

__all__ = ["OPTIMIZERS"]

OPTIMIZERS: dict[str, type[Optimizer]] = {
    "sgd": SGD,
    "momentum": Momentum,
    "nesterov": Nesterov,
    "adagrad": AdaGrad,
    "rmsprop": RMSprop,
    "adam": Adam,
    "adamw": AdamW,
    "asgd": ASGD,
}
