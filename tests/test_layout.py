"""The shape of the project: what is public, and who may import whom."""

import ast
import importlib
import re
from pathlib import Path

import pytest

import rnnlm
import rnnlm.data

PACKAGE = Path(rnnlm.__file__).parent
# A file imports only from its own line or from lines above it; imports inside functions excepted.
LAYERS = [
    "errors",
    "checks",
    "device",
    "files",
    "backend",
    "cells",
    "layers",
    "models",
    "optim",
    "data",
    "evaluation",
    "scoring",
    "sampling",
    "generation",
    "checkpoint",
    "plotting",
    "progress",
    "training",
    "samples",
    "recipes",
    "settings",
    "experiment",
    "commands",
    "data_commands",
    "process",
    "cli",
    "__main__",
]
PUBLIC = {
    "ASGD", "AdaGrad", "Adam", "AdamW", "AwdLstm", "BackendError", "Batches", "BetterRnnlm", "BetterRnnlmGen",
    "Constant", "Corpus", "Cosine", "DataError", "DivideOnPlateau", "Evaluation", "GRU", "Halving",
    "InputError", "LSTM", "LanguageModel", "MissingExtra", "Model", "ModelConfig", "ModelFileError",
    "Momentum", "Nesterov", "RMSprop", "RNN", "Rnnlm", "RnnlmError", "RnnlmGen", "RnnlmTrainer", "SGD",
    "Score", "SimpleRnnlm", "StepDecay", "TimeActivationRegularization", "TimeAffine", "TimeAffineWithLoss", "TimeBiGRU",
    "TimeBiLSTM", "TimeBiRNN", "TimeDropout", "TimeEmbedding", "TimeGRU", "TimeLSTM", "TimeRNN",
    "TimeSoftmaxWithLoss", "TrainingDiverged", "Vocabulary", "build_model", "clip_grads", "encode_corpus",
    "eval_perplexity", "evaluate", "generate", "generate_batch", "load_corpus", "load_model", "open_corpus",
    "perplexity", "ptb", "read_corpus", "save_model", "score", "story", "token_nats",
}  # fmt: skip


def line_of(module):
    return LAYERS.index(module.split(".")[1])


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_point_upwards(path):
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    if parts == ("__init__",):
        return
    own = LAYERS.index(parts[0])
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("rnnlm."):
            assert line_of(node.module) <= own, f"{path.name} imports {node.module}"


def test_the_public_names_are_these():
    assert set(rnnlm.__all__) == PUBLIC
    for name in PUBLIC:
        assert getattr(rnnlm, name) is not None
    assert set(dir(rnnlm)) > PUBLIC
    with pytest.raises(AttributeError, match="no attribute 'TimeTravel'"):
        _ = rnnlm.TimeTravel


def test_type_checkers_read_the_same_modules():
    tree = ast.parse((PACKAGE / "__init__.py").read_text())
    stars = [n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.names[0].name == "*"]
    assert stars == [f"rnnlm.{name}" for name in rnnlm.MODULES]


def test_the_data_names_are_these():
    assert set(rnnlm.data.__all__) == {
        "Batches",
        "Corpus",
        "Vocabulary",
        "encode_corpus",
        "load_corpus",
        "open_corpus",
        "ptb",
        "read_corpus",
        "story",
    }


def documented(node):
    """The public definitions directly inside a module or class, and those inside its classes."""
    for child in node.body:
        if isinstance(child, (ast.ClassDef, ast.FunctionDef)) and not child.name.startswith("_"):
            yield child
            if isinstance(child, ast.ClassDef):
                yield from documented(child)


def test_everything_public_says_what_it_does():
    for path in PACKAGE.rglob("*.py"):
        module = ast.parse(path.read_text())
        assert ast.get_docstring(module), path
        for node in documented(module):
            setter = any(ast.unparse(d).endswith(".setter") for d in node.decorator_list)
            assert setter or ast.get_docstring(node), f"{path}: {node.name}"


def test_the_version_is_one(request):
    text = (PACKAGE.parent / "pyproject.toml").read_text()
    assert re.search(r'^version = "(.+)"$', text, re.M).group(1) == rnnlm.__version__


def test_submodules_are_attributes():
    assert rnnlm.data is importlib.import_module("rnnlm.data")
    assert rnnlm.optim.SGD is rnnlm.SGD
