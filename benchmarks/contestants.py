"""The same work, done by different hands: rnnlm's and those of plain code; PyTorch's are in a file of their own.

A contestant is made from a case and the initial weights by name, which are the same for all of them, and has

    step(*inputs)       the work whose time is taken: one training step, all sentences scored, one text generated
    the case's `proof`  what shows that all do the same work: a number and arrays by name, which must agree

For training these are `step(xs, ts)`, which runs forward, back, clipping at 0.25 and SGD, carries the state, and
returns the loss as a Python float; and `gradients(xs, ts)`, loss and gradients, by our names, of one window from a zero
state and without dropout. `first_words` has the scores after the first ids, and the likeliest words from there on.
"""

from importlib import import_module

import numpy as np

from benchmarks.cases import EOS
from benchmarks.plain import PlainRnnlm, softmax

LR, MAX_GRAD = 0.1, 0.25
SCORED_AT_ONCE = 2048  # tokens, padding included: what rnnlm.score takes
PROVED_WORDS = 20
CONTESTANTS = ("ours", "plain", "torch", "torch-compiled")


def contestant(name, case, weights):
    """A contestant for a case. Only PyTorch's import PyTorch."""
    module = import_module("benchmarks.torch_contestants" if name.startswith("torch") else "benchmarks.contestants")
    return module.CLASSES[name, case.task](case, weights)


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


class Ours:
    """rnnlm, on the backend that RNNLM_BACKEND names."""

    def __init__(self, case, weights=None):
        from rnnlm import SGD

        self.model = case.sizes.model()  # by itself, as its user would: those are the weights of all
        self.optimizer = SGD(LR)

    def step(self, xs, ts):
        from rnnlm import clip_grads

        loss = self.model.forward(xs, ts)
        self.model.backward()
        clip_grads([self.model.flat_grads], MAX_GRAD)
        self.optimizer.update([self.model.flat_params], [self.model.flat_grads])
        return float(loss)

    def gradients(self, xs, ts):
        from rnnlm.backend import ops

        self.model.reset_state()
        loss = float(self.model.forward(xs, ts, train_flg=False))
        self.model.backward()
        return loss, {name: ops.asnumpy(g) for name, g in zip(self.model.names, self.model.grads)}


class OurScoring:
    """rnnlm.score."""

    def __init__(self, case, weights=None):
        self.model = case.sizes.model()

    def step(self, sentences):
        from rnnlm import score

        return [one.logprob for one in score(self.model, sentences)]

    def log_probabilities(self, sentences):
        each = np.array(self.step(sentences))
        return each.sum(), {"sentences": each}


class OurGenerating:
    """rnnlm.generate, and rnnlm.generate_batch for several sequences."""

    def __init__(self, case, weights=None):
        self.model, self.length = case.sizes.model(), 1 + case.words

    def step(self, start_ids, seed):
        return self._words(start_ids, self.length, seed=seed)

    def _words(self, start_ids, length, **options):
        if len(start_ids) == 1:
            from rnnlm import generate

            return [generate(self.model, int(start_ids[0]), sample_size=length, **options)]
        from rnnlm import generate_batch

        return generate_batch(self.model, start_ids, sample_size=length, **options)

    def first_words(self, start_ids, seed):
        from rnnlm.backend import ops

        words = np.array(self._words(start_ids, PROVED_WORDS, top_k=1))
        self.model.reset_state()
        return 0.0, {"scores": ops.asnumpy(self.model.predict(start_ids[:, None]))[:, 0], "words": words}


class Plain:
    """Step-by-step NumPy, layer by layer."""

    def __init__(self, case, weights):
        self.case, self.model = case, PlainRnnlm(weights, case.sizes.dropout)

    def step(self, xs, ts):
        return float(self.model.step(xs, ts, LR, MAX_GRAD))

    def gradients(self, xs, ts):
        self.model.reset_state()
        return float(self.model.forward(xs, ts, train_flg=False)), self.model.backward()


class PlainScoring(Plain):
    """One time step after another of sentences of like length, side by side as in the other contestants."""

    def step(self, sentences):
        scores = np.empty(len(sentences))
        for numbers in groups([len(sentence) for sentence in sentences]):
            self.model.reset_state()
            xs, ts = padded([sentences[number] for number in numbers])
            total = np.zeros(len(xs))
            for x, t in zip(xs.T, ts.T):
                p = softmax(self.model.read(x)[0])
                total = total + np.where(t >= 0, np.log(p[np.arange(len(p)), t]), 0)
            scores[numbers] = total
        return scores

    def log_probabilities(self, sentences):
        each = self.step(sentences)
        return each.sum(), {"sentences": each}


class PlainGenerating(Plain):
    """One word after another, drawn from its probabilities."""

    def step(self, start_ids, seed):
        rng = np.random.default_rng(seed)
        self.model.reset_state()
        words = [start_ids]
        for _ in range(self.case.words):
            sums = softmax(self.model.read(words[-1])[0]).cumsum(axis=1)
            words.append((sums < rng.random((len(sums), 1)) * sums[:, -1:]).sum(axis=1))
        return np.stack(words, axis=1)

    def first_words(self, start_ids, seed):
        self.model.reset_state()
        first = scores = self.model.read(start_ids)[0]
        words = [start_ids]
        for _ in range(PROVED_WORDS - 1):
            words.append(scores.argmax(axis=1))
            scores = self.model.read(words[-1])[0]
        return 0.0, {"scores": first, "words": np.stack(words, axis=1)}


CLASSES = {
    ("ours", "training"): Ours,
    ("ours", "scoring"): OurScoring,
    ("ours", "generating"): OurGenerating,
    ("plain", "training"): Plain,
    ("plain", "scoring"): PlainScoring,
    ("plain", "generating"): PlainGenerating,
}
