"""Training as the book has it: a trainer that fits a model to a corpus."""

from collections.abc import Callable
from math import inf
from typing import Any

from numpy.typing import ArrayLike

from rnnlm.checks import positive, whole_number
from rnnlm.data.batches import make_batches
from rnnlm.data.sentences import Sentences
from rnnlm.data.tokens import Tokens
from rnnlm.training.report import Report
from rnnlm.training.run import Run

__all__ = ["RnnlmTrainer"]


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

        Raises:
            InputError, DataError: arguments out of range or too short a corpus, before any training; an id of a file
                that is no word, when its window is read.
            TrainingDiverged: a perplexity or gradient was NaN or infinite. The model has the last weights again that
                were kept, which is done every 20 steps while all is finite.
        """
        batches = make_batches(xs, ts, batch_size, time_size, random_bptt, seed, stream=self.current_epoch)
        _check(max_epoch, max_grad, eval_interval)
        run = Run(self.model, self.optimizer, batches, inf if max_grad is None else max_grad, rate)
        self.ppl_list, self.grad_norm_list, self._eval_interval = [], [], eval_interval
        before = self.current_epoch

        def hear(report: Report) -> object:
            self.current_epoch = before + report.epoch
            self.ppl_list.append(report.perplexity)
            self.grad_norm_list.append(report.grad_norm)
            return on_report is not None and on_report(self.current_epoch, report.window, report.perplexity)

        try:
            run.train(max_epoch, eval_interval, hear)
        finally:
            self.current_epoch = before + run.steps // len(batches)

    def plot(self, ylim: tuple[float, float] | None = None) -> Any:
        """Draw the reported perplexities with matplotlib (extra `plot`) and show them; returns the axes."""
        from rnnlm.plotting import show_curve

        every = self._eval_interval
        return show_curve(self.ppl_list, "epoch" if every is None else f"windows (x{every})", "perplexity", ylim)


def _check(max_epoch: int, max_grad: float | None, eval_interval: int | None) -> None:
    whole_number("max_epoch", max_epoch, 1)
    if max_grad is not None:
        positive("max_grad", max_grad, finite=False)
    if eval_interval is not None:
        whole_number("eval_interval", eval_interval, 1)
