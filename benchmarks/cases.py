"""The work that speed is measured at, and the figures to reach."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

GATES = {"rnn": 1, "lstm": 4, "gru": 3}  # blocks in the weights of each cell
EOS = 0  # id that ends a sentence
ROUNDS_OF_INPUTS = 8  # different inputs, which a contestant goes through again and again
LR, MAX_GRAD = 0.1, 0.25
SCORED_AT_ONCE = 2048  # tokens, padding included: what rnnlm.score takes
PROVED_WORDS = 20


def groups(lengths, tokens=SCORED_AT_ONCE):
    """Numbers of sentences of like length, so many that with padding they have at most `tokens` tokens."""
    rows = [[]]
    for number in np.argsort(lengths, kind="stable"):
        if (len(rows[-1]) + 1) * lengths[number] > tokens:
            rows.append([])
        rows[-1].append(number)
    return rows


def padded(sentences):
    """Inputs and targets (N, T) of sentences: each begins after an `<eos>`, and a target -1 does not count."""
    longest = max(map(len, sentences))
    xs = np.full((len(sentences), longest), EOS)
    ts = np.full((len(sentences), longest), -1)
    for x, t, sentence in zip(xs, ts, sentences):
        x[1 : len(sentence)], t[: len(sentence)] = sentence[:-1], sentence
    return xs, ts


@dataclass(frozen=True)
class Targets:
    """Ratios to reach: tokens per second over PyTorch's best and over plain code, share of the floor, peak memory
    over PyTorch's. None where there is nothing to reach."""

    torch: float
    plain: float | None = None
    floor: float | None = None
    memory: float | None = 0.5


@dataclass(frozen=True)
class Sizes:
    """Sizes of a model.

    Attributes:
        kind: its class in rnnlm.
        D, H, V: length of a word vector, hidden units, words.
        last_H: hidden units of the last layer, where they are not H.
        tied: the output layer's weights are the transposed word vectors.
        dropout: after the embedding and after each recurrent layer.
        init_range: of the word vectors and of the output's weights.
    """

    kind: str
    cell: str
    D: int
    H: int
    V: int = 10_000
    layers: int = 1
    last_H: int | None = None
    tied: bool = False
    dropout: float = 0.0
    init_range: float = 0.1

    @property
    def hidden_sizes(self):
        """Hidden units of each recurrent layer."""
        return [self.H] * (self.layers - 1) + [self.last_H or self.H]

    @property
    def product_weights(self):
        """Weights that a token is multiplied with. Looking up its word vector is no product."""
        inputs = [self.D, *self.hidden_sizes]
        recurrent = sum(GATES[self.cell] * H * (D + H) for D, H in zip(inputs, self.hidden_sizes))
        return recurrent + self.hidden_sizes[-1] * self.V

    def model(self):
        """The model of rnnlm, with weights as PyTorch's own examples draw them: 1/sqrt(H) keeps gradients alive.

        A GRU has its reset gate after the product, because PyTorch's knows no other.
        """
        from rnnlm import ModelConfig, build_model

        sizes = {"wordvec_size": self.D, "hidden_size": self.H}
        stack = {"cell": self.cell, "layers": self.layers, "last_hidden_size": self.last_H, "tied": self.tied}
        options = {"dropout_ratio": self.dropout, "reset_after": self.cell == "gru"}
        initial = {"seed": 1, "init": "torch", "init_range": self.init_range}
        return build_model(ModelConfig(self.kind, self.V, **sizes, **stack, **options, **initial))

    def words(self, rng, shape, lowest=0):
        """Random ids from `lowest` on, distributed like words (the r-th most frequent with probability ~ 1/r)."""
        p = 1 / np.arange(1, self.V + 1 - lowest)
        return lowest + rng.choice(self.V - lowest, shape, p=p / p.sum()).astype(np.int32)


