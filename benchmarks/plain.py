"""SimpleRnnlm as one would first write it: layer by layer, one time step after another, new arrays everywhere.

Plain NumPy in the order of the equations, with nothing hoisted, reused or written in place. It is what the library's
speed is compared with, and what the tests compare its train step with.
"""

import numpy as np


class PlainRnnlm:
    """The model of `rnnlm.SimpleRnnlm`, from the same weights, by name: embed.W, rnn.Wx, rnn.Wh, rnn.b, affine.W, .b"""

    def __init__(self, weights):
        self.weights = {name: w.copy() for name, w in weights.items()}
        self.h = None

    def forward(self, xs, ts):
        """Mean cross-entropy of a window; keeps every step for `backward`."""
        E, Wx, Wh, b, W, c = (self.weights[n] for n in WEIGHTS)
        h = np.zeros((len(xs), len(Wh)), Wh.dtype) if self.h is None else self.h
        self.steps, loss = [], 0.0
        for t in range(xs.shape[1]):
            x = E[xs[:, t]]
            h_prev, h = h, np.tanh(np.dot(h, Wh) + np.dot(x, Wx) + b)
            scores = np.dot(h, W) + c
            p = np.exp(scores - scores.max(axis=1, keepdims=True))
            p /= p.sum(axis=1, keepdims=True)
            loss -= np.log(p[np.arange(len(p)), ts[:, t]]).sum()
            self.steps.append((xs[:, t], ts[:, t], x, h_prev, h, p))
        self.h = h
        return loss / xs.size

    def backward(self):
        """Gradients of the last forward, by name."""
        E, Wx, Wh, _b, W, _c = (self.weights[n] for n in WEIGHTS)
        grads = {name: np.zeros_like(w) for name, w in self.weights.items()}
        count = sum(len(step[0]) for step in self.steps)
        dh_next = 0
        for ids, targets, x, h_prev, h, p in reversed(self.steps):
            ds = p.copy()
            ds[np.arange(len(p)), targets] -= 1
            ds /= count
            grads["affine.W"] += np.dot(h.T, ds)
            grads["affine.b"] += ds.sum(axis=0)
            da = (np.dot(ds, W.T) + dh_next) * (1 - h**2)
            grads["rnn.Wx"] += np.dot(x.T, da)
            grads["rnn.Wh"] += np.dot(h_prev.T, da)
            grads["rnn.b"] += da.sum(axis=0)
            dE = np.zeros_like(E)
            np.add.at(dE, ids, np.dot(da, Wx.T))
            grads["embed.W"] += dE
            dh_next = np.dot(da, Wh.T)
        return grads

    def step(self, xs, ts, lr, max_grad=None):
        """Forward, back, clip, SGD; returns the loss."""
        loss = self.forward(xs, ts)
        grads = self.backward()
        if max_grad is not None:
            norm = np.sqrt(sum((g**2).sum() for g in grads.values()))
            if norm > max_grad:
                for g in grads.values():
                    g *= max_grad / (norm + 1e-6)
        for name, g in grads.items():
            self.weights[name] -= lr * g
        return loss


WEIGHTS = ("embed.W", "rnn.Wx", "rnn.Wh", "rnn.b", "affine.W", "affine.b")
