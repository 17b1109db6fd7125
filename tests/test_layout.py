"""The shape of the project: what is public, and who may import whom."""

import ast
import importlib
import re
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import rnnlm
import rnnlm.data
from tests.cli.runs import script

PACKAGE = Path(rnnlm.__file__).parent
stubs = script("write_stubs").stubs
FILES = {".".join(("rnnlm", *p.relative_to(PACKAGE).with_suffix("").parts)): p for p in PACKAGE.rglob("*.py")}
MODULES = {name.removesuffix(".__init__"): path for name, path in FILES.items()}
PUBLIC = {
    "BusyError", "Interrupted", "Mixture", "NGram", "in_words_of", "kneser_ney", "linear_weights", "load_ngram", "log_linear_weights",
    "maximum_likelihood", "save_ngram",
    "Comparison", "Sentences", "TextOptions", "Tokenizer", "compare", "line_nats", "next_word_samples", "pad_sequences",
    "right_or_wrong", "sentence_generation", "who_is_meant",
    "ASGD", "Attention", "AttentionDecoder", "AttentionEncoder", "AttentionSeq2seq", "AttentionWeight", "CbowLm",
    "Decoder", "Encoder", "NNLM", "Pairs", "PeekyDecoder", "PeekySeq2seq", "Seq2seq", "TimeAttention",
    "TimeContextEmbedding", "WeightSum", "additions", "dates", "read_pairs", "AdaGrad", "Adam", "AdamW", "Affine", "AwdLstm", "BackendError", "Batches", "BetterRnnlm",
    "BetterRnnlmGen", "BinaryCrossEntropy", "CBOW", "CategoricalCrossEntropy", "Concatenate", "Constant", "Corpus",
    "Cosine", "DataError", "Dense", "DivideOnPlateau", "Dropout", "DynamicEvaluation", "EachTarget", "Embedding", "EmbeddingDot",
    "Evaluation", "GRU", "Halving", "InputError", "LSTM", "LanguageModel", "Losses", "MatMul", "MeanOverTime",
    "MeanSquaredError", "MissingExtra", "Model", "ModelConfig", "ModelFileError", "Momentum",
    "NegativeSamplingLoss", "NeuralCache", "Nesterov", "PictureError", "Predictor", "RMSprop", "RNN", "ReLU", "Rnnlm", "RnnlmError", "RnnlmGen",
    "RnnlmTrainer", "SGD", "Sampling", "Score", "Sequential", "Sigmoid", "SigmoidWithLoss", "SimpleCBOW",
    "SimpleRnnlm", "SimpleSkipGram", "SkipGram", "Softmax", "SoftmaxWithLoss", "SparseCategoricalCrossEntropy",
    "Split", "Step", "StepDecay", "Tanh", "TimeActivationRegularization", "TimeAdaptiveSoftmaxWithLoss", "TimeAffine", "TimeAffineWithLoss",
    "TimeBiGRU", "TimeBiLSTM", "TimeBiRNN", "TimeDropout", "TimeEmbedding", "TimeGRU", "TimeLSTM", "TimeRNN",
    "TimeSoftmaxWithLoss", "Tokens", "Trainer", "TrainingDiverged", "UnigramSampler", "Vocabulary",
    "Word2vecOptions", "analogy", "build_model", "clip_grads", "convert_one_hot", "cos_similarity",
    "create_co_matrix", "create_contexts_target", "encode_corpus", "eval_perplexity", "eval_seq2seq", "evaluate", "generate",
    "generate_batch", "load_corpus", "load_model", "load_vectors", "most_similar", "normalize", "open_corpus",
    "perplexity", "pmi", "ppmi", "preprocess", "ptb", "quantize", "read_corpus", "relu", "relu_slope", "save_model",
    "save_vectors", "score", "sigmoid", "sigmoid_slope", "softmax", "step", "story", "svd_vectors", "tanh",
    "EpochReport", "Head", "Hypothesis", "Layer", "Optimizer", "RateRule", "Recurrent", "Report",
    "Callback", "Scales", "TensorBoard", "read_nbest", "read_references", "rescore", "from_torch", "to_torch", "word_error_rate", "word_errors", "UnknownWord", "tanh_slope", "to_cpu", "to_gpu", "token_nats", "train_word2vec",
}  # fmt: skip
DATA = {
    "Hypothesis", "read_nbest", "read_references",
    "Sentences", "TextOptions", "Tokenizer", "next_word_samples", "pad_sequences", "right_or_wrong", "who_is_meant",
    "Batches", "Corpus", "Pairs", "Tokens", "Vocabulary", "additions", "dates", "encode_corpus", "load_corpus",
    "open_corpus", "ptb", "read_corpus", "read_pairs", "story",
}  # fmt: skip


