"""One experiment: settings in, a folder with a trained model and its figures out."""

import sys
from dataclasses import asdict, replace
from math import log
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnlm.backend import ops
from rnnlm.checkpoint import load_model, save_model
from rnnlm.data import Corpus, Vocabulary, load_corpus
from rnnlm.data.lazy import pieces
from rnnlm.errors import DataError, InputError, MissingExtra, TrainingDiverged
from rnnlm.evaluation import Evaluation, evaluate, token_nats
from rnnlm.files import to_json
from rnnlm.models import Model, build_model
from rnnlm.optim.rates import RateRule
from rnnlm.progress import say
from rnnlm.samples import class_perplexities, right_sentences, sample_sentence
from rnnlm.settings import TrainConfig
from rnnlm.training import RnnlmTrainer

__all__ = ["run"]

LANES = 10  # of the valid perplexity after each epoch; the final figures are exact


def run(config: TrainConfig) -> Path:
    """Train, evaluate, write a sentence; return the folder of results.

    The folder has `settings.json`, `model/` (the best one by valid perplexity, or the last), `metrics.jsonl` (the same
    on every rerun), `timing.jsonl` (not the same) and, with matplotlib, `perplexity.png`. An interrupt or a loss that
    is not finite leaves the best model so far, or the last good one.

    Raises:
        InputError, DataError: before anything is written.
        OSError: the folder can't be written; before any training.
        TrainingDiverged: after the last good model was saved.
    """
    config.check()
    corpus = _load(config)
    train, words = corpus.train, corpus.vocabulary
    rate = config.make_rate(config.max_epoch * len(config.make_batches(train)))  # too short a corpus is refused here
    model = build_model(config.model_config(len(words)))
    folder = _new_folder(config)
    experiment = _Experiment(config, folder, model, corpus, rate)
    experiment.write("settings.json", {**asdict(config), "backend": ops.describe()})
    say(f"{len(train):,} tokens, vocabulary {len(words)}, {sum(p.size for p in model.params):,} parameters")
    say(f"{ops.describe()}; results in {folder}")
    say(" ".join(f"{key}={value}" for key, value in asdict(config).items() if key not in ("out", "data_dir")))
    try:
        experiment.fit()
    finally:
        experiment.finish_training()
    if config.evaluate:
        experiment.final_evaluation()
    if config.corpus == "story":
        experiment.count_right_sentences()
    experiment.write_sentence()
    return folder


