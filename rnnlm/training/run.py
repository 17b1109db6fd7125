"""One training as a value: it can be taken apart after any step, and put together again it goes on bit for bit."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from math import inf, isfinite
from typing import Any, NoReturn

from rnnlm.backend import Array, ops, xp
from rnnlm.backend.host import on_host
from rnnlm.checks import function, instance_of, positive, refused
from rnnlm.data.windows import Windows
from rnnlm.errors import InputError
from rnnlm.optim.rates import RateRule
from rnnlm.progress import not_counted, progress_bar
from rnnlm.training.epoch_sums import EpochSums, Sums
from rnnlm.training.foreign import as_model, expect_own, forget_of, update_of
from rnnlm.training.report import Hear, Report, diverged, note_step
from rnnlm.training.steps import Steps

__all__ = ["Run"]

LOOK = 20  # steps between two looks at whether all is finite: each waits for a GPU and keeps a copy of the weights
NUMBERS = ("steps", "columns", "reported", "kept_step", "best", "waited")  # of a run, that stand for themselves


class Run:
    """A training by truncated back-propagation through time, from its first step to wherever it has come.

    Args:
        model: a model of this library; or any object with `forward(xs, ts)`, `backward()`, `params`, `grads`.
        optimizer: one of this library; or any object with `update(params, grads)`.
        batches: the windows, one after another.
        max_grad: clip the gradient's global norm at this.
        rate: gives the learning rate for the number of a step, from 0; a rule of `rnnlm.optim`, say.

    Attributes:
        steps: steps done.
        best: the lowest valid loss that `note_valid` heard, or None.
        waited: epochs since then.
        epoch: what `on_epoch` of `train` hears, which is the trainer's to write down.
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
        self.batches = instance_of("batches", batches, Windows)
        self.max_grad = positive("max_grad", max_grad, finite=False)
        self._compute = Steps(self.model)
        self.rate = None if rate is None else function("rate", rate)
        if rate is not None and not hasattr(optimizer, "lr"):
            raise refused("optimizer", "one with a learning rate, lr, for the rate to set", optimizer)
        if self.model.vocab_size is not None:
            batches.expect_words(self.model.vocab_size)
        self.steps = self.waited = 0
        self.best: float | None = None
        self.good_steps: Array = xp.zeros(1, xp.int64)  # before the first one that was not finite
        self.totals: Array = xp.zeros(2, xp.float64)  # loss of all columns and norm of all steps since the last report
        self.columns = self.reported = 0
        self.epoch = EpochSums()
        self.kept_step = 0  # a step, and the weights that gave it a finite loss
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
        """Go on until so many epochs are done, with a progress bar; see `RnnlmTrainer.fit`.

        Args:
            max_epoch: how many epochs, those done before included.
            interval: report at every so many windows of an epoch, beginning with its first; None for its end alone.
            on_report: hears each report; training ends if it returns True.
            silent: True for no progress bar.
            on_step: called after each step, when the run may be written down; training ends if it returns True.
            on_epoch: hears a report of each whole epoch, after `on_report`; training ends if it returns True.
        """
        windows = max_epoch * len(self.batches)
        bar = progress_bar(windows, self.batches.size, self.steps, self.batches.unit, silent)
        with self.model.one_thread, ops.quiet(), ops.one_blas_thread, bar:
            while True:
                stop = False
                if self._report_is_due(interval):
                    self.look()
                    report = self._told(*self.report())
                    bar.set_postfix_str(self.batches.told(report.loss), refresh=False)
                    with not_counted(bar):
                        stop = on_report is not None and on_report(report) is True
                if on_epoch is not None and self.epoch_is_due:
                    with not_counted(bar):
                        stop = on_epoch(self.end_epoch()) is True or stop
                if stop or self.steps >= windows:
                    return
                self.step()
                bar.update()
                if self.steps % len(self.batches) == 0 and not self._report_is_due(interval):
                    self.look()
                if on_step is not None and on_step() is True:
                    return

    def _report_is_due(self, interval: int | None) -> bool:
        """Whether the last step is one that is reported, and has not been, be it because the run was taken apart."""
        if self.reported == self.steps:
            return False
        last = self.steps % len(self.batches) == 0
        return last if interval is None else (self.steps - 1) % len(self.batches) % interval == 0

    @property
    def unrecorded(self) -> str | None:
        """Why a GPU is given launches one by one, in words; None if it is not, and on a CPU."""
        return self._compute.trouble if ops.RECORDS else None

    @property
    def epoch_is_due(self) -> bool:
        """Whether the last step ends an epoch that `on_epoch` has not heard of."""
        epochs, windows = divmod(self.steps, len(self.batches))
        return not windows and epochs > self.epoch.told

    @property
    def next_step(self) -> int:
        """The first step, counted from 1, whose report is to come: the next, or the last one, if it ends an epoch."""
        return self.steps + (not self._report_is_due(None))

    def step(self) -> None:
        """Forward, back, clip, update. Nothing waits for the device but a look and the upload of a window of a file."""
        number = self.steps
        xs, ts = self.batches.window(number)
        if self.batches.fresh(number):
            self.model.reset_state()
        loss, norm, factor = self._compute(xs, ts, self.max_grad)
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
            self._update(params, grads, factor)

    @contextmanager
    def learning_rate(self, number: int) -> Iterator[None]:
        """The rule's learning rate, scaled where window `number` is none of the usual length."""
        if self.rate is not None:
            self.optimizer.lr = positive("what rate gives", self.rate(number))
        usual = getattr(self.optimizer, "lr", 0.0)
        scaled = self.batches.scaled(usual, number)
        if scaled == usual:
            yield
            return
        self.optimizer.lr = scaled
        yield
        self.optimizer.lr = usual

    def look(self) -> None:
        """If a step was not finite, put the last good weights back and stop.

        Raises:
            TrainingDiverged: a perplexity or a gradient was NaN or infinite.
        """
        good = int(self.good_steps[0])
        if good < self.steps:
            self.give_up(good)

    def give_up(self, good: int) -> NoReturn:
        """Put the last good weights back and stop, because only so many steps were good.

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
        """Mean loss and mean norm of the gradient since the last report."""
        loss, columns, norm, steps = pending = self._pending()
        self.epoch.add(pending)
        self.totals[...] = 0
        self.columns, self.reported = 0, self.steps
        return loss / columns, norm / steps

    def so_far(self) -> Report:
        """The same, of which nothing is reset: the next report is what it would be."""
        loss, columns, norm, steps = self._pending()
        return self._told(loss / columns, norm / steps)

    def end_epoch(self) -> Report:
        """Mean loss and mean norm of the gradient of the epoch that has just ended, which is told by that."""
        return self._told(*self.epoch.end(self._pending()))

    def _pending(self) -> Sums:
        loss, norm = ops.asnumpy(self.totals).tolist()
        return loss, self.columns, norm, self.steps - self.reported

    def _told(self, loss: float, norm: float) -> Report:
        place = divmod(self.steps, len(self.batches))
        return Report(*place, loss, norm, self.steps, self.batches.figure, self.batches.unit)

    def note_valid(self, loss: float) -> bool:
        """Take note of the valid loss (nats a token) after an epoch; whether it is the best so far. One that is not
        finite never is."""
        is_best = isfinite(loss) and (self.best is None or loss < self.best)
        self.best, self.waited = (loss, 0) if is_best else (self.best, self.waited + 1)
        return is_best

    def _parts(self) -> dict[str, Any]:
        """What a run has to be made anew of, to go on: optimiser and rule by their kinds, windows by their numbers."""
        rate = "none" if self.rate is None else type(self.rate).__name__
        kinds = {"optimizer": type(self.optimizer).__name__, "rate": rate, "max_grad": self.max_grad}
        return {**kinds, **self.batches.identity()}

    def state_dict(self) -> dict[str, Any]:
        """`progress`, copied to the host."""
        copied: dict[str, Any] = on_host(self.progress())
        return copied

    def progress(self) -> dict[str, Any]:
        """All that the next step depends on: numbers, words, lists, dictionaries and arrays, which are no copies."""
        rule = expect_own(self.optimizer, self.rate)
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

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state_dict` gave, or from a checkpoint of it, in a run made anew of the same parts.

        Raises:
            InputError: other parts, or another model's weights; all is left as it was.
        """
        rule = expect_own(self.optimizer, self.rate)
        for name, value in self._parts().items():
            before = state["parts"].get(name)
            if value != before:
                raise InputError(f"{name} of a training that goes on must be {before}, as before, got {value}")
        self.model.load_progress(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        rule.load_state_dict(state["rate"])
        for name in NUMBERS:
            setattr(self, name, state[name])
        self.good_steps[...] = state["good_steps"]
        self.totals[...] = ops.asarray(state["totals"])
        for kept, p in zip(self.kept, state["kept"]):
            kept[...] = ops.asarray(p)
