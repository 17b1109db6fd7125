"""PyTorch's contestants: nn.Embedding, nn.RNN, nn.LSTM or nn.GRU, nn.Linear, cross_entropy; eager, compiled, and with
bfloat16, and on an NVIDIA GPU, whose layers are cuDNN's there, a whole training step as one CUDA graph.
"""

import os

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from benchmarks.cases import LR, MAX_GRAD, PROVED_WORDS, groups, padded
from benchmarks.clocks import ON_CUDA, read
from benchmarks.torch_model import Network, float32

DEVICE = torch.device("cuda" if ON_CUDA else "cpu")
WARM_UP = 5  # steps before a capture
if ON_CUDA:  # fp32 or TF32 in all products: by default PyTorch's recurrent layers take TF32 and its others fp32
    precision = {"fp32": "ieee", "tf32": "tf32"}[os.environ.get("RNNLM_PRECISION", "fp32")]
    torch.backends.cuda.matmul.fp32_precision = torch.backends.cudnn.rnn.fp32_precision = precision


def eager(function):
    """The same function."""
    return function


def bf16(function):
    """The same function under autocast, whose products take bfloat16; its results are float32 again."""

    def cast(*arguments):
        with torch.autocast(DEVICE.type, torch.bfloat16):
            return float32(function(*arguments))

    return cast


class Torch:
    """A training step: cross_entropy, backward, clip_grad_norm_, SGD."""

    way = staticmethod(eager)  # how its forward pass is run

    def __init__(self, case, weights):
        self.net = Network(case.sizes, batch_first=not ON_CUDA).load(weights).to(DEVICE)
        self.optimizer = torch.optim.SGD(self.net.parameters(), lr=LR, fused=ON_CUDA or None)
        self.states = self.net.zeros(case.N)
        self.loss = self.way(self._loss)

    def place(self, xs, ts):
        """Ids as PyTorch wants them, on a GPU time first, as its layers are fastest there."""
        both = [torch.from_numpy(np.ascontiguousarray(a.T if ON_CUDA else a).astype(np.int64)) for a in (xs, ts)]
        return tuple(a.to(DEVICE) for a in both)

    def _loss(self, xs, ts, states):
        scores, states = self.net(xs, states)
        return cross_entropy(scores.flatten(0, 1), ts.flatten()), states

    def _backward(self, xs, ts, states):
        self.optimizer.zero_grad()
        loss, states = self.loss(xs, ts, states)
        loss.backward()
        return loss, [tuple(s.detach() for s in one) if type(one) is tuple else one.detach() for one in states]

    def _update(self):
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), MAX_GRAD, foreach=ON_CUDA or None)
        self.optimizer.step()

    def step(self, xs, ts):
        loss, self.states = self._backward(xs, ts, self.states)
        self._update()
        return read(loss.detach())

    def gradients(self, xs, ts):
        self.net.without_dropout()
        N = xs.shape[1] if ON_CUDA else len(xs)
        loss, _ = self._backward(xs, ts, self.net.zeros(N))
        return loss.item(), self.net.gradients()


class TorchGraph(Torch):
    """The same step, captured once and launched as a whole. A GPU only."""

    graph = None

    def gradients(self, xs, ts):
        """Of a graph, too: one that ends before clipping and the update."""
        self.net.without_dropout()
        self._capture(xs, ts, self._backward_in_place)
        for state in self.states:
            for a in state if type(state) is tuple else (state,):
                a.zero_()
        self.graph.replay()
        return self.captured_loss.item(), self.net.gradients()

    def step(self, xs, ts):
        if self.graph is None:
            self._capture(xs, ts, self._step_in_place)
        self.xs.copy_(xs)
        self.ts.copy_(ts)
        self.graph.replay()
        return self.captured_loss

    def _capture(self, xs, ts, work):
        self.xs, self.ts = xs.clone(), ts.clone()
        aside = torch.cuda.Stream()
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):
            for _ in range(WARM_UP):
                work()
        torch.cuda.current_stream().wait_stream(aside)
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            self.captured_loss = work()

    def _step_in_place(self):
        loss = self._backward_in_place()
        self._update()
        return loss

    def _backward_in_place(self):
        """Forward and back, the state left in the memory that it was read from, as a graph's must be."""
        loss, after = self._backward(self.xs, self.ts, self.states)
        for mine, new in zip(self.states, after):
            for a, b in zip(mine, new) if type(mine) is tuple else ((mine, new),):
                a.copy_(b)
        return loss.detach()


class TorchReader:
    """What scoring and generating share: a network that does not learn."""

    way = staticmethod(eager)

    def place(self, *inputs):
        return inputs

    def __init__(self, case, weights):
        self.case, self.net = case, Network(case.sizes).load(weights).eval()
        self.run = self.way(self._run)


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


def run_by(way, cls):
    """The same class, whose forward pass is run in another way."""
    return type(f"{cls.__name__}, {way.__name__}", (cls,), {"way": staticmethod(way), "__doc__": cls.__doc__})


WAYS = {"torch": eager, "torch-compiled": torch.compile, "torch-bf16": bf16}
TASKS = {"training": Torch, "scoring": TorchScoring, "generating": TorchGenerating}
CLASSES = {(name, task): run_by(way, cls) for name, way in WAYS.items() for task, cls in TASKS.items()}
CLASSES["torch-graph", "training"] = TorchGraph
