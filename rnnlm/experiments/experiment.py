"""One experiment: settings in, a folder with a trained model and its figures out."""

import signal
import sys
from math import log
from pathlib import Path
from time import perf_counter
from typing import Any

from rnnlm.backend import ops
from rnnlm.data.sentences import Sentences
from rnnlm.data.vocabulary import Vocabulary
from rnnlm.errors import Interrupted, MissingExtra, ModelFileError, TrainingDiverged
from rnnlm.experiments.corpus import Texts, load
from rnnlm.experiments.embedding import begin_with
from rnnlm.experiments.going_on import SaveEvery, saved_settings, signals_noted
from rnnlm.experiments.results import METRICS, Results
from rnnlm.experiments.settings import TrainConfig
from rnnlm.experiments.stories import examine_sentences, examine_words
from rnnlm.inference.evaluation import Evaluation, evaluate, token_nats
from rnnlm.inference.generation import generate
from rnnlm.models.base import Model
from rnnlm.models.build import build_model
from rnnlm.optim.rates import RateRule
from rnnlm.progress import note, say
from rnnlm.saving.checkpoint import Checkpoints
from rnnlm.saving.model_folder import load_model, save_model
from rnnlm.training.report import Report
from rnnlm.training.run import Run

__all__ = ["run"]

LANES = 10  # of the valid perplexity after each epoch; the final figures are exact
CHECKPOINTS = "checkpoints"
UNWANTED = ("<unk>", "N", "$")  # never written in the sample sentence


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
    corpus, config = load(config)
    train, words = corpus.train, corpus.vocabulary
    batches = config.make_batches(train)  # too short a corpus is refused here
    model = build_model(config.model_config(len(words)))
    if config.init_embedding is not None:
        found = begin_with(config.init_embedding, model, words)
        say(f"{found:,} of {len(words):,} words begin with vectors of {config.init_embedding}")
    rate = config.make_rate(config.max_epoch * len(batches))
    training = Run(model, config.make_optimizer(), batches, config.max_grad, rate)
    results = Results.new(config.out, config.recipe) if config.resume is None else Results(config.resume)
    try:
        return _run(config, results, corpus, model, training, rate)
    except KeyboardInterrupt as stop:
        number = stop.number if isinstance(stop, Interrupted) else int(signal.SIGINT)
        if (results.folder / CHECKPOINTS).is_dir():
            raise Interrupted(f"stopped; go on with: rnnlm train --resume {results.folder}", number) from None
        raise
    finally:
        results.close()


def _run(config: TrainConfig, results: Results, corpus: Texts, model: Model, training: Run, rate: RateRule) -> Path:
    """The run itself, in a folder that nobody else writes to."""
    experiment = _Experiment(config, results, corpus, model, training, rate)
    train, words = corpus.train, corpus.vocabulary
    if config.resume is not None and experiment.go_on():
        say(f"{results.folder} is finished: nothing is changed")
        return results.folder
    if config.resume is None:
        results.write("settings.json", {**config.flat(), "backend": ops.describe()})
    say(f"{_told(train)}, vocabulary {len(words)}, {sum(p.size for p in model.params):,} parameters")
    say(f"{ops.describe()}; results in {results.folder}")
    say(" ".join(f"{key}={value}" for key, value in config.flat().items() if key not in ("out", "data_dir")))
    try:
        experiment.fit()
    finally:
        experiment.finish_training()
    if config.evaluate:
        experiment.final_evaluation()
    if config.corpus == "story" and not config.text.sentences:
        examine_sentences(experiment.model, words, config.model.seed, results)
    say("it writes: " + sample_sentence(experiment.model, words, config.model.seed))
    experiment.save_run(finished=True)
    return results.folder


