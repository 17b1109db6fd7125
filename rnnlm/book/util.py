"""The book's small helpers: its approximate perplexity, and arrays to a GPU and back."""

from typing import Any

from numpy.typing import ArrayLike, NDArray

from rnnlm.backend import Array, ops
from rnnlm.data.batches import Batches
from rnnlm.data.sources import tokens_of
from rnnlm.data.tokens import Tokens
from rnnlm.inference.evaluation import perplexity
from rnnlm.inference.predictor import own_state
from rnnlm.models.base import Model

__all__ = ["eval_perplexity", "to_cpu", "to_gpu"]


def eval_perplexity(model: Model, corpus: ArrayLike | Tokens, batch_size: int = 10, time_size: int = 35) -> float:
    """The book's figure: mean loss over windows of ten cold starts, what does not fill a window left out.

    It depends on the sizes and scores 82,250 of the 82,429 pairs of Penn Treebank's test part; `evaluate` is exact. The
    model's own state is put back afterwards.
    """
    ids = tokens_of("corpus", corpus).within(0, model.config.vocab_size)
    batches = Batches(ids[:-1], ids[1:], batch_size, time_size)
    batches.expect_words(model.config.vocab_size)
    with own_state(model):
        windows = (batches.window(number) for number in range(len(batches)))
        total = sum(model.forward(xs, ts, train_flg=False, keep=False) for xs, ts in windows)
    return perplexity(float(total) / len(batches))


def to_cpu(x: Any) -> NDArray[Any]:
    """An array of the backend as a NumPy array; on the CPU the array itself."""
    return ops.asnumpy(x)


def to_gpu(x: Any) -> Array:
    """A NumPy array as one of the backend: on a GPU if that is what runs (RNNLM_DEVICE=cuda), else the array itself."""
    return ops.asarray(x)
