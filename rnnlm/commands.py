"""What the commands do, `train` (`experiment`) and `data` (`data_commands`) excepted. Results go to standard output."""

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from rnnlm.backend import FUSED, ops
from rnnlm.checkpoint import load_model
from rnnlm.data import Vocabulary
from rnnlm.data.corpora import load_part
from rnnlm.data.corpus import lines_of
from rnnlm.errors import DataError, InputError, ModelFileError
from rnnlm.evaluation import evaluate, perplexity
from rnnlm.files import to_json
from rnnlm.generation import generate
from rnnlm.layers.base import Layer
from rnnlm.models import Model
from rnnlm.plotting import expect_picture_name, save_perplexity, save_surprise
from rnnlm.scoring import score

__all__ = ["evaluate_model", "open_model", "plot_runs", "score_file", "show_info", "write_text"]

METRICS = "metrics.jsonl"
LINES = 1_000  # scored at a time


def open_model(folder: Path) -> tuple[Model, Vocabulary]:
    """The model in a folder, or in the results of a run."""
    inner = folder / "model"
    return load_model(inner if inner.is_dir() else folder)


def evaluate_model(folder: Path, corpus: str, part: str, data_dir: Path | None, lanes: int, as_json: bool) -> None:
    """Print the perplexity of a model on a corpus, with what is needed to compare it."""
    model, words = open_model(folder)
    ids, unknown = load_part(corpus, part, words, data_dir)
    result = evaluate(model, ids, lanes)
    if as_json:
        row = {"corpus": corpus, "part": part, "perplexity": result.perplexity, **asdict(result), "unknown": unknown}
        print(to_json(row))
        return
    print(result)
    print(f"{unknown:,} of {len(ids):,} tokens are not among the model's {len(words):,} words")


def score_file(folder: Path, path: Path, by_word: bool, as_json: bool) -> None:
    """Print the natural-log probability of each line of a text, or of each of its tokens."""
    model, words = open_model(folder)
    if words.eos_id is None:
        raise InputError("this model has no <eos> among its words, so no sentence has a beginning and an end")
    path = Path("/dev/stdin") if str(path) == "-" else path
    tokens, unknown, nats = 0, 0, 0.0
    for lines in _blocks(lines_of(path), LINES):
        sentences = [[word.decode() for word in line] for _, line in lines]
        scores = score(model, [words.encode(sentence) for sentence in sentences], words.eos_id)
        for sentence, one in zip(sentences, scores):
            strange = sum(word not in words for word in sentence)
            tokens, unknown, nats = tokens + len(sentence), unknown + strange, nats - one.logprob
            if as_json:
                row = {"logprob": one.logprob, "unknown": strange, "words": sentence, "logprobs": one.tokens.tolist()}
                print(to_json(row))
            elif by_word:
                print("".join(f"{p:.6f}\t{word}\n" for p, word in zip(one.tokens.tolist(), sentence)))
            else:
                print(f"{one.logprob:.6f}\t{' '.join(sentence[:-1])}")
    if tokens:
        told = f"{tokens:,} tokens, of which {unknown:,} are not among the model's words"
        print(f"rnnlm: {told}; perplexity {perplexity(nats / tokens):.2f}", file=sys.stderr)


def _blocks(lines: Iterable[Any], size: int) -> Iterator[list[Any]]:
    """So many lines at a time, so that results come as they are ready and memory does not grow."""
    lines = iter(lines)
    while block := list(islice(lines, size)):
        yield block


def write_text(
    folder: Path, prompt: str, length: int, count: int, heat: Path | None, seed: int | None, options: dict[str, Any]
) -> None:
    """Print texts that a model makes up, one a line: the prompt and what follows, to the end of a line or `length`."""
    if heat is not None:
        expect_picture_name(heat)
    model, words = open_model(folder)
    begin = [] if words.eos_id is None else [words.eos_id]
    start = [*begin, *words.encode(prompt).tolist()]
    if not start:
        raise InputError("prompt must have a word: this model has no <eos> to begin after")
    if length < len(start) - len(begin):
        raise InputError(f"length must be at least the {len(start) - len(begin)} words of the prompt, got {length}")
    for number in range(count):
        seed_now = None if seed is None else (seed + number) % 2**64 if seed >= 0 else seed
        size = len(begin) + length
        ids = generate(model, start, None, size, seed=seed_now, stop_id=words.eos_id, **options)
        print(" ".join(words.decode(ids[len(begin) :])).removesuffix("<eos>").rstrip())
        if heat is not None and number == 0:
            draw_heat(model, words, ids, heat)


