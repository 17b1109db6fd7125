"""The sizes that speed is measured at."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Case:
    """One row of the table: sizes of a model and of its windows.

    Attributes:
        N, T: sequences and time steps of a window.
        D, H, V: length of a word vector, hidden units, words.
    """

    name: str
    N: int
    T: int
    D: int
    H: int
    V: int

    @property
    def tokens(self):
        """Tokens of a step."""
        return self.N * self.T

    @property
    def product_operations(self):
        """Floating-point operations of a step's matrix products: 2 forward and 4 back for each weight and token."""
        return 6 * (self.D * self.H + self.H * self.H + self.H * self.V) * self.tokens

    def windows(self, count=8, seed=0):
        """Windows of random ids, distributed like words (the r-th most frequent with probability ~ 1/r)."""
        rng = np.random.default_rng(seed)
        p = 1 / np.arange(1, self.V + 1)
        ids = rng.choice(self.V, (count, 2, self.N, self.T), p=p / p.sum()).astype(np.int32)
        return [(xs, ts) for xs, ts in ids]


CASES = {
    "seed": Case("seed", N=10, T=5, D=100, H=100, V=418),
    "book-rnn": Case("book-rnn", N=20, T=35, D=100, H=100, V=10_000),
}
