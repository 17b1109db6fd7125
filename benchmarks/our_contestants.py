"""rnnlm's contestants, and those of plain code."""

import numpy as np

from benchmarks.cases import LR, MAX_GRAD, PROVED_WORDS, groups, padded
from benchmarks.clocks import ON_CUDA, read
from benchmarks.plain import PlainRnnlm, softmax


class Hands:
    """What all but PyTorch's share."""

    def place(self, *inputs):
        """On a GPU ids in time-major memory, as the trainer's windows have it."""
        from rnnlm.backend import ops

        return tuple(ops.asarray(np.ascontiguousarray(ids.T)).T for ids in inputs) if ON_CUDA else inputs


class Ours(Hands):
    """rnnlm: what its trainer does in a step."""

    def __init__(self, case, weights=None):
        from rnnlm import SGD
        from rnnlm.backend import ops
        from rnnlm.training.foreign import as_model
        from rnnlm.training.steps import Steps

        self.model = case.sizes.model()  # by itself, as its user would: those are the weights of all
        self.optimizer, self.one_blas_thread = SGD(LR), ops.one_blas_thread
        self.compute = Steps(as_model(self.model))

    def step(self, xs, ts):
        with self.one_blas_thread:  # in which the trainer stays
            loss, _, factor = self.compute(xs, ts, MAX_GRAD)
            self.optimizer.update([self.model.flat_params], [self.model.flat_grads], factor)
            return read(loss)

    def gradients(self, xs, ts):
        from rnnlm.backend import ops

        self.model.reset_state()
        loss = float(self.model.forward(xs, ts, train_flg=False))
        self.model.backward()
        return loss, {name: ops.asnumpy(g) for name, g in zip(self.model.names, self.model.grads)}


class OurScoring(Hands):
    """rnnlm.score."""

    def __init__(self, case, weights=None):
        self.model = case.sizes.model()

    def step(self, sentences):
        from rnnlm import score

        return [one.logprob for one in score(self.model, sentences)]

    def log_probabilities(self, sentences):
        each = np.array(self.step(sentences))
        return each.sum(), {"sentences": each}


class OurGenerating(Hands):
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


class Plain(Hands):
    """Step-by-step NumPy, layer by layer; on a GPU CuPy."""

    def __init__(self, case, weights):
        self.case, self.model = case, PlainRnnlm(weights, case.sizes.dropout)

    def step(self, xs, ts):
        return read(self.model.step(xs, ts, LR, MAX_GRAD))

    def gradients(self, xs, ts):
        from rnnlm.backend import ops

        self.model.reset_state()
        loss = float(self.model.forward(xs, ts, train_flg=False))
        return loss, {name: ops.asnumpy(g) for name, g in self.model.backward().items()}


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
    ("ours-bf16", "training"): Ours,
    ("ours", "scoring"): OurScoring,
    ("ours", "generating"): OurGenerating,
    ("plain", "training"): Plain,
    ("plain", "scoring"): PlainScoring,
    ("plain", "generating"): PlainGenerating,
}
