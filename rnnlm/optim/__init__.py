"""Optimisers, each with `update(params, grads)`, and gradient clipping."""

from rnnlm.optim.adam import Adam
from rnnlm.optim.clipping import clip_grads
from rnnlm.optim.sgd import SGD

__all__ = ["SGD", "Adam", "clip_grads"]
