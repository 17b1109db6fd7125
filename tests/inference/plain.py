"""Random predictors of every kind, each with its probabilities worked out once more, one word after another."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

from rnnlm import NNLM, CbowLm, Mixture, ModelConfig, Vocabulary, build_model, in_words_of, kneser_ney
from tests import reference
from tests.ngrams.by_dictionary import START, KneserNey

EOS = 0  # id of `<eos>` in every predictor here


@dataclass(frozen=True)
class Plain:
    """A predictor, and what it should say.

    Attributes:
        model: the predictor.
        after: p(next word) after each of some ids (T,) that are read from a reset state, (T, V).
    """

    model: Any
    after: Any

    @property
    def V(self):
        return self.model.vocab_size

    def nats(self, ids, before=()):
        """-log p of each of the ids (T,), the first one after the words `before`, of which there must be one."""
        read = [*before, *ids]
        probs = self.after(read[:-1])[len(before) - 1 :]
        with np.errstate(divide="ignore"):
            return -np.log(probs[np.arange(len(ids)), ids])

    def __repr__(self):
        return f"Plain({self.model!r})"


def softmax(scores):
    exps = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return exps / exps.sum(axis=-1, keepdims=True)


# ---------------------------------------------------------------- networks


def network(config):
    """A recurrent model, by the equations of tests/reference.py."""
    model = build_model(config)

    def after(ids):
        weights = model.state_dict()
        xs = reference.embedding(np.array([ids]), weights["embed.W"])
        for number, H in enumerate(config.hidden_sizes, 1):
            name = config.cell if config.layers == 1 else f"{config.cell}{number}"
            xs = _states(config, xs, np.zeros((1, H)), *(weights[f"{name}.{w}"] for w in ("Wx", "Wh", "b")))
        W = weights["embed.W"].T if config.tied else weights["affine.W"]
        return softmax(reference.affine(xs, W, weights["affine.b"])[0])

    return Plain(model, after)


def _states(config, xs, h, Wx, Wh, b):
    if config.cell == "lstm":
        return reference.lstm(xs, h, h, Wx, Wh, b)[0]
    if config.cell == "gru":
        return (reference.gru_after if config.reset_after else reference.gru)(xs, h, Wx, Wh, b)[0]
    return reference.rnn(xs, h, Wx, Wh, b)[0]


def context_model(model):
    """An NNLM or a CbowLm, by its equation."""

    def after(ids):
        weights = model.state_dict()
        xs = reference.contexts(np.array([ids]), weights["embed.W"], model.context)[0]
        if isinstance(model, CbowLm):
            hs = xs.mean(axis=1)
        else:
            hs = np.tanh(xs.reshape(len(ids), -1) @ weights["hidden.W"] + weights["hidden.b"])
        W = weights["embed.W"].T if model.config.tied else weights["affine.W"]
        return softmax(hs @ W + weights["affine.b"])

    return Plain(model, after)


@st.composite
def networks(draw, V):
    """A recurrent model of any cell, a feed-forward one, a mean of vectors; weights large enough to matter."""
    kind = draw(st.sampled_from(["rnn", "lstm", "gru", "gru after", "nnlm", "cbow"]))
    D, H, tied = draw(st.integers(1, 4)), draw(st.integers(1, 4)), draw(st.booleans())
    options = {"dtype": "float64", "seed": draw(st.integers(0, 1000)), "init": "uniform", "init_range": 1.5}
    if kind == "cbow":
        return context_model(CbowLm(V, D, draw(st.integers(1, 3)), tied=tied, **options))
    sizes = {"wordvec_size": H if tied else D, "hidden_size": H, "tied": tied, **options}
    if kind == "nnlm":
        return context_model(NNLM(V, context=draw(st.integers(1, 3)), **sizes))
    cell, after = kind.split()[0], kind.endswith("after")
    return network(ModelConfig(vocab_size=V, cell=cell, reset_after=after, layers=draw(st.integers(1, 2)), **sizes))


# ---------------------------------------------------------------- n-grams


@st.composite
def ngrams(draw, V):
    """Kneser-Ney of a random text, by dictionaries."""
    text = draw(st.lists(st.integers(0, V - 1), min_size=1, max_size=25))
    order = draw(st.integers(1, 4))
    model = kneser_ney(text, V, EOS, order)
    lines, line = [], []
    for word in text:
        line.append(word)
        if word == EOS:
            lines, line = [*lines, line], []
    plain = KneserNey([*lines, *([line] if line else [])], range(V), order, model.discounts)
    return Plain(model, lambda ids: np.array([_after_context(plain, V, order, ids[: t + 1]) for t in range(len(ids))]))


def _after_context(plain, V, order, read):
    """p(word) after the words of the line that is being read."""
    read = list(read)
    if EOS in read:
        last = len(read) - 1 - read[::-1].index(EOS)
        read = [START, *read[last + 1 :]]
    context = tuple(read[len(read) - min(order - 1, len(read)) :])
    return [plain(word, context) for word in range(V)]


# ---------------------------------------------------------------- of several


@st.composite
def mixtures(draw, V):
    """Two or three predictors, averaged or multiplied."""
    parts = [draw(st.one_of(networks(V), ngrams(V))) for _ in range(draw(st.integers(2, 3)))]
    shares = np.array([draw(st.integers(1, 5)) for _ in parts], float)
    weights, log_linear = shares / shares.sum(), draw(st.booleans())

    def after(ids):
        every = np.stack([part.after(ids) for part in parts])
        if not log_linear:
            return np.einsum("k,ktv->tv", weights, every)
        product = np.prod(every ** weights[:, None, None], axis=0)
        return product / product.sum(axis=1, keepdims=True)

    return Plain(Mixture([part.model for part in parts], weights, log_linear), after)


@st.composite
def translated(draw, V):
    """A predictor whose words are others, some of which this vocabulary has not, and the other way round."""
    here = ["<eos>", "<unk>", *(f"w{i}" for i in range(V - 2))]
    shared = draw(st.lists(st.sampled_from(here[2:]), unique=True, max_size=V - 2)) if V > 2 else []
    strange = [f"s{i}" for i in range(draw(st.integers(0, 2)))]
    there = ["<eos>", *draw(st.permutations(["<unk>", *shared, *strange]))]
    inner = draw(st.one_of(networks(len(there)), ngrams(len(there))))

    def after(ids):
        own = [there.index(here[i]) if here[i] in there else there.index("<unk>") for i in range(V)]
        given = inner.after([own[i] for i in ids])
        probs = np.stack([given[:, k] / own.count(k) for k in own], axis=1)
        probs[:, here.index("<unk>")] += given[:, [k for k in range(len(there)) if k not in own]].sum(axis=1)
        return probs

    return Plain(in_words_of(inner.model, Vocabulary(there), Vocabulary(here)), after)


@st.composite
def predictors(draw, least=2):
    """One of any kind, of `least` to 6 words."""
    V = draw(st.integers(least, 6))
    return draw(st.one_of(networks(V), ngrams(V), mixtures(V), translated(V)))
