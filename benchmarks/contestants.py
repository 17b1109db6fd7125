"""The same work, done by different hands: rnnlm's, those of plain code, PyTorch's and ONNX Runtime's.

A contestant is made from a case and the initial weights by name, which are the same for all of them, and has

    place(*inputs)      the inputs where the work wants them: on a GPU they are there before its time is taken
    step(*inputs)       the work whose time is taken: one training step, all sentences scored, one text generated
    the case's `proof`  what shows that all do the same work: a number and arrays by name, which must agree

For training these are `step(xs, ts)`, which runs forward, back, clipping at 0.25 and SGD, carries the state, and
returns the loss, on a CPU as a Python float; and `gradients(xs, ts)`, loss and gradients, by our names, of one window
from a zero state and without dropout. `first_words` has the scores after the first ids, and the likeliest words from
there on.
"""

from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec

ALL_TASKS = ("training", "scoring", "generating")


@dataclass(frozen=True)
class Entry:
    """What is known of a contestant before it is made.

    Attributes:
        title: its name in tables.
        colour: in pictures.
        module: where its class is, by name and task, in `CLASSES`.
        needs: libraries without which it is left out.
        tasks: what it takes part in.
        devices: where it runs.
        less_exact: it computes with numbers of fewer bits, which is other work: it is held against ours loosely, and
            nothing is held against it.
        may_fail: that ends its part, and not the run.
        precision: of float32 products, in place of the one that all others are given.
    """

    title: str
    colour: str
    module: str
    needs: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ALL_TASKS
    devices: tuple[str, ...] = ("cpu", "cuda")
    less_exact: bool = False
    may_fail: bool = False
    precision: str | None = None


TORCH = {"module": "torch_contestants", "needs": ("torch",)}
ONNX = {"module": "onnx_contestants", "needs": ("onnx", "onnxruntime"), "tasks": ALL_TASKS[1:], "devices": ("cpu",)}
CONTESTANTS = {
    "ours": Entry("rnnlm", "#c0392b", "our_contestants"),
    "ours-bf16": Entry(
        "rnnlm, bf16 (less exact)", "#e6a49c", "our_contestants", tasks=("training",), devices=("cuda",),
        less_exact=True, precision="bf16",
    ),
    "plain": Entry("plain", "#b8bec5", "our_contestants"),
    "torch": Entry("PyTorch", "#5b8db8", **TORCH),
    "torch-compiled": Entry("PyTorch, compiled", "#27557f", **TORCH, may_fail=True),
    "torch-graph": Entry("PyTorch, graph", "#10283d", **TORCH, tasks=("training",), devices=("cuda",), may_fail=True),
    "torch-bf16": Entry("PyTorch, bf16 (less exact)", "#b9d3e8", **TORCH, less_exact=True, may_fail=True),
    "onnx": Entry("ONNX Runtime", "#4f8a5b", **ONNX),
    "onnx-int8": Entry("ONNX Runtime, int8 (less exact)", "#bcdcc2", **ONNX, less_exact=True, may_fail=True),
}  # fmt: skip


def installed(device):
    """The contestants for a device whose libraries are there."""
    return [name for name, one in CONTESTANTS.items() if device in one.devices and all(map(find_spec, one.needs))]


def contestant(name, case, weights):
    """A contestant for a case. Only PyTorch's import PyTorch, only ONNX Runtime's that."""
    module = import_module(f"benchmarks.{CONTESTANTS[name].module}")
    return module.CLASSES[name, case.task](case, weights)