class _Experiment:
    """A training, and what is made of it after each epoch and in the end."""

    def __init__(
        self, config: TrainConfig, results: Results, corpus: Texts, model: Model, training: Run, rate: RateRule
    ) -> None:
        self.config, self.results, self.corpus, self.model = config, results, corpus, model
        self.training, self.optimizer, self.rate = training, training.optimizer, rate
        self.published = config.published()
        self.curves: dict[str, list[float]] = {"train": []}
        self.started = perf_counter()
        self.checkpoints, self.every = Checkpoints(results.folder / CHECKPOINTS), SaveEvery(config.save_every)
        self.trained, self.figures = False, 0
        self.signals: list[int] = []

    def fit(self) -> None:
        """Train all epochs.

        Raises:
            TrainingDiverged: a loss was not finite, or the weights are not after the last step, whose loss nobody saw.
        """
        if self.trained:
            return
        if not self.training.steps:
            self.save_run()  # before anything is done that a full disk could lose
        try:
            with signals_noted() as self.signals:
                self.training.train(self.config.max_epoch, on_report=self.end_epoch, on_step=self.end_step)
            if self.training.best is None and self.model.not_finite():
                self.training.give_up(self.training.steps - 1)
        except TrainingDiverged as error:
            self.results.append(METRICS, {"diverged": error.step})
            raise
        if not self.trained:
            self.trained = True
            self.save_run()
        if self.signals:  # while the last epoch was evaluated
            raise Interrupted("stopped", self.signals[0])

    # ------------------------------------------------------------------ what is written down

    def end_step(self) -> None:
        """Write all down if it is time to, or if a signal asks to end.

        Raises:
            Interrupted: it does.
        """
        if self.signals or self.every.is_time(self.training.steps):
            self.save_run()
        if self.signals:
            raise Interrupted("stopped", self.signals[0])

    def save_run(self, finished: bool = False) -> None:
        """Write down all that is needed to go on from here."""
        if not finished:
            self.figures = self.results.length
        state = {
            "training": self.training.state_dict(), "curves": self.curves, "figures": self.figures,
            "trained": self.trained, "finished": finished,
        }  # fmt: skip
        self.checkpoints.save(self.training.steps, state)
        self.every.saved()

    def go_on(self) -> bool:
        """Become what the newest checkpoint of the folder says; whether the run is finished already.

        Raises:
            ModelFileError: no checkpoint, or none that is whole.
        """
        state = self.checkpoints.latest()
        if state is None:
            raise ModelFileError(f"{self.results.folder} has no checkpoint to go on from: its training had not begun")
        before = saved_settings(self.results.folder)
        longer = self.config.max_epoch > before["max_epoch"]
        if state["finished"] and not longer:
            return True
        self.training.load_state_dict(state["training"])
        self.curves, self.trained = state["curves"], state["trained"] and not longer
        if longer:
            self.results.write("settings.json", {**before, "max_epoch": self.config.max_epoch})
        self.figures = state["figures"]
        self.results.cut(self.figures)
        return False

    # ------------------------------------------------------------------ epochs

    def end_epoch(self, report: Report) -> bool:
        """Evaluate, keep the model if it is the best, choose the next learning rate, write it all down.

        Returns whether to stop.
        """
        row: dict[str, Any] = {"epoch": report.epoch, "lr": self.optimizer.lr}
        row |= {"train_perplexity": report.perplexity, "grad_norm": report.grad_norm}
        line = f"epoch {report.epoch:3d}  train perplexity {report.perplexity:.2f}"
        self.curves["train"].append(report.perplexity)
        if self.config.evaluate:
            valid = self.validate()
            row |= {"valid_perplexity": valid.perplexity, "valid_lanes": valid.lanes}
            line += f"  valid {valid.perplexity:.2f}"
            self.optimizer.end_epoch(valid.nats)
        self.rate.end_epoch(valid.nats if self.config.evaluate else None)
        self.results.append(METRICS, row)
        self.results.append("timing.jsonl", {"epoch": report.epoch, "seconds": perf_counter() - self.started})
        say(line)
        patience = self.config.patience
        self.trained = self.rate.finished or (patience is not None and self.training.waited >= patience)
        self.save_run()
        return self.trained

    def validate(self) -> Evaluation:
        """Approximate valid perplexity; the best model is kept, averaged if the optimiser averages."""
        with self.optimizer.averaged([self.model.flat_params]):
            lanes = 1 if self.config.text.sentences else min(LANES, len(self.corpus.valid) - 1)
            valid = evaluate(self.model, self.corpus.valid, lanes)
            self.curves.setdefault("valid", []).append(valid.perplexity)
            if self.training.note_valid(valid.nats):
                self.save()
        return valid

    def save(self) -> None:
        """Put the model into the folder."""
        save_model(self.results.folder / "model", self.model, self.corpus.vocabulary)

    def finish_training(self) -> None:
        """Whatever ended training: leave a model, if there are weights for one, and a picture."""
        if self.model.not_finite() and self.training.best is None:
            note(f"no model is kept: its weights are not finite, in {self.model.not_finite()}")
        elif self.training.best is None:
            with self.optimizer.averaged([self.model.flat_params]):
                self.save()
        if self.curves["train"]:
            self.draw()

    def draw(self) -> None:
        """The curves, in a picture; whatever keeps it from being drawn is said, and nothing is lost by it."""
        from rnnlm.plotting import save_perplexity

        epochs = range(1, len(self.curves["train"]) + 1)
        curves = {name: (epochs[: len(values)], values) for name, values in self.curves.items()}
        known = {"floor of the test part:": self.corpus.floor, "published:": self.published}
        levels = {name: value for name, value in known.items() if value is not None}
        try:
            save_perplexity(self.results.folder / "perplexity.png", curves, "epoch", self.config.corpus, levels)
        except (MissingExtra, OSError, ValueError) as error:
            print(f"rnnlm: no picture: {error}", file=sys.stderr)

    def final_evaluation(self) -> None:
        """Exact perplexities of the model in the folder, which becomes this one."""
        self.model, _ = load_model(self.results.folder / "model")
        for name, ids in (("valid", self.corpus.valid), ("test", self.corpus.test)):
            print(f"rnnlm: scoring {_told(ids)} of the {name} part exactly", file=sys.stderr)
            stories = self.config.corpus == "story" and not self.config.text.sentences
            classes = stories and name == "test"  # which take each token's nats; memory for them
            nats = token_nats(self.model, ids) if classes else None
            result = evaluate(self.model, ids) if nats is None else Evaluation.of(nats)
            say(f"{name} {result}")
            row = {"part": name, "perplexity": result.perplexity, "nats": result.nats, "stderr": result.stderr}
            row |= {} if self.corpus.floor is None or name != "test" else {"floor": self.corpus.floor}
            self.results.append(METRICS, {**row, "tokens": result.tokens})
        if self.corpus.floor is not None:
            above = result.nats - log(self.corpus.floor)
            say(f"no model gets below {self.corpus.floor:.4f}; this one is {above:.4f} nats above that")
        if nats is not None:
            examine_words(nats, self.results)


def sample_sentence(model: Model, words: Vocabulary, seed: int) -> str:
    """A sentence that the model makes up, of at least one word."""
    start = 0 if words.eos_id is None else words.eos_id
    of_words = words.reading.options.units == "word"
    skip = [words.word_to_id[word] for word in UNWANTED[: None if of_words else 1] if word in words]
    if len(skip) + 2 > len(words):
        skip = []
    first = generate(model, start, {start, *skip}, 2, seed=seed)  # a sentence has a word at least
    ids = generate(model, first, skip, 40 if of_words else 200, seed=seed, stop_id=words.eos_id)[1:]
    return words.text(ids).removesuffix("\n")


def _told(text: Any) -> str:
    """How much text there is, in words."""
    if isinstance(text, Sentences):
        return f"{text.tokens:,} tokens in {len(text):,} lines"
    return f"{len(text):,} tokens"
