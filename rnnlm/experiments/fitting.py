"""The training of an experiment, and what is made of it after each epoch; it is written down as it goes on."""

from typing import Any

from rnnlm.backend import ops
from rnnlm.drawing import or_told
from rnnlm.errors import ModelFileError, TrainingDiverged
from rnnlm.experiments.corpus import Texts
from rnnlm.experiments.curves import BY_HEART, ENDLESS, best_epoch, by_heart_since
from rnnlm.experiments.forecast import Forecast
from rnnlm.experiments.going_on import CHECKPOINTS, SETTINGS, as_saved, expect_as_it_was, expect_same
from rnnlm.experiments.results import METRICS, JsonLines, Results
from rnnlm.experiments.settings import TrainConfig
from rnnlm.inference.evaluation import Evaluation
from rnnlm.models.base import Model
from rnnlm.optim.rates import RateRule
from rnnlm.progress import note, say
from rnnlm.saving.checkpoint import Checkpoints
from rnnlm.saving.model_folder import save_model
from rnnlm.saving.open_folder import expect_whole
from rnnlm.training.callbacks import Callback, heard_by, tell_epoch
from rnnlm.training.epochs import Clock
from rnnlm.training.keeper import Keeper
from rnnlm.training.report import EpochReport, Report
from rnnlm.training.run import Run
from rnnlm.training.tensorboard import LOG, TensorBoard
from rnnlm.training.valid import validated

__all__ = ["MODEL", "Fitting", "is_finished"]

MODEL = "model"  # folder of the best one
POINTS = 20  # of a log, at least, within an epoch


