"""Optimisers, each with `update(params, grads)`, gradient clipping and learning-rate rules."""

from rnnlm.optim.adam import Adam, AdamW
from rnnlm.optim.adaptive import AdaGrad, RMSprop
from rnnlm.optim.asgd import ASGD
from rnnlm.optim.clipping import clip_grads
from rnnlm.optim.rates import Constant, Cosine, DivideOnPlateau, Halving, StepDecay
from rnnlm.optim.sgd import SGD, Momentum, Nesterov

__all__ = [
    "ASGD",
    "SGD",
    "AdaGrad",
    "Adam",
    "AdamW",
    "Constant",
    "Cosine",
    "DivideOnPlateau",
    "Halving",
    "Momentum",
    "Nesterov",
    "RMSprop",
    "StepDecay",
    "clip_grads",
]
