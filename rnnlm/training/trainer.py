"""Trainer for networks on samples, like the book's and Keras's."""

from collections.abc import Callable, Sequence
from math import inf
from typing import Any

from rnnlm.checks import flag, refused, share, whole_number
from rnnlm.data.samples import Samples, arrays, count_of, taken
from rnnlm.errors import InputError, TrainingDiverged
from rnnlm.models.sequential import Sequential
from rnnlm.progress import say
from rnnlm.training.callbacks import Callback, checked_callbacks, heard_by
from rnnlm.training.epochs import Epochs, repr_of
from rnnlm.training.report import Report, checked_fit
from rnnlm.training.run import Run
from rnnlm.training.sample_evaluation import checked_samples, evaluated, expect_pairs
from rnnlm.training.valid import EarlyStopping, averaged

__all__ = ["Trainer"]


class Trainer:
    """Fits a network to samples: inputs `x` and targets `t`.

    Args:
        model: a `Sequential` with a head; or any object with `forward(x, t)` that returns the loss, `backward()`,
            `params` and `grads`.
        optimizer: any object with `update(params, grads)`.

    Attributes:
        loss_list: mean losses reported by the last `fit`.
        val_loss_list: losses of the validation samples, after each epoch of the last `fit`.
        accuracy_list, val_accuracy_list: accuracies after each epoch, with `accuracy=True`.
        current_epoch: epochs finished over all calls of `fit`.
    """

    def __init__(self, model: Any, optimizer: Any) -> None:
        self.model, self.optimizer = model, optimizer
        self.loss_list: list[float] = []
        self.val_loss_list: list[float] = []
        self.accuracy_list: list[float] = []
        self.val_accuracy_list: list[float] = []
        self.current_epoch = 0
        self._eval_interval: int | None = None
        self._steps = 0  # over all earlier calls of `fit`

    def __repr__(self) -> str:
        return repr_of(self, self.loss_list, "loss")

    def fit(
        self,
        x: Any,
        t: Any,
        max_epoch: int = 10,
        batch_size: int = 32,
        max_grad: float | None = None,
        eval_interval: int | None = 20,
        validation_split: float = 0.0,
        validation_data: tuple[Any, Any] | None = None,
        accuracy: bool = False,
        patience: int | None = None,
        verbose: int = 1,
        seed: int = 0,
        callbacks: Sequence[Callback] = (),
        rate: Callable[[int], float] | None = None,
    ) -> None:
        """Train for `max_epoch` epochs, each over all samples once in a new random order; the last batch of an epoch
        may be smaller. Every batch begins with a state of zeros, even in a layer that is `stateful`.

        Args:
            x: inputs (samples, ...), an array or a list; for several inputs a tuple of them.
            t: targets, in the form that the head takes; for several outputs a tuple.
            max_epoch: how many epochs.
            batch_size: samples of a step.
            max_grad: clip the gradient's global norm at this (default: no clipping).
            eval_interval: report at the first batch of each epoch and at every `eval_interval`-th after it; None to
                report at the end of each epoch. Each report adds the mean loss since the previous one to `loss_list`.
            validation_split: fraction of the samples, taken from the end, to hold out and evaluate after each epoch.
            validation_data: separate samples to evaluate instead, (x, t).
            accuracy: also compute the accuracy on training and validation samples after each epoch; for heads that have
                one.
            patience: stop after so many epochs without a lower validation loss. In the end the network has the weights
                of the best epoch.
            verbose: 0 for no output, 1 for a progress bar, 2 for a line after each epoch.
            seed: seed of the orders; each call of `fit` draws others.
            callbacks: `Callback` objects that receive the reports: `TensorBoard`, or your own.
            rate: function from the number of a step, from 0, to its learning rate, such as a rule of `rnnlm.optim`,
                which also receives the validation losses.

        Raises:
            InputError: arguments out of range, numbers of samples that differ, NaN, or targets that the loss refuses;
                before any training.
            TrainingDiverged: a loss or a gradient was NaN or infinite; the last good weights are restored.
        """
        whole_number("verbose", verbose, 0, 3)
        max_epoch, eval_interval = checked_fit(max_epoch, max_grad, eval_interval)
        accuracy, callbacks = flag("accuracy", accuracy), checked_callbacks(callbacks)
        x, t, held_out = self._parted(x, t, validation_split, validation_data)
        counts = None
        if isinstance(self.model, Sequential):
            counts = checked_samples(self.model, "", x, t, accuracy)
            if held_out is not None:
                checked_samples(self.model, "validation ", held_out[0], held_out[1], accuracy)
            self.model.sample_shape = None if isinstance(x, tuple) else x.shape[1:]
        elif accuracy or held_out is not None:
            self._expect_sequential()
        batches = Samples(x, t, batch_size, seed, lap=self.current_epoch, counts=counts)
        run = Run(self.model, self.optimizer, batches, inf if max_grad is None else max_grad, rate)
        stopping = EarlyStopping(run, patience, held_out is not None)
        self.loss_list, self.val_loss_list, self.accuracy_list, self.val_accuracy_list = [], [], [], []
        self._eval_interval, before = eval_interval, self.current_epoch
        epochs, steps = Epochs(run, callbacks, before, self._steps), self._steps

        def hear(report: Report) -> None:
            self.loss_list.append(report.loss)
            epochs.report(report)

        def end_epoch(report: Report) -> bool:
            self.current_epoch = before + report.epoch

            def validate() -> tuple[float, int] | None:
                with averaged(self.optimizer, run.model.weights()):
                    others = self._after_epoch(x, t, held_out, accuracy)
                run.remark = others
                if verbose == 2:
                    say(f"epoch {self.current_epoch}  loss {report.loss:.4g}{others}")
                valid_loss = None if held_out is None else self.val_loss_list[-1]
                stopping.end_epoch(valid_loss)
                return None if valid_loss is None else (valid_loss, 1)

            return epochs.end_epoch(report, validate) or stopping.enough

        with heard_by(callbacks, self):
            try:
                run.train(max_epoch, eval_interval, hear, verbose != 1, on_epoch=end_epoch)
            except TrainingDiverged:
                stopping.best.clear()  # the last good weights are the model's
                raise
            finally:
                self.current_epoch, self._steps = before + run.steps // len(batches), steps + run.steps
                run.model.reset_state()  # drop the last batch's state, which no later call continues
                stopping.restore()

    @property
    def next_step(self) -> int:
        """The number, counted from 1 over all calls of `fit`, of the first step that callbacks will receive."""
        return self._steps + 1

    def evaluate(self, x: Any, t: Any, accuracy: bool = False) -> tuple[float, float | None]:
        """Return the mean loss of samples, without dropout, and their accuracy (None unless asked for).

        Ignored targets count in neither, and each sample begins with a state of zeros.
        """
        self._expect_sequential()
        x, t, accuracy = self._inputs("x", x), arrays("t", t), flag("accuracy", accuracy)
        expect_pairs("x and t", x, t)
        with self.model.one_thread:
            return evaluated(self.model, x, t, accuracy)

    def plot(self, ylim: tuple[float, float] | None = None) -> Any:
        """Draw the reported losses with matplotlib (extra `plot`) and show them; returns the axes."""
        from rnnlm.plotting import show_curve

        every = self._eval_interval
        return show_curve(self.loss_list, "epoch" if every is None else f"batches (x{every})", "loss", ylim)

    def _expect_sequential(self) -> None:
        """Check that the model can be evaluated.

        Raises:
            InputError: it is not a `Sequential`.
        """
        if not isinstance(self.model, Sequential):
            kind = type(self.model).__name__
            raise InputError(f"model must be a Sequential where accuracy and validation are asked for, got {kind}")

    def _inputs(self, name: str, x: Any) -> Any:
        """Return inputs as the model takes them."""
        return self.model.inputs(name, x) if isinstance(self.model, Sequential) else arrays(name, x)

    def _parted(self, x: Any, t: Any, split: float, given: tuple[Any, Any] | None) -> tuple[Any, Any, Any]:
        """Return inputs and targets to train on, and the validation samples or None."""
        share("validation_split", split)
        if split and given is not None:
            raise InputError("validation_split and validation_data must not both be given")
        x, t = self._inputs("x", x), arrays("t", t)
        if given is not None:
            if not isinstance(given, tuple) or len(given) != 2:
                raise refused("validation_data", "a tuple (x, t)", given)
            others = self._inputs("validation x", given[0]), arrays("validation t", given[1])
            expect_pairs("validation_data", *others)
            return x, t, others
        if not split:
            return x, t, None
        size = count_of(x)
        kept = int(size * (1 - split))
        if not 0 < kept < size:
            raise InputError(f"validation_split must leave samples on both sides, got {split} of {size}")
        return taken(x, slice(kept)), taken(t, slice(kept)), (taken(x, slice(kept, None)), taken(t, slice(kept, None)))

    def _after_epoch(self, x: Any, t: Any, held_out: Any, accuracy: bool) -> str:
        """Evaluate after an epoch; returns the figures as text."""
        line = ""
        if accuracy:
            self.accuracy_list.append(self.evaluate(x, t, accuracy=True)[1] or 0.0)
            line += f"  accuracy {self.accuracy_list[-1]:.4f}"
        if held_out is not None:
            loss, right = self.evaluate(held_out[0], held_out[1], accuracy)
            self.val_loss_list.append(loss)
            line += f"  valid loss {loss:.4g}"
            if right is not None:
                self.val_accuracy_list.append(right)
                line += f"  valid accuracy {right:.4f}"
        return line
