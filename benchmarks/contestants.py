"""The same work, done by different hands: rnnlm's, those of plain code, and PyTorch's in a file of their own.

A contestant is made from a case and the initial weights by name, which are the same for all of them, and has

    place(*inputs)      the inputs where the work wants them: on a GPU they are there before its time is taken
    step(*inputs)       the work whose time is taken: one training step, all sentences scored, one text generated
    the case's `proof`  what shows that all do the same work: a number and arrays by name, which must agree

For training these are `step(xs, ts)`, which runs forward, back, clipping at 0.25 and SGD, carries the state, and
returns the loss, on a CPU as a Python float; and `gradients(xs, ts)`, loss and gradients, by our names, of one window
from a zero state and without dropout. `first_words` has the scores after the first ids, and the likeliest words from
there on.
"""

from importlib import import_module

CONTESTANTS = ("ours", "plain", "torch", "torch-compiled", "torch-graph")  # the last one on a GPU only


def contestant(name, case, weights):
    """A contestant for a case. Only PyTorch's import PyTorch."""
    module = import_module("benchmarks.torch_contestants" if name.startswith("torch") else "benchmarks.our_contestants")
    return module.CLASSES[name, case.task](case, weights)
