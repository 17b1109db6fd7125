"""One training run, whose state can be saved after any step and restored bit for bit."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from math import inf, isfinite
from typing import Any, NoReturn

from rnnlm.backend import Array, ops, xp
from rnnlm.backend.host import on_host
from rnnlm.checks import function, instance_of, not_negative, positive, refused
from rnnlm.data.windows import Windows
from rnnlm.errors import InputError
from rnnlm.optim.rates import RateRule
from rnnlm.optim.trained import note_model
from rnnlm.progress import not_counted, note, progress_bar
from rnnlm.training.callbacks import asks_to_stop
from rnnlm.training.epoch_sums import EpochSums, Sums
from rnnlm.training.foreign import (
    as_model,
    expect_new_or_same,
    expect_own,
    expect_unchanged,
    forget_of,
    optimizer_parts,
    update_of,
)
from rnnlm.training.report import Hear, Report, diverged, note_step
from rnnlm.training.steps import Steps

__all__ = ["Run"]

LOOK = 20  # steps between two checks that all is finite: each waits for a GPU and copies the weights
NUMBERS = ("steps", "columns", "reported", "kept_step", "best", "waited")  # attributes that are saved as they are


class Run:
    """A training by truncated back-propagation through time, one step after another.

    Args:
        model: a model of this library; or any object with `forward(xs, ts)`, `backward()`, `params`, `grads`.
        optimizer: one of this library; or any object with `update(params, grads)`.
        batches: the windows to train on.
        max_grad: clip the gradient's global norm at this (default: no clipping).
        rate: function from the number of a step, from 0, to its learning rate, such as a rule of `rnnlm.optim`.

    Attributes:
        steps: steps done.
        best: the lowest validation loss passed to `note_valid`, or None.
        waited: epochs since then.
        epoch: sums for the reports of whole epochs; not part of `state_dict`, so the trainer saves them.
        remark: what the progress bar shows after the loss, such as that of the last validation.
    """

    def __init__(
        self,
        model: Any,
        optimizer: Any,
        batches: Windows,
        max_grad: float = inf,
        rate: RateRule | Callable[[int], float] | None = None,
    ) -> None:
        self.model, self.optimizer = as_model(model), optimizer
        self._update, self._forget = update_of(optimizer), forget_of(optimizer)
        if self.model.stack is not None:
            self.model.stack.expect_in_place()
        self.batches = instance_of("batches", batches, Windows)
        self.max_grad = positive("max_grad", max_grad, finite=False)
        self._compute = Steps(self.model)
        self._given: Any = model  # until the first step
        self._optimizer_parts = optimizer_parts(optimizer)  # before that
        self._rate_is_zero = self._told_unsaved = False
        batches.ignore(self._ignored())
        self.rate = None if rate is None else function("rate", rate)
        expect_new_or_same(model, optimizer, rate)
        if rate is not None and not hasattr(optimizer, "lr"):
            raise refused("optimizer", "one with a learning rate, lr, for the rate to set", optimizer)
        if self.model.vocab_size is not None:
            batches.expect_words(self.model.vocab_size)
        self.steps = self.waited = 0
        self.best: float | None = None
        self.good_steps: Array = xp.zeros(1, xp.int64)  # before the first one that was not finite
        self.totals: Array = xp.zeros(2, xp.float64)  # since the last report: loss of all columns, norm of all steps
        self.columns = self.reported = 0
        self.epoch = EpochSums()
        self.remark = ""
        self.kept_step = 0  # a step with a finite loss, and the weights before its update
        self.kept: list[Array] = [xp.empty_like(p) for p in self.model.weights()]

    def train(
        self,
        max_epoch: int,
        interval: int | None = None,
        on_report: Hear | None = None,
        silent: bool = False,
        on_step: Callable[[], object] | None = None,
        on_epoch: Hear | None = None,
    ) -> None:
        """Train until `max_epoch` epochs are done, with a progress bar; see `RnnlmTrainer.fit`.

        Args:
            max_epoch: how many epochs, including those already done.
            interval: report at the first window of each epoch and every `interval`-th after it; None for its end alone.
            on_report: receives each report; return True to end the training.
            silent: True for no progress bar.
            on_step: called after each step, when the run may be saved; return True to end the training.
            on_epoch: receives a report of each whole epoch, after `on_report`; return True to end the training.
        """
        windows = max_epoch * len(self.batches)
        bar = progress_bar(windows, self.batches.size, self.steps, self.batches.unit, silent)
        with self.model.one_thread, ops.quiet(), ops.one_blas_thread, bar:
            while True:
                stop = False
                if self._report_is_due(interval):
                    self.look()
                    report = self._told(*self.report())
                    bar.set_postfix_str(self.batches.told(report.loss) + self.remark, refresh=False)
                    with not_counted(bar):
                        stop = on_report is not None and asks_to_stop(on_report(report))
                if on_epoch is not None and self.epoch_is_due:
                    with not_counted(bar):
                        report = self.end_epoch()
                        stop = asks_to_stop(on_epoch(report)) or stop
                    bar.set_postfix_str(self.batches.told(report.loss) + self.remark, refresh=False)
                if stop or self.steps >= windows:
                    return
                self.step()
                bar.update()
                if self.steps % len(self.batches) == 0 and not self._report_is_due(interval):
                    self.look()
                if on_step is not None and on_step() is True:
                    return

    def _report_is_due(self, interval: int | None) -> bool:
        """Whether the last step is to be reported and has not been yet, as in a run restored before its report."""
        if self.reported == self.steps:
            return False
        last = self.steps % len(self.batches) == 0
        return last if interval is None else (self.steps - 1) % len(self.batches) % interval == 0

    @property
    def unrecorded(self) -> str | None:
        """Why training steps are not recorded on a GPU, in words; None if they are, and on a CPU."""
        return self._compute.trouble if ops.RECORDS else None

    def _ignored(self) -> int:
        """Return the label of targets that do not count."""
        head = None if self.model.stack is None else self.model.stack.head
        return -1 if head is None else head.ignore_label

    @property
    def lr(self) -> float | None:
        """The learning rate of the last step; None if the optimiser has none."""
        return 0.0 if self._rate_is_zero else getattr(self.optimizer, "lr", None)

    @property
    def epoch_is_due(self) -> bool:
        """Whether the last step ends an epoch that `on_epoch` has not received yet."""
        epochs, windows = divmod(self.steps, len(self.batches))
        return not windows and epochs > self.epoch.told

    @property
    def next_step(self) -> int:
        """The number, from 1, of the first step still to be reported: the next, or the last if its epoch's is due."""
        return self.steps + (not self._report_is_due(None))

    def step(self) -> None:
        """Forward, back, clip, update. Only `look` and the upload of a window from a file wait for the device."""
        number = self.steps
        if self._given is not None:
            for one in (self.optimizer, self.rate):
                note_model(one, self._given)
            self._given = None
        xs, ts = self.batches.window(number)
        if self.batches.fresh(number):
            self.model.reset_state()
        loss, norm, factor = self._compute(xs, ts, self.max_grad)
        if loss is None:
            raise InputError("forward of the model must return the loss, got None")
        params, grads = self.model.weights(), self.model.gradients()
        loss = loss if isinstance(loss, xp.ndarray) and loss.dtype == xp.float64 else xp.asarray(loss, xp.float64)
        weight = self.batches.weight(number)
        note_step(loss, norm, number, weight, self.batches.highest, self.good_steps, self.totals)
        self.columns += weight
        self.steps += 1
        if self.steps % LOOK == 1:
            self.look()
            self.kept_step = self.steps
            for kept, p in zip(self.kept, params):
                kept[...] = p
        with self.learning_rate(number):
            if not self._rate_is_zero:
                self._update(params, grads, factor)

    @contextmanager
    def learning_rate(self, number: int) -> Iterator[None]:
        """Set the rule's learning rate, scaled while window `number` has another than the usual length. If it is 0, the
        optimiser keeps the one before, and makes no step."""
        if self.rate is not None:
            lr = not_negative(f"the learning rate of step {number + 1}", self.rate(number))
            self._rate_is_zero = lr == 0
            if not self._rate_is_zero:
                self.optimizer.lr = lr
        usual = getattr(self.optimizer, "lr", 0.0)
        scaled = self.batches.scaled(usual, number)
        if scaled == usual:
            yield
            return
        self.optimizer.lr = scaled
        try:
            yield
        finally:
            self.optimizer.lr = usual

    def look(self) -> None:
        """If a step was not finite, restore the last good weights and stop.

        Raises:
            TrainingDiverged: a perplexity or a gradient was NaN or infinite.
        """
        good = int(self.good_steps[0])
        if good < self.steps:
            self.give_up(good)

    def give_up(self, good: int) -> NoReturn:
        """Restore the last good weights and stop, because only `good` steps were good.

        Raises:
            TrainingDiverged: always.
        """
        if self.kept_step:
            for p, kept in zip(self.model.weights(), self.kept):
                p[...] = kept
        self.model.reset_state()
        self._forget()
        lr = getattr(self.optimizer, "lr", None)
        raise diverged(good, len(self.batches), lr, max(self.kept_step, 1), self.batches.figure)

    def report(self) -> tuple[float, float]:
        """Return mean loss and mean gradient norm since the last report, and begin the next one."""
        loss, columns, norm, steps = pending = self._pending()
        self.epoch.add(pending)
        self.totals[...] = 0
        self.columns, self.reported = 0, self.steps
        return loss / max(columns, 1), norm / steps

    def so_far(self) -> Report:
        """Return a report of the steps since the last one, without resetting the sums."""
        loss, columns, norm, steps = self._pending()
        return self._told(loss / max(columns, 1), norm / steps)

    def end_epoch(self) -> Report:
        """Return the report of the epoch that has just ended: mean loss and mean gradient norm."""
        return self._told(*self.epoch.end(self._pending()))

    def _pending(self) -> Sums:
        loss, norm = ops.asnumpy(self.totals).tolist()
        return loss, self.columns, norm, self.steps - self.reported

    def _told(self, loss: float, norm: float) -> Report:
        place = divmod(self.steps, len(self.batches))
        return Report(*place, loss, norm, self.steps, self.batches.figure, self.batches.unit)

    def note_valid(self, loss: float) -> bool:
        """Record the validation loss (nats per token) after an epoch; returns whether it is the lowest so far. A loss
        that is not finite never is."""
        is_best = isfinite(loss) and (self.best is None or loss < self.best)
        self.best, self.waited = (loss, 0) if is_best else (self.best, self.waited + 1)
        return is_best

    def _parts(self) -> dict[str, Any]:
        """Return the settings that resuming requires unchanged: kinds of optimiser and rule, max_grad, the windows."""
        rate = "none" if self.rate is None else type(self.rate).__name__
        kinds = {**self._optimizer_parts, "rate": rate, "max_grad": self.max_grad}
        return {**kinds, **self.batches.identity()}

    def state_dict(self) -> dict[str, Any]:
        """Return `progress`, copied to the host."""
        copied: dict[str, Any] = on_host(self.progress())
        return copied

    def progress(self) -> dict[str, Any]:
        """Return all that the next step depends on: numbers, strings, lists, dictionaries and arrays (not copied)."""
        rule = expect_own(self.optimizer, self.rate)
        self._tell_unsaved()
        return {
            **{name: getattr(self, name) for name in NUMBERS},
            "good_steps": int(self.good_steps[0]),
            "totals": self.totals,
            "kept": self.kept,
            "parts": self._parts(),
            "model": self.model.progress(),
            "optimizer": self.optimizer.progress(),
            "rate": rule.state_dict(),
        }

    def _tell_unsaved(self) -> None:
        """Print a note, once, if training has changed numbers of the optimiser that are not saved."""
        before, now = self._optimizer_parts, optimizer_parts(self.optimizer)
        changed = ", ".join(name for name, value in now.items() if before.get(name) != value)
        if changed and not self._told_unsaved:
            self._told_unsaved = True
            note(f"{changed} of {type(self.optimizer).__name__} changed in training and is not saved: name it in noted")

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned, or a checkpoint of it, into a new run made with the same arguments.

        Raises:
            InputError: made with other arguments, or weights of another model; nothing is changed.
        """
        rule = expect_own(self.optimizer, self.rate)
        expect_unchanged(state["parts"], self._parts(), self.optimizer)
        rule.expect_same(state["rate"])
        self.model.load_progress(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        rule.load_state_dict(state["rate"])
        for name in NUMBERS:
            setattr(self, name, state[name])
        self.good_steps[...] = state["good_steps"]
        self.totals[...] = ops.asarray(state["totals"])
        for kept, p in zip(self.kept, state["kept"]):
            kept[...] = ops.asarray(p)