class _Experiment:
    """What has to be remembered between epochs."""

    def __init__(self, config: TrainConfig, folder: Path, model: Model, corpus: Corpus, rate: RateRule) -> None:
        self.config, self.folder, self.model, self.corpus, self.rate = config, folder, model, corpus, rate
        self.optimizer = config.make_optimizer()
        self.waited = 0  # epochs since the best one
        self.published = config.published()
        self.curves: dict[str, list[float]] = {"train": []}
        self.best: float | None = None  # valid perplexity of the model in the folder
        self.started = perf_counter()

    def fit(self) -> None:
        """Train all epochs."""
        c, train = self.config, self.corpus.train
        self.trainer = RnnlmTrainer(self.model, self.optimizer)
        sizes = (c.max_epoch, c.batch_size, c.time_size, c.max_grad)
        try:
            self.trainer.fit(train[:-1], train[1:], *sizes, None, self.end_epoch, self.rate, c.random_bptt, c.seed)
        except TrainingDiverged as error:
            self.write("metrics.jsonl", {"diverged": error.step}, append=True)
            raise

    def end_epoch(self, epoch: int, _window: int, perplexity: float) -> bool:
        """Evaluate, keep the model if it is the best, choose the next learning rate, write it all down.

        Returns whether to stop.
        """
        norm = self.trainer.grad_norm_list[-1]
        row = {"epoch": epoch, "lr": self.optimizer.lr, "train_perplexity": perplexity, "grad_norm": norm}
        line = f"epoch {epoch:3d}  train perplexity {perplexity:.2f}"
        self.curves["train"].append(perplexity)
        if self.config.evaluate:
            valid = self.validate()
            row |= {"valid_perplexity": valid.perplexity, "valid_lanes": valid.lanes}
            line += f"  valid {valid.perplexity:.2f}"
            self.rate.end_epoch(valid.nats)
            self.optimizer.end_epoch(valid.nats)
        else:
            self.rate.end_epoch(None)
        self.write("metrics.jsonl", row, append=True)
        self.write("timing.jsonl", {"epoch": epoch, "seconds": perf_counter() - self.started}, append=True)
        say(line)
        return self.rate.finished or (self.config.patience is not None and self.waited >= self.config.patience)

    def validate(self) -> Evaluation:
        """Approximate valid perplexity; the best model is kept, averaged if the optimiser averages."""
        with self.optimizer.averaged([self.model.flat_params]):
            lanes = min(LANES, len(self.corpus.valid) - 1)
            valid = evaluate(self.model, self.corpus.valid, lanes)
            self.curves.setdefault("valid", []).append(valid.perplexity)
            self.waited += 1
            if self.best is None or valid.perplexity < self.best:
                self.best, self.waited = valid.perplexity, 0
                self.save()
        return valid

    def save(self) -> None:
        """Put the model into the folder."""
        save_model(self.folder / "model", self.model, self.corpus.vocabulary)

    def finish_training(self) -> None:
        """Whatever ended training: leave a model and a picture."""
        if self.best is None:
            with self.optimizer.averaged([self.model.flat_params]):
                self.save()
        epochs = range(1, len(self.curves["train"]) + 1)
        if not epochs:
            return
        from rnnlm.plotting import save_perplexity

        try:
            curves = {name: (epochs[: len(values)], values) for name, values in self.curves.items()}
            known = {"floor of the test part:": self.corpus.floor, "published:": self.published}
            levels = {name: value for name, value in known.items() if value is not None}
            save_perplexity(self.folder / "perplexity.png", curves, "epoch", self.config.corpus, levels)
        except (MissingExtra, OSError, ValueError) as error:  # a picture is no reason to lose what comes after it
            print(f"rnnlm: no picture: {error}", file=sys.stderr)

    def final_evaluation(self) -> None:
        """Exact perplexities of the model in the folder, which becomes this one."""
        self.model, _ = load_model(self.folder / "model")
        for name, ids in (("valid", self.corpus.valid), ("test", self.corpus.test)):
            print(f"rnnlm: scoring {len(ids) - 1:,} tokens of the {name} part exactly", file=sys.stderr)
            classes = self.config.corpus == "story" and name == "test"  # which take each token's nats; memory for them
            nats = token_nats(self.model, ids) if classes else None
            result = evaluate(self.model, ids) if nats is None else Evaluation.of(nats)
            say(f"{name} {result}")
            row = {"part": name, "perplexity": result.perplexity, "nats": result.nats, "stderr": result.stderr}
            row |= {} if self.corpus.floor is None or name != "test" else {"floor": self.corpus.floor}
            self.write("metrics.jsonl", {**row, "tokens": result.tokens}, append=True)
        if self.corpus.floor is not None:
            above = result.nats - log(self.corpus.floor)
            say(f"no model gets below {self.corpus.floor:.4f}; this one is {above:.4f} nats above that")
        if nats is not None:
            self.tell_classes_apart(nats)

    def tell_classes_apart(self, nats: NDArray[np.float64]) -> None:
        """Perplexities of the classes of words of the stories' test part, beside the best possible ones."""
        told = []
        for name, here, floor in class_perplexities(nats):
            self.write("metrics.jsonl", {"class": name, "perplexity": here, "floor": floor}, append=True)
            told.append(f"{name} {here:.3f} ({floor:.3f})")
        say("by class of word, and the best possible: " + ", ".join(told))

    def count_right_sentences(self) -> None:
        """How many of 1,000 sentences that the model makes up could stand in a story."""
        if self.corpus.vocabulary.eos_id is None:
            return
        made, right = right_sentences(self.model, self.corpus.vocabulary, self.config.seed)
        say(f"of {made:,} sentences it makes up the grammar accepts {right / max(made, 1):.1%}")
        self.write("metrics.jsonl", {"sentences": made, "accepted": right}, append=True)

    def write_sentence(self) -> None:
        """Print a sentence that the model makes up."""
        say("it writes: " + sample_sentence(self.model, self.corpus.vocabulary, self.config.seed))

    def write(self, name: str, row: dict[str, Any], append: bool = False) -> None:
        """Write a JSON object to a file of the folder: the whole file, or one more line of it."""
        with open(self.folder / name, "a" if append else "w", encoding="utf-8") as file:
            file.write(to_json(row, indent=None if append else 2) + "\n")


def _load(config: TrainConfig) -> Corpus:
    """The corpus; without an evaluation, words numbered after the last one of the text trained on are left out."""
    corpus = load_corpus(config.corpus, config.data_dir, config.max_words)
    train, words = corpus.train[: config.max_tokens], corpus.vocabulary
    if not config.evaluate:
        words = Vocabulary(words.words[: max(int(piece.max()) for piece in pieces(train)) + 1])
    elif min(len(corpus.valid), len(corpus.test)) < 2:
        raise DataError(f"{config.corpus} is too short to hold out a tenth of it: take --no-evaluate or more text")
    return replace(corpus, train=train, vocabulary=words)


def _new_folder(config: TrainConfig) -> Path:
    """Make the folder for the results; one that holds something already is refused, so that nothing is lost."""
    folder = config.out
    if folder is None:
        folder = _next_folder(Path(config.recipe).stem)
    elif folder.is_dir() and any(folder.iterdir()):
        raise InputError(f"out must be a new or an empty folder, and {folder} holds {next(folder.iterdir()).name}")
    folder.mkdir(parents=True, exist_ok=True)
    try:
        (folder / "metrics.jsonl").touch(exist_ok=False)
    except FileExistsError as error:
        raise InputError(f"out must be a folder of this run alone, and another has just begun in {folder}") from error
    return folder


def _next_folder(recipe: str) -> Path:
    """Make runs/RECIPE-001, or the first that nobody has, be it made at this very moment."""
    Path("runs").mkdir(exist_ok=True)
    number = 1
    while True:
        folder = Path("runs") / f"{recipe}-{number:03d}"
        try:
            folder.mkdir()
            return folder
        except FileExistsError:
            number += 1
