"""Training as the book has it: a trainer that fits a model to a corpus."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from math import inf
from pathlib import Path
from typing import Any

from numpy.typing import ArrayLike

from rnnlm.checks import function, path_of
from rnnlm.data.batches import make_batches
from rnnlm.data.sentences import Sentences
from rnnlm.data.tokens import Tokens
from rnnlm.errors import InputError
from rnnlm.files import followed, make_folder
from rnnlm.saving.checkpoint import Checkpoints
from rnnlm.saving.lock import locked
from rnnlm.training.foreign import as_model, expect_own
from rnnlm.training.keeper import Keeper
from rnnlm.training.report import Report, checked_fit
from rnnlm.training.run import Run
from rnnlm.training.save_every import SaveEvery

__all__ = ["RnnlmTrainer"]


class RnnlmTrainer:
    """Fits a language model to a corpus.

    Args:
        model: `forward(xs, ts)`, `backward()`, `params`, `grads`; any object that has them will do.
        optimizer: `update(params, grads)`.

    Attributes:
        ppl_list: the perplexities reported by the last `fit`, those before it was stopped and gone on with included.
        grad_norm_list: with each, the mean norm of the gradient, before clipping.
        current_epoch: epochs finished over all calls of `fit`.
    """

    def __init__(self, model: Any, optimizer: Any) -> None:
        self.model, self.optimizer = model, optimizer
        self.ppl_list: list[float] = []
        self.grad_norm_list: list[float] = []
        self.current_epoch = 0
        self._eval_interval: int | None = None
        self._run: Run | None = None  # of the last `fit`
        self._before = 0  # epochs finished before it
        self._steps = 0  # steps made before it
        self._folder: Path | None = None  # of its checkpoints
        self._locked = False
        self._resumed: dict[str, Any] | None = None  # what the next `fit` goes on from

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
    ) -> None:
        """Train for `max_epoch` epochs of len(xs) // (batch_size * time_size) windows.

        Row i of a batch starts at offset i * (len(xs) // batch_size) of the corpus, time runs on over the epochs and
        wraps at the corpus's end, starting at 0 in each call. A progress bar shows time per window, tokens per second,
        time left and the last perplexity.

        Args:
            xs, ts: ids of inputs and targets, usually corpus[:-1] and corpus[1:], arrays or `Tokens`; or `Sentences`
                alone, which stand side by side as `SentenceBatches` has it.
            max_epoch: how many epochs.
            batch_size: N, rows read side by side.
            time_size: T, steps of a window.
            max_grad: clip the gradient's global norm at this.
            eval_interval: report at every so many windows of an epoch, beginning with its first; None for once an
                epoch, at its end. A report is exp of the mean loss since the report before, in `ppl_list`.
            on_report: called at each report with the epochs finished (over all calls of `fit`), the windows done in
                the epoch under way (0 at its end) and the perplexity; training ends if it returns True.
            rate: gives the learning rate for the number of a step, from 0; a rule of `rnnlm.optim`, say.
            random_bptt: windows of random lengths, as `RandomBatches` has them, with the learning rate scaled by
                length / time_size.
            seed: of the random lengths; each call of `fit` has others.
            save_to: a folder for checkpoints, from which `resume` goes on. There is one before the first step, after
                each epoch and at the end, beside those of `save_every`; Ctrl-C, SIGTERM and SIGHUP finish the step and
                save before they do what else they do.
            save_every: save after so many steps ("200") or so much time ("30s", "10m", "1h").

        Raises:
            BusyError: another training has `save_to`.
            OSError: a checkpoint can't be written; those before are whole.
            InputError, DataError: arguments out of range or too short a corpus, before any training; an id of a file
                that is no word, when its window is read.
            TrainingDiverged: a perplexity or gradient was NaN or infinite. The model has the last weights again that
                were kept, which is done every 20 steps while all is finite.
        """
        max_epoch, eval_interval = checked_fit(max_epoch, max_grad, eval_interval)
        SaveEvery(save_every)  # for its errors
        save_to = None if save_to is None else path_of("save_to", save_to)
        if on_report is not None:
            function("on_report", on_report)
        resumed, steps = self._resumed, self._steps + (0 if self._run is None else self._run.steps)
        before = self.current_epoch
        if resumed is not None:
            before, steps = resumed["before"], resumed["steps"]
        batches = make_batches(xs, ts, batch_size, time_size, random_bptt, seed, stream=before)
        run = Run(self.model, self.optimizer, batches, inf if max_grad is None else max_grad, rate)
        if resumed is None:
            self.ppl_list, self.grad_norm_list = [], []
        else:
            if (was := resumed["eval_interval"]) != eval_interval:
                raise InputError(
                    f"eval_interval of a training that goes on must be {was}, as before, got {eval_interval}"
                )
            run.load_state_dict(resumed["training"])
            self.ppl_list, self.grad_norm_list = resumed["ppl_list"], resumed["grad_norm_list"]
            self._resumed = None
        self._run, self._before, self._steps, self._eval_interval = run, before, steps, eval_interval

        def hear(report: Report) -> object:
            self.current_epoch = self._before + report.epoch
            self.ppl_list.append(report.perplexity)
            self.grad_norm_list.append(report.grad_norm)
            return on_report is not None and on_report(self.current_epoch, report.window, report.perplexity)

        try:
            with self._kept(run, save_to, save_every) as end_step:
                run.train(max_epoch, eval_interval, hear, on_step=end_step)
        finally:
            self.current_epoch = self._before + run.steps // len(batches)

    @contextmanager
    def _kept(self, run: Run, folder: str | os.PathLike[str] | None, every: str) -> Iterator[Callable[[], bool] | None]:
        """Inside, a training is written down by what is to be called after each step; nothing is, without a folder."""
        if folder is None:
            yield None
            return
        checkpoints = self._own(Path(folder))
        keeper = Keeper(run, checkpoints, every, self._more, each_epoch=True, first=self._steps)
        make_folder(checkpoints.folder)
        with locked(checkpoints.folder):
            self._locked = True
            try:
                with keeper.hearing():
                    keeper.save()
                    yield keeper.end_step
                    keeper.save()
            finally:
                self._locked = False

    def _own(self, folder: Path) -> Checkpoints:
        """The checkpoints in a folder, which are this trainer's.

        Raises:
            InputError: they are another one's.
        """
        checkpoints = Checkpoints(followed(folder))
        if checkpoints.any() and checkpoints.folder != self._folder:
            raise InputError(
                f"{folder} must not have checkpoints of another training: go on with it (resume), or take a new one"
            )
        self._folder = checkpoints.folder
        return checkpoints

    def _more(self) -> dict[str, Any]:
        """What is written beside a training."""
        epochs = {"current_epoch": self.current_epoch, "before": self._before, "steps": self._steps}
        lists = {"ppl_list": self.ppl_list, "grad_norm_list": self.grad_norm_list}
        return {**epochs, **lists, "eval_interval": self._eval_interval}

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write down the training that `fit` is in, as seen from its `on_report`, or has ended, as a checkpoint.

        Args:
            folder: of the checkpoints; the last two are kept.

        Raises:
            InputError: nothing was trained yet; a model, an optimiser or a rate of someone else; or a folder with
                checkpoints of another training.
            BusyError: another training has the folder.
        """
        if self._run is None:
            raise InputError("save needs a training: call fit first, or give fit a folder (save_to)")
        checkpoints = self._own(path_of("folder", folder))
        make_folder(checkpoints.folder)
        with nullcontext() if self._locked else locked(checkpoints.folder):
            checkpoints.save(self._steps + self._run.steps, {"training": self._run.progress(), **self._more()})

    def resume(self, folder: str | os.PathLike[str]) -> bool:
        """Go back to the newest checkpoint in a folder: model, optimiser and learning rate are what they were, and the
        next `fit`, given the same corpus and arguments, goes on exactly where that one was. Returns False, and changes
        nothing, if the folder is not there or never had one.

        A damaged checkpoint is moved aside with a warning, and the one before it is taken.

        Raises:
            ModelFileError: all checkpoints are damaged.
            InputError: another model's, or another optimiser's; nothing is changed.
            BusyError: another training has the folder.
        """
        checkpoints = Checkpoints(followed(path_of("folder", folder)))
        with locked(checkpoints.folder) if checkpoints.folder.is_dir() else nullcontext():
            state = checkpoints.latest()
        if state is None:
            return False
        expect_own(self.optimizer, None)
        before, now = state["training"]["parts"]["optimizer"], type(self.optimizer).__name__
        if before != now:
            raise InputError(f"optimizer of a training that goes on must be {before}, as before, got {now}")
        as_model(self.model).load_progress(state["training"]["model"])
        self.optimizer.load_state_dict(state["training"]["optimizer"])
        self._resumed, self._folder = state, checkpoints.folder
        self.ppl_list, self.grad_norm_list = list(state["ppl_list"]), list(state["grad_norm_list"])
        self.current_epoch = state["current_epoch"]
        return True

    def plot(self, ylim: tuple[float, float] | None = None) -> Any:
        """Draw the reported perplexities with matplotlib (extra `plot`) and show them; returns the axes."""
        from rnnlm.plotting import show_curve

        every = self._eval_interval
        return show_curve(self.ppl_list, "epoch" if every is None else f"windows (x{every})", "perplexity", ylim)