# ---------------------------------------------------------------- who imports whom


def rooms():
    """For each folder or module of the package those it may import from, as the table in CONTRIBUTING.md has it."""
    text = (PACKAGE.parent / "CONTRIBUTING.md").read_text()
    rows = re.findall(r"^\| `rnnlm/([^|]+)` \|.*\|([^|]*)\|$", text, re.M)
    table = [(re.findall(r"\w+", left.replace(".py", "")), set(re.findall(r"\w+", right))) for left, right in rows]
    tools = set(table[0][0])
    return {room: tools | allowed | {room} for names, allowed in table for room in names}


def imports(source, module="rnnlm"):
    """The modules of this package that a text imports when it is itself imported."""
    found = set()
    for node in ast.parse(source).body:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{module}: relative imports are not used here"
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in MODULES else node.module for name in inner}
    return {name for name in found if name.partition(".")[0] == "rnnlm"}


def forbidden(module, source, allowed):
    """The imports of a module that its room is not allowed."""
    room = module.split(".")[1]
    return {name for name in imports(source, module) - {"rnnlm"} if name.split(".")[1] not in allowed[room]}


@pytest.mark.parametrize("module", sorted(set(MODULES) - {"rnnlm", "rnnlm.__main__"}))
def test_a_room_imports_only_from_those_that_the_table_allows(module):
    assert not forbidden(module, MODULES[module].read_text(), rooms())


def test_the_table_has_every_room_and_no_circle():
    table = rooms()
    assert set(table) == {name.split(".")[1] for name in MODULES if name not in ("rnnlm", "rnnlm.__main__")}
    tools = {name for name in table if (PACKAGE / f"{name}.py").exists()}
    tuple(TopologicalSorter({room: allowed - {room} - tools for room, allowed in table.items()}).static_order())


def test_no_file_imports_itself_by_way_of_others():
    tuple(TopologicalSorter({name: imports(path.read_text()) for name, path in MODULES.items()}).static_order())


@pytest.mark.parametrize(
    "line",
    [
        "from rnnlm.models.base import Model",
        "from rnnlm import models",
        "import rnnlm.models",
        "from rnnlm.models import flat",
    ],
)
def test_a_wrong_import_is_seen(line):
    found = {name.removesuffix(".base").removesuffix(".flat") for name in forbidden("rnnlm.data.text", line, rooms())}
    assert found == {"rnnlm.models"}


def test_the_root_has_few_modules():
    assert len(list(PACKAGE.glob("*.py"))) - 2 <= 10  # besides __init__ and __main__


# ---------------------------------------------------------------- what is public


def test_the_public_names_are_these():
    assert set(rnnlm.__all__) == PUBLIC
    for name in PUBLIC:
        assert getattr(rnnlm, name) is not None
    assert set(dir(rnnlm)) > PUBLIC
    with pytest.raises(AttributeError, match="no attribute 'TimeTravel'"):
        _ = rnnlm.TimeTravel


def test_each_name_is_where_its_home_says():
    for home, names in rnnlm.HOMES.items():
        module = importlib.import_module(home)
        assert set(names) <= {*module.__all__, home.split(".")[-1]}, home
        room = importlib.import_module(".".join(home.split(".")[:2]))
        assert all(getattr(room, name) is getattr(rnnlm, name) for name in names)


def test_type_checkers_read_the_same_names():
    written = stubs()
    assert set(written) == set(PACKAGE.rglob("*.pyi"))
    for path, text in written.items():
        assert path.read_text() == text, f"{path} is out of date: python scripts/write_stubs.py"


def test_a_stub_has_all_that_its_package_offers():
    for path in stubs():
        name = ".".join(("rnnlm", *path.parent.relative_to(PACKAGE).parts))
        package, read = importlib.import_module(name), set()
        for node in ast.parse(path.read_text()).body:
            read |= {a.asname for a in node.names} if isinstance(node, ast.ImportFrom) else {node.target.id}
        assert read >= {*package.__all__, *dir(package)} - {"__version__"}
        assert all(hasattr(package, one) for one in read)


def test_the_data_names_are_these():
    assert set(rnnlm.data.__all__) == DATA
    assert set(rnnlm.data.__all__) < set(dir(rnnlm.data))


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


def test_the_version_is_one():
    text = (PACKAGE.parent / "pyproject.toml").read_text()
    assert re.search(r'^version = "(.+)"$', text, re.M).group(1) == rnnlm.__version__
    assert f"## {rnnlm.__version__}" in (PACKAGE.parent / "CHANGELOG.md").read_text()


def test_submodules_are_attributes():
    assert rnnlm.data is importlib.import_module("rnnlm.data")
    assert rnnlm.optim.SGD is rnnlm.SGD