def draw_heat(model: Model, words: Vocabulary, ids: Sequence[int], path: Path) -> None:
    """Draw how surprised the model is by each word of a text after the first one."""
    if len(ids) < 2:
        raise InputError("a heat strip needs a text of at least two words")
    model.reset_state()
    nats = ops.asnumpy(model.losses([ids[:-1]], [ids[1:]]))[0]
    save_surprise(path, words.decode(ids[1:]), np.exp(-nats))
    print(f"rnnlm: word probabilities of the first text are drawn in {path}", file=sys.stderr)


def show_info(folder: Path | None) -> None:
    """Print what runs here, and the layers of a model with their shapes."""
    import safetensors

    import rnnlm

    print(f"rnnlm {rnnlm.__version__}, Python {sys.version.split()[0]}, {ops.describe()}")
    print(f"safetensors {safetensors.__version__}")
    print(f"fused functions: {', '.join(sorted(FUSED)) or 'none'}")
    if folder is None:
        return
    model, words = open_model(folder)
    print(f"\n{model.config.model}, {len(words):,} words, {model.config.dtype}, seed {model.config.seed}")
    for name, layer in model.layers.items():
        print(f"  {name:16s} {_describe(layer)}")
        for weight, p in zip(layer.names, layer.params):
            own = any(p is q for q in model.params)
            count = f"{p.size:>12,}" if own else "        tied"
            print(f"    {weight:14s} {' x '.join(str(n) for n in p.shape):>16s} {count}")
    print(f"  {'parameters':16s} {'':16s} {sum(p.size for p in model.params):>12,}")


def _describe(layer: Layer) -> str:
    """A layer's class, and what is special about it."""
    words = [type(layer).__name__]
    if layer.mask is not None and layer.mask.dropout_ratio:
        words.append(f"{layer.mask.name} {layer.mask.dropout_ratio:g}")
    words += [name for name in ("variational", "reset_after") if getattr(layer, name, False)]
    words += [f"{name} {getattr(layer, name):g}" for name in ("ar", "tar") if getattr(layer, name, 0)]
    return ", ".join(words)


def plot_runs(folders: Sequence[Path], out: Path) -> None:
    """Draw the perplexities of several runs in one picture."""
    expect_picture_name(out)
    levels: dict[str, float] = {}
    curves: dict[str, tuple[list[float], list[float]]] = {}
    for folder in folders:
        rows = _metrics(folder)
        floors = [row["floor"] for row in rows if row.get("part") == "test" and _drawable(row.get("floor"))]
        if floors:
            levels["floor of the test part:"] = floors[-1]
        for kind in ("train", "valid"):
            points = [(r.get("epoch"), r[f"{kind}_perplexity"]) for r in rows if r.get(f"{kind}_perplexity")]
            if not all(_drawable(x) and _drawable(y) for x, y in points):
                raise ModelFileError(f"{folder / METRICS} is damaged: epochs and perplexities must be positive numbers")
            if points:
                epochs, values = zip(*points)
                curves[f"{folder} {kind}"] = list(epochs), list(values)
    if not curves:
        raise DataError("no epoch is finished in any of these runs")
    save_perplexity(out, curves, levels=levels)
    print(out)


def _drawable(x: Any) -> bool:
    return isinstance(x, (int, float)) and not isinstance(x, bool) and 0 < x < 1e30


def _metrics(folder: Path) -> list[dict[str, Any]]:
    path = folder / METRICS
    try:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ModelFileError(f"{folder} is not the folder of a run: it has no metrics.jsonl") from error
    except (ValueError, RecursionError) as error:
        raise ModelFileError(f"{path} is damaged: {error}") from error
    if not all(isinstance(row, dict) for row in rows):
        raise ModelFileError(f"{path} is damaged: each line must be a JSON object")
    return rows
