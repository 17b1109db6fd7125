"""PyTorch's contestants: nn.Embedding, nn.RNN, nn.LSTM or nn.GRU, nn.Linear, cross_entropy; eager and compiled."""

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from benchmarks.contestants import LR, MAX_GRAD, PROVED_WORDS, groups, padded
from benchmarks.torch_model import Network


class Torch:
    """A training step: cross_entropy, backward, clip_grad_norm_, SGD."""

    compiled = False

    def __init__(self, case, weights):
        self.net = Network(case.sizes).load(weights)
        self.optimizer = torch.optim.SGD(self.net.parameters(), lr=LR)
        self.states = self.net.zeros(case.N)
        self.loss = torch.compile(self._loss) if self.compiled else self._loss

    def _loss(self, xs, ts, states):
        scores, states = self.net(xs, states)
        return cross_entropy(scores.flatten(0, 1), ts.flatten()), states

    def _backward(self, xs, ts, states):
        self.optimizer.zero_grad()
        xs, ts = (torch.from_numpy(a.astype(np.int64)) for a in (xs, ts))
        loss, states = self.loss(xs, ts, states)
        loss.backward()
        return loss.item(), [tuple(s.detach() for s in one) if type(one) is tuple else one.detach() for one in states]

    def step(self, xs, ts):
        loss, self.states = self._backward(xs, ts, self.states)
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), MAX_GRAD)
        self.optimizer.step()
        return loss

    def gradients(self, xs, ts):
        self.net.eval()
        loss, _ = self._backward(xs, ts, self.net.zeros(len(xs)))
        return loss, self.net.gradients()


class TorchReader:
    """What scoring and generating share: a network that does not learn."""

    compiled = False

    def __init__(self, case, weights):
        self.case, self.net = case, Network(case.sizes).load(weights).eval()
        self.run = torch.compile(self._run) if self.compiled else self._run


class TorchScoring(TorchReader):
    """Sentences of like length side by side, cross-entropies of all their words at once."""

    def _run(self, xs, ts, states):
        scores, _ = self.net(xs, states)
        nats = cross_entropy(scores.flatten(0, 1), ts.flatten(), reduction="none", ignore_index=-1)
        return -nats.view(ts.shape).sum(dim=1)

    @torch.inference_mode()
    def step(self, sentences):
        scores = np.empty(len(sentences))
        for numbers in groups([len(sentence) for sentence in sentences]):
            xs, ts = map(torch.from_numpy, padded([sentences[number] for number in numbers]))
            scores[numbers] = self.run(xs, ts, self.net.zeros(len(xs))).numpy()
        return scores

    def log_probabilities(self, sentences):
        each = self.step(sentences)
        return each.sum(), {"sentences": each}


class TorchGenerating(TorchReader):
    """One word after another, drawn by multinomial from softmax."""

    def _run(self, ids, states):
        scores, states = self.net(ids, states)
        return scores[:, -1], states

    @torch.inference_mode()
    def step(self, start_ids, seed):
        torch.manual_seed(seed)
        words, states = [torch.from_numpy(start_ids.astype(np.int64))[:, None]], self.net.zeros(len(start_ids))
        for _ in range(self.case.words):
            scores, states = self.run(words[-1], states)
            words.append(torch.multinomial(torch.softmax(scores, dim=1), 1))
        return torch.cat(words, dim=1).numpy()

    @torch.inference_mode()
    def first_words(self, start_ids, seed):
        words, states = [torch.from_numpy(start_ids.astype(np.int64))[:, None]], self.net.zeros(len(start_ids))
        first, states = self.run(words[0], states)
        scores = first
        for _ in range(PROVED_WORDS - 1):
            words.append(scores.argmax(dim=1, keepdim=True))
            scores, states = self.run(words[-1], states)
        return 0.0, {"scores": first.numpy(), "words": torch.cat(words, dim=1).numpy()}


def compiled(cls):
    """The same class, with torch.compile."""
    return type(f"Compiled{cls.__name__}", (cls,), {"compiled": True, "__doc__": f"{cls.__doc__} By torch.compile."})


CLASSES = {
    ("torch", "training"): Torch,
    ("torch", "scoring"): TorchScoring,
    ("torch", "generating"): TorchGenerating,
}
CLASSES |= {("torch-compiled", task): compiled(cls) for (_, task), cls in CLASSES.items()}
