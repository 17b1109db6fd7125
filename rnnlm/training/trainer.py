"""Training a language model by truncated back-propagation through time."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from numpy.typing import ArrayLike

from rnnlm.backend import Array, accelerated, ops, xp
from rnnlm.checks import positive, whole_number
from rnnlm.data.batches import Batches, make_batches
from rnnlm.errors import TrainingDiverged
from rnnlm.inference.evaluation import perplexity
from rnnlm.optim.base import Optimizer
from rnnlm.optim.clipping import clip_grads, norm_and_factor
from rnnlm.progress import not_counted, progress_bar

__all__ = ["RnnlmTrainer"]

LOOK = 20  # steps between two looks at whether all is finite: each waits for a GPU and keeps a copy of the weights


class RnnlmTrainer:
    """Fits a language model to a corpus.

    Args:
        model: `forward(xs, ts)`, `backward()`, `params`, `grads`; any object that has them will do.
        optimizer: `update(params, grads)`.

    Attributes:
        ppl_list: the perplexities reported by the last `fit`.
        grad_norm_list: with each, the mean norm of the gradient, before clipping.
        current_epoch: epochs finished over all calls of `fit`.
    """

    def __init__(self, model: Any, optimizer: Any) -> None:
        self.model, self.optimizer = model, optimizer
        self.ppl_list: list[float] = []
        self.grad_norm_list: list[float] = []
        self.current_epoch = 0
        self._eval_interval: int | None = None

    def fit(
        self,
        xs: ArrayLike,
        ts: ArrayLike,
        max_epoch: int = 10,
        batch_size: int = 20,
        time_size: int = 35,
        max_grad: float | None = None,
        eval_interval: int | None = 20,
        on_report: Callable[[int, int, float], object] | None = None,
        rate: Callable[[int], float] | None = None,
        random_bptt: bool = False,
        seed: int = 0,
    ) -> None:
        """Train for `max_epoch` epochs of len(xs) // (batch_size * time_size) windows.

        Row i of a batch starts at offset i * (len(xs) // batch_size) of the corpus, time runs on over the epochs and
        wraps at the corpus's end, starting at 0 in each call. A progress bar shows time per window, tokens per second,
        time left and the last perplexity.

        Args:
            xs, ts: ids of inputs and targets, usually corpus[:-1] and corpus[1:]; memory maps stay on their file.
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

        Raises:
            InputError, DataError: arguments out of range or too short a corpus, before any training; an id of a memory
                map that is no word, when its window is read.
            TrainingDiverged: a perplexity or gradient was NaN or infinite. The model has the last weights again that
                were kept, which is done every 20 steps while all is finite.
        """
        batches = make_batches(xs, ts, batch_size, time_size, random_bptt, seed, stream=self.current_epoch)
        self._check(batches, max_epoch, max_grad, eval_interval)
        self.ppl_list, self.grad_norm_list, self._eval_interval = [], [], eval_interval
        run = _Run(self.model, self.optimizer, batches, float("inf") if max_grad is None else max_grad, rate)
        with (
            ops.quiet(),
            ops.one_blas_thread,
            progress_bar(max_epoch * len(batches), batch_size * time_size) as bar,
        ):
            for _ in range(max_epoch):
                for window in range(len(batches)):
                    run.step()
                    bar.update()
                    last = window == len(batches) - 1
                    due = last if eval_interval is None else window % eval_interval == 0
                    if due or last:
                        run.look()
                    if due:
                        ppl, norm = run.report()
                        self.ppl_list.append(ppl)
                        self.grad_norm_list.append(norm)
                        bar.set_postfix_str(f"perplexity {ppl:.2f}", refresh=False)
                    self.current_epoch += last
                    if due and on_report is not None:
                        with not_counted(bar):
                            stop = on_report(self.current_epoch, 0 if last else window + 1, self.ppl_list[-1])
                        if stop is True:
                            return

    def plot(self, ylim: tuple[float, float] | None = None) -> Any:
        """Draw the reported perplexities with matplotlib (extra `plot`) and show them; returns the axes."""
        from rnnlm.plotting import show_perplexity

        return show_perplexity(
            self.ppl_list, "epoch" if self._eval_interval is None else f"windows (x{self._eval_interval})", ylim
        )

    def _check(self, batches: Batches, max_epoch: int, max_grad: float | None, eval_interval: int | None) -> None:
        whole_number("max_epoch", max_epoch, 1)
        if max_grad is not None:
            positive("max_grad", max_grad, finite=False)
        if eval_interval is not None:
            whole_number("eval_interval", eval_interval, 1)
        vocab_size = getattr(getattr(self.model, "config", None), "vocab_size", None)
        if vocab_size is not None:
            batches.expect_words(vocab_size)


@accelerated
def note_step(loss: Array, norm: Array, step: int, columns: int, good_steps: Array, totals: Array) -> None:
    """Add a step to what is remembered of a training, on the device.

    Args:
        loss, norm: 0-d arrays or scalars of the step: mean loss, and the gradient's norm.
        step: its number, from 0.
        columns: time steps of its window.
        good_steps: (1,) how many steps from the first on had a finite perplexity and gradient.
        totals: (2,) sums over steps of loss * columns and of norm.
    """
    good_steps += xp.isfinite(xp.exp(loss)) & xp.isfinite(norm) & (good_steps == step)
    totals[:1] += loss * columns
    totals[1:] += norm


class _Run:
    """One call of `fit`: steps, and what has to be remembered between them, all of it on the device."""

    def __init__(
        self,
        model: Any,
        optimizer: Any,
        batches: Batches,
        max_grad: float,
        rate: Callable[[int], float] | None = None,
    ) -> None:
        self.model, self.optimizer, self.batches, self.max_grad, self.rate = model, optimizer, batches, max_grad, rate
        self.steps = 0
        self.good_steps: Array = xp.zeros(1, xp.int64)  # before the first one that was not finite
        self.totals: Array = xp.zeros(2, xp.float64)  # loss of all columns and norm of all steps since the last report
        self.columns = self.reported = 0
        self.kept_step = 0  # a step, and the weights that gave it a finite loss
        self.kept: list[Array] = [xp.empty_like(p) for p in self.arrays("params")]

    def arrays(self, name: str) -> list[Array]:
        """The model's 'params' or 'grads', in one piece if it has them so."""
        flat = getattr(self.model, f"flat_{name}", None)
        return getattr(self.model, name) if flat is None else [flat]

    def step(self) -> None:
        """Forward, back, clip, update. Nothing here waits for the device, a look every `LOOK` steps excepted, and the
        upload of a window that is read from a file."""
        xs, ts = self.batches.window(self.steps)
        loss = self.model.forward(xs, ts)
        self.model.backward()
        params, grads = self.arrays("params"), self.arrays("grads")
        ours = getattr(type(self.optimizer), "update", None) is Optimizer.update  # which takes the factor along
        norm, factor = norm_and_factor(grads, self.max_grad) if ours else (clip_grads(grads, self.max_grad), None)
        loss = loss if isinstance(loss, xp.ndarray) and loss.dtype == xp.float64 else xp.asarray(loss, xp.float64)
        note_step(loss, norm, self.steps, xs.shape[1], self.good_steps, self.totals)
        self.columns += xs.shape[1]
        self.steps += 1
        if self.steps % LOOK == 1:
            self.look()
            self.kept_step = self.steps
            for kept, p in zip(self.kept, params):
                kept[...] = p
        with self.learning_rate(xs.shape[1]):
            self.optimizer.update(params, grads, *([factor] if ours else []))

    @contextmanager
    def learning_rate(self, length: int) -> Iterator[None]:
        """The rule's learning rate, scaled where a window has not the usual length."""
        if self.rate is not None:
            self.optimizer.lr = self.rate(self.steps - 1)
        if length == self.batches.time_size:
            yield
            return
        usual = self.optimizer.lr
        self.optimizer.lr = usual * length / self.batches.time_size
        yield
        self.optimizer.lr = usual

    def look(self) -> None:
        """If a step was not finite, put the last good weights back and stop."""
        good = int(self.good_steps[0])
        if good == self.steps:
            return
        if self.kept_step:
            for p, kept in zip(self.arrays("params"), self.kept):
                p[...] = kept
        if hasattr(self.model, "reset_state"):
            self.model.reset_state()
        if hasattr(self.optimizer, "forget"):
            self.optimizer.forget()  # averages of what was not finite
        epoch, window = divmod(good, len(self.batches))
        raise TrainingDiverged(
            f"the perplexity or the gradient was NaN or infinite at step {good + 1} (epoch {epoch + 1}, window "
            f"{window + 1} of {len(self.batches)}) with lr {getattr(self.optimizer, 'lr', None)}; the model has the "
            f"weights of step {max(self.kept_step, 1)} again. Take a smaller lr, or clip the gradient (max_grad)",
            step=good + 1,
        )

    def report(self) -> tuple[float, float]:
        """Perplexity and mean norm of the gradient since the last report."""
        loss, norm = ops.asnumpy(self.totals).tolist()
        loss, norm = loss / self.columns, norm / (self.steps - self.reported)
        self.totals[...] = 0
        self.columns, self.reported = 0, self.steps
        return perplexity(loss), norm
