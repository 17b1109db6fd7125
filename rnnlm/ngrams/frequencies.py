"""N-grams without smoothing: relative frequencies."""

import numpy as np
from numpy.typing import ArrayLike

from rnnlm.checks import size
from rnnlm.data.tokens import Tokens
from rnnlm.ngrams.counts import Advance, count
from rnnlm.ngrams.model import NGram, Table

__all__ = ["maximum_likelihood"]


def maximum_likelihood(
    ids: ArrayLike | Tokens, vocab_size: int, eos_id: int, order: int = 3, advance: Advance | None = None
) -> NGram:
    """Return an n-gram model of relative frequencies, p(w | h) = c(h w) / c(h): 0 for words never seen after h.

    If h itself was never seen, its longest suffix that was seen takes its place. Arguments and errors are those of
    `kneser_ney`.
    """
    vocab_size = size("vocab_size", vocab_size)
    tables: list[Table] = []
    for level in count(ids, vocab_size, eos_id, order, advance):
        counts, contexts = level.counts.copy(), level.contexts(vocab_size)
        if not tables:
            counts[vocab_size] = 0  # <s> is never predicted
        else:
            tables[-1].backoffs[contexts] = -np.inf  # words not seen after a context that was
        totals = np.bincount(contexts, counts)
        with np.errstate(divide="ignore"):
            tables.append(Table(level.keys, np.log(counts / totals[contexts]), np.zeros(len(counts))))
    tables[-1] = Table(tables[-1].keys, tables[-1].logprobs, np.zeros(0))
    return NGram(tables, vocab_size, int(eos_id))
