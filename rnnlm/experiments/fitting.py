"""The training of an experiment, with evaluation after each epoch and checkpoints."""

from typing import Any

from rnnlm.backend import ops
from rnnlm.checks import flag, text
from rnnlm.drawing import or_told
from rnnlm.errors import ModelFileError, RnnlmError, TrainingDiverged
from rnnlm.experiments.curves import BY_HEART, ENDLESS, best_epoch, by_heart_since
from rnnlm.experiments.forecast import Forecast
from rnnlm.experiments.plan import Plan
from rnnlm.experiments.results import METRICS, JsonLines, Results
from rnnlm.experiments.resuming import CHECKPOINTS, SETTINGS, as_saved, expect_as_it_was, expect_same
from rnnlm.optim.rates import RateRule
from rnnlm.progress import note, say
from rnnlm.saving.checkpoint import Checkpoints
from rnnlm.saving.model_folder import save_model
from rnnlm.saving.open_folder import expect_whole
from rnnlm.training.callbacks import Callback, heard_by
from rnnlm.training.epochs import Epochs
from rnnlm.training.keeper import Keeper
from rnnlm.training.report import Report
from rnnlm.training.run import Run
from rnnlm.training.tensorboard import LOG, TensorBoard
from rnnlm.training.valid import validated

__all__ = ["MODEL", "Fitting", "is_finished"]

MODEL = "model"  # folder of the best one
POINTS = 20  # reports within an epoch, at least, for TensorBoard