@dataclass(frozen=True)
class Training:
    """One training step on windows of N sequences and T time steps."""

    task: ClassVar = "training"
    proof: ClassVar = "gradients"  # the method of a contestant that shows what it computes
    name: str
    sizes: Sizes
    N: int
    T: int
    targets: Targets
    cuda: Targets | None = None  # targets on an NVIDIA GPU, in the same precision

    @property
    def tokens(self):
        """Tokens of a step."""
        return self.N * self.T

    @property
    def product_operations(self):
        """Floating-point operations of a step's matrix products: 2 forward and 4 back for each weight and token."""
        return 6 * self.sizes.product_weights * self.tokens

    def inputs(self, seed=0):
        """Windows (xs, ts) of ids, each (N, T)."""
        shape = (ROUNDS_OF_INPUTS, 2, self.N, self.T)
        return [(xs, ts) for xs, ts in self.sizes.words(np.random.default_rng(seed), shape)]


@dataclass(frozen=True)
class Scoring:
    """Log-probabilities of many sentences of mixed lengths, `<eos>` at the end of each."""

    task: ClassVar = "scoring"
    proof: ClassVar = "log_probabilities"
    name: str
    sizes: Sizes
    sentences: int
    targets: Targets

    @property
    def lengths(self):
        """Words of each sentence: 3 to 60, 22 in the mean, with the long tail that sentences have."""
        lengths = np.random.default_rng(0).gamma(4, 5.5, self.sentences)
        return np.clip(lengths, 3, 60).astype(int)

    @property
    def tokens(self):
        """Tokens scored: the words, and an `<eos>` for each sentence."""
        return int(self.lengths.sum()) + self.sentences

    def inputs(self, seed=0):
        """The sentences, as one list of arrays."""
        rng = np.random.default_rng(seed)
        return [([np.append(self.sizes.words(rng, n, lowest=1), EOS) for n in self.lengths],)]


@dataclass(frozen=True)
class Generating:
    """N sequences side by side, to each of which so many words are added, sampled at temperature 1."""

    task: ClassVar = "generating"
    proof: ClassVar = "first_words"
    name: str
    sizes: Sizes
    N: int
    words: int
    targets: Targets

    @property
    def tokens(self):
        """Words sampled; those to begin with are not counted."""
        return self.N * self.words

    def inputs(self, seed=0):
        """First words (N,) and the number of a random stream."""
        starts = self.sizes.words(np.random.default_rng(seed), (ROUNDS_OF_INPUTS, self.N))
        return [(start_ids, number) for number, start_ids in enumerate(starts)]


BOOK = {"D": 100, "H": 100}
ON_CUDA = {
    "seed": Targets(3.0, memory=None),
    "book": Targets(2.0, 8.0, memory=None),
    "better": Targets(1.5, memory=None),
    "awd": Targets(1.0, memory=None),
}
READER = Sizes("Rnnlm", "lstm", **BOOK, init_range=1.0)  # so that the next word depends on the one before
CASES = {
    case.name: case
    for case in (
        Training("seed", Sizes("SimpleRnnlm", "rnn", **BOOK, V=418), 10, 5, Targets(3.0, 2.0), ON_CUDA["seed"]),
        Training("book-rnn", Sizes("SimpleRnnlm", "rnn", **BOOK), 20, 35, Targets(3.0, 4.0, 0.6), ON_CUDA["book"]),
        Training("book-lstm", Sizes("Rnnlm", "lstm", **BOOK), 20, 35, Targets(3.0, 4.5, 0.6), ON_CUDA["book"]),
        Training("book-gru", Sizes("LanguageModel", "gru", **BOOK), 20, 35, Targets(3.0, 4.5, 0.6), ON_CUDA["book"]),
        Training(
            "better",
            Sizes("BetterRnnlm", "lstm", 650, 650, layers=2, tied=True, dropout=0.5),
            20, 35, Targets(1.7, 5.0, 0.75), ON_CUDA["better"],
        ),
        Training(
            "awd",
            Sizes("LanguageModel", "lstm", 400, 1150, layers=3, last_H=400, tied=True),
            20, 70, Targets(1.4, 4.5, 0.75), ON_CUDA["awd"],
        ),
        Scoring("score", READER, 2_000, Targets(3.0)),
        Generating("generate-1", READER, 1, 200, Targets(3.5, 1.2)),
        Generating("generate-64", READER, 64, 100, Targets(10.0)),
    )
}  # fmt: skip
