"""The same work, done by different hands: one training step of SimpleRnnlm.

Each contestant begins with the same weights and has `step(xs, ts)`, which runs forward, back, clipping at 0.25 and
SGD, carries the state, and returns the loss as a Python float; and `gradients(xs, ts)`, the loss and gradients, by our
names, of one window from a zero state.
"""

import numpy as np

LR, MAX_GRAD = 0.1, 0.25


class Ours:
    """rnnlm, on the backend that RNNLM_BACKEND names, with the threads that its trainer would take."""

    def __init__(self, case):
        from rnnlm import SGD, SimpleRnnlm
        from rnnlm.backend import ops

        self.model = SimpleRnnlm(case.V, case.D, case.H, seed=1)
        self.optimizer = SGD(LR)
        self.threads = ops.one_blas_thread
        self.threads.__enter__()

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
        loss = float(self.model.forward(xs, ts))
        self.model.backward()
        return loss, {name: ops.asnumpy(g) for name, g in zip(self.model.names, self.model.grads)}


class Plain:
    """Step-by-step NumPy, layer by layer."""

    def __init__(self, case):
        from benchmarks.plain import PlainRnnlm
        from rnnlm import SimpleRnnlm

        self.model = PlainRnnlm(SimpleRnnlm(case.V, case.D, case.H, seed=1).state_dict())

    def step(self, xs, ts):
        return float(self.model.step(xs, ts, LR, MAX_GRAD))

    def gradients(self, xs, ts):
        self.model.h = None
        return float(self.model.forward(xs, ts)), self.model.backward()


class Torch:
    """PyTorch: nn.Embedding, nn.RNN, nn.Linear, cross_entropy."""

    compiled = False

    def __init__(self, case):
        import torch
        from torch import nn

        self.torch = torch
        from rnnlm import SimpleRnnlm

        model = SimpleRnnlm(case.V, case.D, case.H, seed=1)
        weights = {name: torch.from_numpy(w) for name, w in model.state_dict().items()}
        self.embed = nn.Embedding(case.V, case.D)
        self.rnn = nn.RNN(case.D, case.H, batch_first=True)
        self.linear = nn.Linear(case.H, case.V)
        self.module = nn.ModuleList([self.embed, self.rnn, self.linear])
        with torch.no_grad():
            self.embed.weight.copy_(weights["embed.W"])
            self.rnn.weight_ih_l0.copy_(weights["rnn.Wx"].T)
            self.rnn.weight_hh_l0.copy_(weights["rnn.Wh"].T)
            self.rnn.bias_ih_l0.copy_(weights["rnn.b"])
            self.rnn.bias_hh_l0.zero_()
            self.linear.weight.copy_(weights["affine.W"].T)
            self.linear.bias.copy_(weights["affine.b"])
        self.optimizer = torch.optim.SGD(self.module.parameters(), lr=LR)
        self.shape = (1, case.N, case.H)
        self.h = torch.zeros(self.shape)
        self.loss = torch.compile(self._loss) if self.compiled else self._loss

    def _loss(self, xs, ts, h):
        hs, h = self.rnn(self.embed(xs), h)
        scores = self.linear(hs)
        return self.torch.nn.functional.cross_entropy(scores.flatten(0, 1), ts.flatten()), h.detach()

    def _backward(self, xs, ts, h):
        self.optimizer.zero_grad()
        xs, ts = (self.torch.from_numpy(a.astype(np.int64)) for a in (xs, ts))
        loss, h = self.loss(xs, ts, h)
        loss.backward()
        return loss, h

    def step(self, xs, ts):
        loss, self.h = self._backward(xs, ts, self.h)
        self.torch.nn.utils.clip_grad_norm_(self.module.parameters(), MAX_GRAD)
        self.optimizer.step()
        return loss.item()

    def gradients(self, xs, ts):
        loss, _ = self._backward(xs, ts, self.torch.zeros(self.shape))
        grads = {
            "embed.W": self.embed.weight.grad,
            "rnn.Wx": self.rnn.weight_ih_l0.grad.T,
            "rnn.Wh": self.rnn.weight_hh_l0.grad.T,
            "rnn.b": self.rnn.bias_ih_l0.grad,
            "affine.W": self.linear.weight.grad.T,
            "affine.b": self.linear.bias.grad,
        }
        return loss.item(), {name: g.numpy() for name, g in grads.items()}


class CompiledTorch(Torch):
    """PyTorch, the loss through torch.compile."""

    compiled = True


CONTESTANTS = {"ours": Ours, "plain": Plain, "torch": Torch, "torch-compiled": CompiledTorch}