class Fitting:
    """A training that is evaluated after each epoch, keeps its best model, and can be resumed.

    Args:
        plan: settings, texts and model.
        results: the folder of results.
        training: the run of the plan's model.
        rate: the learning rates of `training`.

    Attributes:
        curves: perplexities after each epoch, by name: train, valid.
        enough: whether training ended before its last epoch: by patience, the rate rule or a callback.
        finished: whether all that follows the training is done, too.
    """

    def __init__(self, plan: Plan, results: Results, training: Run, rate: RateRule) -> None:
        self.given, self.config, self.corpus, self.model = plan.given, plan.config, plan.corpus, plan.model
        self.results = results
        self.training, self.optimizer, self.rate = training, training.optimizer, rate
        self.published = self.config.published()
        self.curves: dict[str, list[float]] = {"train": []}
        self.callbacks: list[Callback] = [JsonLines(results)]
        if self.config.tensorboard:
            self.callbacks.append(TensorBoard(results.folder / LOG))
        self.epochs = Epochs(training, self.callbacks, 0, 0)
        self.model_folder = results.folder / MODEL
        self.checkpoints = Checkpoints(results.folder / CHECKPOINTS)
        self.keeper = Keeper(training, self.checkpoints, self.config.save_every, self._more)
        self.texts = self.corpus.digests()
        self.enough = self.finished = False
        self.figures = ""  # metrics written until the training ended

    def begin(self) -> None:
        """Save the settings and a first checkpoint, before any work that a full disk could lose."""
        self.results.write(SETTINGS, {**self.given.flat(), "backend": ops.describe()})
        self.keeper.save()

    def fit(self) -> None:
        """Train the epochs that are left.

        Raises:
            KeyboardInterrupt: a signal asked to stop; a checkpoint is saved, unless it was a second signal.
            TrainingDiverged: a loss was not finite, or the weights are not after the last step, which no loss has
                shown.
        """
        if self.enough:
            return
        self.forecast = Forecast(self.config.max_epoch * len(self.training.batches) - self.training.steps)
        try:
            with self.keeper.hearing() as signals, heard_by(self.callbacks, self):
                self.epochs.clock.go()
                self.training.train(self.config.max_epoch, on_report=self.end_epoch, on_step=self.end_step)
                if not signals and self.training.best is None and self.model.not_finite():
                    self.training.give_up(self.training.steps - 1)
        except TrainingDiverged as error:
            self.results.append(METRICS, {"diverged": error.step})
            raise

    # ------------------------------------------------------------------ going on

    def go_on(self, state: dict[str, Any]) -> None:
        """Restore the state of a checkpoint, including `finished`.

        Raises:
            InputError: other settings, another corpus, or fewer epochs than have begun.
            ModelFileError: the best model is damaged, and there is no checkpoint of it.
        """
        try:
            self._restore(state)
        except RnnlmError:
            raise
        except (AttributeError, IndexError, KeyError, OverflowError, TypeError, ValueError) as error:
            raise ModelFileError(f"{self.checkpoints.folder} has no state of a run: {error!r}") from error
        if self.finished:
            return
        self.results.figures = self.figures
        self.keeper.save()  # with the new settings: the old figures are lost once they are cut
        self.results.write(SETTINGS, {**self.given.flat(), "backend": ops.describe()})
        self.results.go_back(self.figures)

    def _restore(self, state: dict[str, Any]) -> None:
        """Restore the state of a checkpoint in memory; errors as `go_on`, or others if something else was saved."""
        expect_same(self.given, state["settings"])
        expect_as_it_was(state, self.config, self.texts, len(self.training.batches))
        self.training.load_state_dict(state["training"])
        self.curves = {text("a curve", name): [float(y) for y in curve] for name, curve in state["curves"].items()}
        self.enough, self.figures = flag("enough", state["enough"]), text("figures", state["figures"])
        self._expect_best(state)
        self.finished = is_finished(state, self.config.max_epoch)

    def _expect_best(self, state: dict[str, Any]) -> None:
        """Check that the best model can be read in its folder; otherwise save it again from the best checkpoint."""
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
        """Mark the run as finished and save a checkpoint."""
        self.finished = True
        self.keeper.save()

    def _more(self) -> dict[str, Any]:
        """Return what is saved with the training's state, if the folder is still there."""
        self.results.expect_held()
        if not self.finished:
            self.figures = self.results.figures
        found = {name: getattr(self, name) for name in ("curves", "figures", "texts", "enough", "finished")}
        return {**found, "settings": as_saved(self.given)}

    # ------------------------------------------------------------------ epochs

    @property
    def next_step(self) -> int:
        """The number, counted from 1, of the first step that callbacks will receive."""
        return self.training.next_step

    def end_step(self) -> bool:
        """Print a forecast once it is known, report within the epoch for TensorBoard, save if it is time to. Returns
        whether to stop."""
        self.forecast.end_step()
        steps, windows = self.training.steps, len(self.training.batches)
        if self.config.tensorboard and steps % windows and steps % max(windows // POINTS, 1) == 0:
            for one in self.callbacks:
                one.report(self.training.so_far())
        return self.keeper.end_step()

    def end_epoch(self, report: Report) -> bool:
        """Evaluate, save the model if it is the best, set the next learning rate, save a checkpoint.

        Returns whether to stop.
        """
        self.results.expect_held()
        self.curves["train"].append(report.perplexity)
        stop = self.epochs.end_epoch(report, self.validate)
        valid = f"  valid {self.curves['valid'][-1]:.2f}" if self.config.evaluate else ""
        say(f"epoch {report.epoch:3d}  train perplexity {report.perplexity:.2f}{valid}")
        if by_heart_since(self.curves["train"], self.curves.get("valid", ())) == report.epoch:
            note(BY_HEART + (ENDLESS if self.config.patience is None else ""))
        patience = self.config.patience
        self.enough = stop or self.rate.finished or (patience is not None and self.training.waited >= patience)
        self.keeper.save(best=self.config.evaluate and self.training.waited == 0)
        self.epochs.clock.go()
        return self.enough

    def validate(self) -> tuple[float, int] | None:
        """Tell optimiser and rate of the epoch's end; returns the approximate valid loss and its lanes, or None.

        The model is saved if it is the best, averaged if the optimiser averages.
        """
        if not self.config.evaluate:
            self.rate.end_epoch(None)
            return None
        valid = validated(self.model, self.corpus.valid, self.optimizer, [self.model.flat_params])
        self.curves.setdefault("valid", []).append(valid.perplexity)
        if self.training.note_valid(valid.nats):
            with self.optimizer.averaged([self.model.flat_params]):
                self.save_model()
        self.optimizer.end_epoch(valid.nats)
        self.rate.end_epoch(valid.nats)
        return valid.nats, valid.lanes

    def save_model(self) -> None:
        """Save the model to its folder, if that is still there."""
        self.results.expect_held()
        save_model(self.model_folder, self.model, self.corpus.vocabulary)

    def leave_model(self) -> None:
        """Save the model if none is saved and its weights are finite, and draw the curves; however training ended."""
        if self.training.best is None:
            if name := self.model.not_finite():
                note(f"no model is kept: its weights are not finite, in {name}")
            else:
                with self.optimizer.averaged([self.model.flat_params]):
                    self.save_model()
        if self.curves["train"]:
            self.draw()

    def tell_best(self) -> None:
        """Print and record the epoch of the best model."""
        if self.training.best is not None:
            epoch = best_epoch(self.curves["valid"])
            value = self.curves["valid"][epoch - 1]
            say(f"best model: epoch {epoch}, valid {value:.2f}")
            self.results.append(METRICS, {"best_epoch": epoch, "best_valid_perplexity": value})

    def draw(self) -> None:
        """Draw the curves; an error in drawing is only printed."""
        from rnnlm.plotting import save_perplexity

        epochs = range(1, len(self.curves["train"]) + 1)
        curves = {name: (epochs[: len(values)], values) for name, values in self.curves.items()}
        floor = self.corpus.floors.get("valid") if "valid" in self.curves else None
        known = {"floor of the valid part:": floor, "published:": self.published}
        levels = {name: value for name, value in known.items() if value is not None}
        with or_told():
            save_perplexity(self.results.folder / "perplexity.png", curves, "epoch", self.config.corpus, levels)


def is_finished(state: dict[str, Any], max_epoch: int) -> bool:
    """Whether a run with this state has nothing left to do; if it had `enough`, more epochs change nothing."""
    return bool(state["finished"] and (state["enough"] or max_epoch <= state["settings"]["max_epoch"]))