class Fitting:
    """A training that is evaluated after each epoch, whose best model is kept, and that can be gone on with.

    Args:
        given: the settings as they were given, which are written down.
        config: the same as the corpus has them.
        results: where to.
        corpus: texts to train on and to evaluate.
        model: what is trained.
        training: how.
        rate: the learning rates of `training`.

    Attributes:
        curves: perplexities after each epoch, by name.
        enough: whether training ended before its last epoch, for want of patience or of a rate.
        finished: whether all is done that comes after training, too.
    """

    def __init__(
        self,
        given: TrainConfig,
        config: TrainConfig,
        results: Results,
        corpus: Texts,
        model: Model,
        training: Run,
        rate: RateRule,
    ) -> None:
        self.given, self.config, self.results, self.corpus, self.model = given, config, results, corpus, model
        self.training, self.optimizer, self.rate = training, training.optimizer, rate
        self.published = config.published()
        self.curves: dict[str, list[float]] = {"train": []}
        self.callbacks: list[Callback] = [JsonLines(results)]
        if config.tensorboard:
            self.callbacks.append(TensorBoard(results.folder / LOG))
        self.clock = Clock(training)
        self.model_folder = results.folder / MODEL
        self.checkpoints = Checkpoints(results.folder / CHECKPOINTS)
        self.keeper = Keeper(training, self.checkpoints, config.save_every, self._more)
        self.texts = corpus.digests()
        self.enough = self.finished = False
        self.figures = ""  # those of the training alone

    def begin(self) -> None:
        """Write the run down before anything is done that a full disk could lose."""
        self.results.write(SETTINGS, {**self.given.flat(), "backend": ops.describe()})
        self.keeper.save()

    def fit(self) -> None:
        """Train all epochs that are left.

        Raises:
            KeyboardInterrupt: a signal asked to end; all is written down, unless it was the second one.
            TrainingDiverged: a loss was not finite, or the weights are not after the last step, whose loss nobody saw.
        """
        if self.enough:
            return
        self.forecast = Forecast(self.config.max_epoch * len(self.training.batches) - self.training.steps)
        try:
            with self.keeper.hearing() as signals, heard_by(self.callbacks, self):
                self.clock.go()
                self.training.train(self.config.max_epoch, on_report=self.end_epoch, on_step=self.end_step)
                if not signals and self.training.best is None and self.model.not_finite():
                    self.training.give_up(self.training.steps - 1)
        except TrainingDiverged as error:
            self.results.append(METRICS, {"diverged": error.step})
            raise

    # ------------------------------------------------------------------ going on

    def go_on(self, state: dict[str, Any]) -> None:
        """Become what a checkpoint says, `finished` too.

        Raises:
            InputError: other settings, or another corpus; or fewer epochs than are done.
            ModelFileError: the best model is damaged, and there is no checkpoint of it.
        """
        before = state["settings"]
        expect_same(self.given, before)
        expect_as_it_was(state, self.config, self.texts, len(self.training.batches))
        self.training.load_state_dict(state["training"])
        self.curves, self.enough, self.figures = state["curves"], state["enough"], state["figures"]
        self._expect_best(state)
        self.finished = is_finished(state, self.config.max_epoch)
        if self.finished:
            return
        self.results.figures = self.figures
        self.keeper.save()  # with the settings of now: what it was is gone when the figures are cut
        self.results.write(SETTINGS, {**self.given.flat(), "backend": ops.describe()})
        self.results.go_back(self.figures)

    def _expect_best(self, state: dict[str, Any]) -> None:
        """Check that the best model is in its folder; if it can't be read there, write it from the best checkpoint."""
        if self.training.best is None:
            return
        try:
            expect_whole(self.model_folder)
        except ModelFileError as error:
            best = self.checkpoints.best()
            if best is None:
                raise
            note(f"{error}; it is written again, from the best checkpoint")
            self.training.load_state_dict(best["training"])
            with self.optimizer.averaged([self.model.flat_params]):
                self.save_model()
            self.training.load_state_dict(state["training"])

    def finish(self) -> None:
        """All is done."""
        self.finished = True
        self.keeper.save()

    def _more(self) -> dict[str, Any]:
        """What is written down with the training."""
        if not self.finished:
            self.figures = self.results.figures
        found = {name: getattr(self, name) for name in ("curves", "figures", "texts", "enough", "finished")}
        return {**found, "settings": as_saved(self.given)}

    # ------------------------------------------------------------------ epochs

    @property
    def next_step(self) -> int:
        """The number, counted from 1, of the first step that callbacks will be told of."""
        return self.training.next_step

    def end_step(self) -> bool:
        """Tell how long it will take, once that is known, and now and then of the epoch so far; save if it is time to.
        Returns whether to stop."""
        self.forecast.end_step()
        steps, windows = self.training.steps, len(self.training.batches)
        if self.config.tensorboard and steps % windows and steps % max(windows // POINTS, 1) == 0:
            for one in self.callbacks:
                one.report(self.training.so_far())
        return self.keeper.end_step()

    def end_epoch(self, report: Report) -> bool:
        """Evaluate, keep the model if it is the best, choose the next learning rate, write it all down.

        Returns whether to stop.
        """
        told: dict[str, Any] = {**vars(report), "speed": self.clock.stop(), "lr": self.optimizer.lr}
        line = f"epoch {report.epoch:3d}  train perplexity {report.perplexity:.2f}"
        self.curves["train"].append(report.perplexity)
        if self.config.evaluate:
            valid = self.validate()
            told |= {"valid_loss": valid.nats, "valid_lanes": valid.lanes}
            line += f"  valid {valid.perplexity:.2f}"
            self.optimizer.end_epoch(valid.nats)
        self.rate.end_epoch(valid.nats if self.config.evaluate else None)
        stop = tell_epoch(self.callbacks, EpochReport(**told))
        say(line)
        if by_heart_since(self.curves["train"], self.curves.get("valid", ())) == report.epoch:
            note(BY_HEART + (ENDLESS if self.config.patience is None else ""))
        patience = self.config.patience
        self.enough = stop or self.rate.finished or (patience is not None and self.training.waited >= patience)
        self.keeper.save(best=self.config.evaluate and self.training.waited == 0)
        self.clock.go()
        return self.enough

    def validate(self) -> Evaluation:
        """Approximate valid perplexity; the best model is kept, averaged if the optimiser averages."""
        valid = validated(self.model, self.corpus.valid, self.optimizer, [self.model.flat_params])
        self.curves.setdefault("valid", []).append(valid.perplexity)
        if self.training.note_valid(valid.nats):
            with self.optimizer.averaged([self.model.flat_params]):
                self.save_model()
        return valid

    def save_model(self) -> None:
        """Put the model into its folder."""
        save_model(self.model_folder, self.model, self.corpus.vocabulary)

    def leave_model(self) -> None:
        """Whatever ended training: leave a model, if there are weights for one, and a picture."""
        if self.training.best is None:
            if name := self.model.not_finite():
                note(f"no model is kept: its weights are not finite, in {name}")
            else:
                with self.optimizer.averaged([self.model.flat_params]):
                    self.save_model()
        if self.curves["train"]:
            self.draw()

    def tell_best(self) -> None:
        """Say and write down which epoch the model is of."""
        if self.training.best is not None:
            epoch = best_epoch(self.curves["valid"])
            value = self.curves["valid"][epoch - 1]
            say(f"best model: epoch {epoch}, valid {value:.2f}")
            self.results.append(METRICS, {"best_epoch": epoch, "best_valid_perplexity": value})

    def draw(self) -> None:
        """The curves, in a picture; whatever keeps it from being drawn is said, and nothing is lost by it."""
        from rnnlm.plotting import save_perplexity

        epochs = range(1, len(self.curves["train"]) + 1)
        curves = {name: (epochs[: len(values)], values) for name, values in self.curves.items()}
        floor = self.corpus.floors.get("valid") if "valid" in self.curves else None
        known = {"floor of the valid part:": floor, "published:": self.published}
        levels = {name: value for name, value in known.items() if value is not None}
        with or_told():
            save_perplexity(self.results.folder / "perplexity.png", curves, "epoch", self.config.corpus, levels)


def is_finished(state: dict[str, Any], max_epoch: int) -> bool:
    """Whether a run with this state has nothing to do for so many epochs; more do not matter to one that had enough."""
    return bool(state["finished"] and (state["enough"] or max_epoch <= state["settings"]["max_epoch"]))
