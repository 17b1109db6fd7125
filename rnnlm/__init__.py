"""Recurrent neural network language models, every forward and backward pass written out, on NumPy or CuPy.

    from rnnlm import SGD, RnnlmTrainer, SimpleRnnlm, evaluate, generate
    from rnnlm.data import ptb

The public names are those in `__all__` of the modules listed below. They are loaded when they are first used, so that
`import rnnlm` is cheap and a command can report a backend that won't load in one sentence.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # what type checkers and editors read; the same modules as MODULES
    from rnnlm.errors import *
    from rnnlm.data import *
    from rnnlm.layers import *
    from rnnlm.models import *
    from rnnlm.optim import *
    from rnnlm.evaluation import *
    from rnnlm.scoring import *
    from rnnlm.generation import *
    from rnnlm.checkpoint import *
    from rnnlm.training import *

__version__ = "0.1.0"
MODULES = (
    "errors",
    "data",
    "layers",
    "models",
    "optim",
    "evaluation",
    "scoring",
    "generation",
    "checkpoint",
    "training",
)


def _homes() -> dict[str, Any]:
    """Each public name's module."""
    modules = [import_module(f"rnnlm.{name}") for name in MODULES]
    return {name: module for module in modules for name in module.__all__}


def __getattr__(name: str) -> Any:
    if name == "__all__":
        return sorted(_homes())
    if name in MODULES:
        return import_module(f"rnnlm.{name}")
    home = None if name.startswith("_") else _homes().get(name)
    if home is None:
        raise AttributeError(f"module 'rnnlm' has no attribute {name!r}")
    value = globals()[name] = getattr(home, name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_homes()})
