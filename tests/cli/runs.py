"""Small runs of the command line, and what they leave."""

import importlib.util
import json
from pathlib import Path

import rnnlm

SMALL = [
    "--recipe", "book-rnn", "--batch-size", "4", "--time-size", "5", "--hidden-size", "8", "--wordvec-size", "6",
    "--max-epoch", "3",
]  # fmt: skip


def rows(path):
    """The objects of a file of JSON lines."""
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


def script(name):
    """A file of scripts/ as a module."""
    path = Path(rnnlm.__file__).parent.parent / "scripts" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
