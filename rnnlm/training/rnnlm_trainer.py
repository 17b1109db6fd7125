"""The book's trainer: fits a language model to a corpus."""

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from math import inf
from typing import Any

from numpy.typing import ArrayLike

from rnnlm.checks import function, path_of, whole_number
from rnnlm.data.batches import make_batches
from rnnlm.data.sentences import Sentences
from rnnlm.data.tokens import Tokens
from rnnlm.errors import InputError, TrainingDiverged
from rnnlm.models.sequential import Sequential
from rnnlm.progress import say
from rnnlm.training.callbacks import Callback, checked_callbacks, heard_by
from rnnlm.training.epochs import Epochs, repr_of
from rnnlm.training.foreign import as_model, expect_own, expect_unchanged, optimizer_parts
from rnnlm.training.report import Report, checked_fit
from rnnlm.training.run import Run
from rnnlm.training.save_every import SaveEvery
from rnnlm.training.trainer_folder import TrainerFolder
from rnnlm.training.valid import LANES, EarlyStopping, checked_valid, validated

__all__ = ["RnnlmTrainer"]


class RnnlmTrainer:
    """Fits a language model to a corpus.

    Args:
        model: any object with `forward(xs, ts)`, `backward()`, `params` and `grads`.
        optimizer: any object with `update(params, grads)`.

    Attributes:
        ppl_list: perplexities reported by the last `fit`; after `resume` also those from before the interruption.
        grad_norm_list: for each of these the mean gradient norm, before clipping.
        valid_ppl_list: perplexities of the validation text after each epoch of the last `fit`.
        current_epoch: epochs finished over all calls of `fit`.
    """

    def __init__(self, model: Any, optimizer: Any) -> None:
        self.model, self.optimizer = model, optimizer
        self.ppl_list: list[float] = []
        self.grad_norm_list: list[float] = []
        self.valid_ppl_list: list[float] = []
        self.current_epoch = 0
        self._eval_interval: int | None = None
        self._run: Run | None = None  # of the last `fit`
        self._before = 0  # epochs finished before the last `fit`
        self._steps = 0  # steps made before the last `fit`
        self._folder = TrainerFolder(self._more)
        self._enough = False  # whether a callback, its patience or the rate's rule ended it early
        self._stopping: EarlyStopping | None = None  # of the last `fit`
        self._each_epoch = False  # whether it needed a report after each epoch, which waits for a GPU
        self._resumed: dict[str, Any] | None = None  # the checkpoint that the next `fit` resumes

    def __repr__(self) -> str:
        return repr_of(self, self.ppl_list, "perplexity")

    def fit(
        self,
        xs: ArrayLike | Tokens | Sentences,
        ts: ArrayLike | Tokens | None = None,
        max_epoch: int = 10,
        batch_size: int = 20,
        time_size: int = 35,
        max_grad: float | None = None,
        eval_interval: int | None = 20,
        on_report: Callable[[int, int, float], object] | None = None,
        rate: Callable[[int], float] | None = None,
        random_bptt: bool = False,
        seed: int = 0,
        save_to: str | os.PathLike[str] | None = None,
        save_every: str = "10m",
        valid: ArrayLike | Tokens | Sentences | tuple[ArrayLike, ArrayLike] | None = None,
        callbacks: Sequence[Callback] = (),
        patience: int | None = None,
        verbose: int = 1,
        valid_lanes: int = LANES,
    ) -> None:
        """Train for `max_epoch` epochs of len(xs) // (batch_size * time_size) windows.

        Row i of a batch starts at offset i * (len(xs) // batch_size) of the corpus. The position carries over from
        epoch to epoch, wraps at the corpus's end and starts at 0 in each call. A progress bar shows time per window,
        tokens per second, time left and the last perplexity. The model is left with the state of the last window: call
        `model.reset_state()` before it reads another text.

        Args:
            xs, ts: ids of inputs and targets, usually corpus[:-1] and corpus[1:], arrays or `Tokens`; or `Sentences`
                alone, batched by `SentenceBatches`.
            max_epoch: how many epochs.
            batch_size: N, the number of rows read side by side.
            time_size: T, the time steps of a window.
            max_grad: clip the gradient's global norm at this (default: no clipping).
            eval_interval: report at the first window of each epoch and at every `eval_interval`-th after it; None to
                report at the end of each epoch. Each report adds exp of the mean loss since the previous one to
                `ppl_list`.
            on_report: called at each report with the epochs finished (over all calls of `fit`), the windows done in the
                current epoch (0 at its end) and the perplexity; return True to end the training.
            rate: function from the number of a step, from 0, to its learning rate, such as a rule of `rnnlm.optim`.
            random_bptt: use windows of random lengths (`RandomBatches`) and scale the learning rate by
                length / time_size.
            seed: seed of the random lengths; each call of `fit` draws others.
            save_to: folder for checkpoints, which `resume` reads. One is saved before the first step, after each epoch,
                at the end and as `save_every` says. Ctrl-C, SIGTERM and SIGHUP finish the step and save before they
                take effect.
            save_every: save after so many steps ("200") or so much time ("30s", "10m", "1h").
            valid: validation text, a corpus or (corpus[:-1], corpus[1:]). Its perplexity is added to `valid_ppl_list`
                after each epoch. It is also passed to a rule of `rnnlm.optim`, which may lower the rate or end the
                training, and to ASGD, which may begin to average.
            callbacks: `Callback` objects that receive the reports: `TensorBoard`, or your own.
            patience: stop after so many epochs without a lower validation perplexity. In the end the model has the
                weights of the best epoch, which checkpoints hold as well.
            verbose: 0 for no output, 1 for a progress bar, 2 for a line after each epoch.
            valid_lanes: read the validation text in so many lanes at once: fast, but each begins with a state of zeros,
                so the perplexity is approximate. 1 for the exact one, which `Sentences` have in any case.

        Raises:
            BusyError: another training is using `save_to`.
            OSError: a checkpoint can't be written; earlier ones stay intact.
            InputError, DataError: arguments out of range or a corpus that is too short, before any training; an id
                outside the vocabulary in a file, when its window is read.
            TrainingDiverged: a perplexity or gradient was NaN or infinite. The model is given back the last weights
                that were kept; they are kept every 20 steps while all is finite.
        """
        max_epoch, eval_interval = checked_fit(max_epoch, max_grad, eval_interval)
        SaveEvery(save_every)  # for its errors
        save_to = None if save_to is None else path_of("save_to", save_to)
        whole_number("verbose", verbose, 0, 3)
        callbacks = checked_callbacks(callbacks)
        if on_report is not None:
            function("on_report", on_report)
        resumed, steps = self._resumed, self._steps + (0 if self._run is None else self._run.steps)
        before = self.current_epoch
        if resumed is not None:
            before, steps = resumed["before"], resumed["steps"]
        batches = make_batches(xs, ts, batch_size, time_size, random_bptt, seed, lap=before)
        run = Run(self.model, self.optimizer, batches, inf if max_grad is None else max_grad, rate)
        if isinstance(self.model, Sequential) and (ts is None or valid is not None):
            _ = self.model.vocab_size  # for its errors: a network that sees later words, or forgets
        if whole_number("valid_lanes", valid_lanes, 1) != LANES and valid is None:
            raise InputError("valid_lanes is how a validation text is read, and there is none: valid=")
        held_out, stopping = checked_valid(self.model, valid), EarlyStopping(run, patience, valid is not None)
        self._begin(run, stopping, resumed, eval_interval)
        self._run, self._before, self._steps, self._eval_interval = run, before, steps, eval_interval
        self._stopping = stopping
        self._each_epoch = bool(held_out is not None or callbacks or stopping.rule is not None or verbose == 2)
        epochs = Epochs(run, callbacks, before, steps)

        def hear(report: Report) -> object:
            self.current_epoch = self._before + report.epoch
            self.ppl_list.append(report.perplexity)
            self.grad_norm_list.append(report.grad_norm)
            epochs.report(report)
            return on_report is not None and on_report(self.current_epoch, report.window, report.perplexity)

        def validate() -> tuple[float, int] | None:
            if held_out is None:
                stopping.end_epoch(None)
                return None
            found = validated(self.model, held_out, self.optimizer, run.model.weights(), valid_lanes)
            self.valid_ppl_list.append(found.perplexity)
            run.remark = f"  valid {found.perplexity:.2f}"
            stopping.end_epoch(found.nats)
            return found.nats, found.lanes

        def end_epoch(report: Report) -> bool:
            self.current_epoch = self._before + report.epoch
            self._enough = epochs.end_epoch(report, validate) or stopping.enough
            if verbose == 2:
                say(f"epoch {self.current_epoch}  perplexity {report.perplexity:.2f}{run.remark}")
            return self._enough

        try:
            with (
                self._folder.kept(run, save_to, save_every, steps) as end_step,
                heard_by(callbacks, self),
            ):
                told = end_epoch if self._each_epoch else None
                if not self._enough:
                    run.train(max_epoch, eval_interval, hear, verbose != 1, end_step, told)
        except TrainingDiverged:
            stopping.best.clear()  # the last good weights are the model's
            raise
        finally:
            self.current_epoch = self._before + run.steps // len(batches)
            stopping.restore()

    @property
    def next_step(self) -> int:
        """The number, counted from 1 over all calls of `fit`, of the first step that callbacks will receive."""
        return self._steps + (1 if self._run is None else self._run.steps + (not self._run.epoch_is_due))

    def _begin(
        self, run: Run, stopping: EarlyStopping, resumed: dict[str, Any] | None, eval_interval: int | None
    ) -> None:
        """Put a run at its beginning, or where the checkpoint left it."""
        self._enough = resumed is not None and bool(resumed.get("enough"))
        if resumed is None:
            run.model.reset_state()  # left from predictions made since the last training
            self._lists({"ppl_list": [], "grad_norm_list": []})
            return
        if (was := resumed["eval_interval"]) != eval_interval:
            raise InputError(f"eval_interval of a resumed training must be {was}, as before, got {eval_interval}")
        run.load_state_dict(resumed["training"])
        run.epoch.load_state_dict(resumed.get("epoch"), run.steps // len(run.batches))
        stopping.resume(resumed.get("best", []))
        self._enough |= stopping.enough
        self._lists(resumed)
        self._resumed = None

    def _lists(self, state: Mapping[str, Any]) -> None:
        """Restore the lists of reported figures."""
        self.ppl_list, self.grad_norm_list = list(state["ppl_list"]), list(state["grad_norm_list"])
        self.valid_ppl_list = list(state.get("valid_ppl_list", []))

    def _more(self) -> dict[str, Any]:
        """Return the trainer's part of a checkpoint."""
        lists = {name: getattr(self, name) for name in ("ppl_list", "grad_norm_list", "valid_ppl_list")}
        epochs = {"current_epoch": self.current_epoch, "before": self._before, "steps": self._steps}
        found: dict[str, Any] = {**lists, **epochs, "eval_interval": self._eval_interval, "enough": self._enough}
        if self._run is not None and self._each_epoch:
            found["epoch"] = self._run.epoch.state_dict()
        if self._stopping is not None and self._stopping.best:
            found["best"] = self._stopping.best
        return found

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Save a checkpoint of the last `fit`; may be called from its `on_report`.

        Args:
            folder: folder of checkpoints; the last two are kept.

        Raises:
            InputError: nothing was trained yet; the model, optimiser or rate is not of this library; or the folder has
                checkpoints of another training.
            BusyError: another training is using the folder.
        """
        if self._run is None:
            raise InputError("save needs a training: call fit first, or give fit a folder (save_to)")
        with nullcontext() if self._stopping is None else self._stopping.last_weights():
            self._folder.save(self._run, folder, self._steps)

    def resume(self, folder: str | os.PathLike[str]) -> bool:
        """Restore model, optimiser and learning rate from the newest checkpoint of a folder. The next `fit`, called
        with the same corpus and arguments, continues exactly where that training stopped. Returns False, and changes
        nothing, if the folder does not exist or has no checkpoint.

        A damaged checkpoint is moved aside with a warning, and the previous one is used.

        Raises:
            ModelFileError: all checkpoints are damaged.
            InputError: the checkpoint is of another model or optimiser; nothing is changed.
            BusyError: another training is using the folder.
        """
        path, state = self._folder.latest(folder)
        if state is None:
            return False
        expect_own(self.optimizer, None)
        expect_unchanged(state["training"]["parts"], optimizer_parts(self.optimizer), self.optimizer)
        as_model(self.model).load_progress(state["training"]["model"])
        self.optimizer.load_state_dict(state["training"]["optimizer"])
        self._resumed = state
        self._folder.adopt(path)
        self._lists(state)
        self.current_epoch = state["current_epoch"]
        return True

    def plot(self, ylim: tuple[float, float] | None = None) -> Any:
        """Draw the reported perplexities with matplotlib (extra `plot`) and show them; returns the axes."""
        from rnnlm.plotting import show_curve

        every = self._eval_interval
        return show_curve(self.ppl_list, "epoch" if every is None else f"windows (x{every})", "perplexity", ylim)
