"""A language model as one would first write it: layer by layer, one time step after another, new arrays everywhere.

Plain NumPy in the order of the equations, with nothing hoisted, reused or written over; CuPy where rnnlm runs on it,
which is all that code of this kind does for a GPU. It is what the library's speed is compared with, and what the
tests compare its train step with.
"""

from benchmarks.plain_cells import CELLS, Affine, Dropout, Embedding
from rnnlm.backend import ops, xp as np


def softmax(scores):
    """Probabilities (N, V)."""
    p = np.exp(scores - scores.max(axis=1, keepdims=True))
    return p / p.sum(axis=1, keepdims=True)


class PlainRnnlm:
    """A model of rnnlm from its weights, whose names say what it is made of.

    embed.W, then Wx, Wh and b of each recurrent layer (rnn, or lstm1 and lstm2, or ...), then affine.b, and affine.W
    unless the word vectors stand for it. Dropout, if any, is after the embedding and after each recurrent layer.
    """

    def __init__(self, weights, dropout_ratio=0.0):
        self.weights = {name: ops.asarray(w.copy()) for name, w in weights.items()}
        self.tied = "affine.W" not in self.weights
        names = dict.fromkeys(name.split(".")[0] for name in self.weights)
        self.recurrent = {name: CELLS[name.rstrip("123456789")] for name in names if name not in ("embed", "affine")}
        self.dropout_ratio, self.rng = dropout_ratio, np.random.default_rng(0)
        self.reset_state()

    def reset_state(self):
        """Begin the next window with zeros."""
        self.state = None

    def _layers(self, train_flg):
        """New layers for one time step, by name, from below."""
        w = self.weights
        dropout = train_flg and self.dropout_ratio > 0
        layers = {"embed": Embedding(w["embed.W"])}
        if dropout:
            layers["dropout"] = Dropout(self.dropout_ratio, self.rng)
        for name, Cell in self.recurrent.items():
            layers[name] = Cell(w[f"{name}.Wx"], w[f"{name}.Wh"], w[f"{name}.b"])
            if dropout:
                layers[f"dropout after {name}"] = Dropout(self.dropout_ratio, self.rng)
        layers["affine"] = Affine(w["embed.W"].T if self.tied else w["affine.W"], w["affine.b"])
        return layers

    def _zeros(self, N):
        """A state of zeros: arrays (N, H) by the layer's name."""
        shapes = {name: (N, len(self.weights[f"{name}.Wh"])) for name in self.recurrent}
        dtype = self.weights["embed.W"].dtype
        return {name: (np.zeros(shapes[name], dtype),) * cell.states for name, cell in self.recurrent.items()}

    def read(self, ids, train_flg=False):
        """Scores (N, V) of the next words after one more id in each of N sequences, and the layers of this step."""
        layers = self._layers(train_flg)
        before, self.state = self._zeros(len(ids)) if self.state is None else self.state, {}
        x = ids
        for name, layer in layers.items():
            if name in self.recurrent:
                self.state[name] = layer.forward(x, *before[name])
                x = self.state[name][0]
            else:
                x = layer.forward(x)
        return x, layers

    def forward(self, xs, ts, train_flg=True):
        """Mean cross-entropy of a window (N, T); keeps every step for `backward`."""
        self.steps, loss = [], 0.0
        for t in range(xs.shape[1]):
            scores, layers = self.read(xs[:, t], train_flg)
            p = softmax(scores)
            loss = loss - np.log(p[np.arange(len(p)), ts[:, t]]).sum()
            self.steps.append((layers, p, ts[:, t]))
        return loss / xs.size

    def backward(self):
        """Gradients of the last forward, by name."""
        grads = {name: np.zeros_like(w) for name, w in self.weights.items()}
        N, count = len(self.steps[0][2]), len(self.steps[0][2]) * len(self.steps)
        dstate = self._zeros(N)
        for layers, p, targets in reversed(self.steps):
            dx = p.copy()
            dx[np.arange(N), targets] -= 1
            dx = dx / count
            for name, layer in reversed(layers.items()):
                if name in self.recurrent:
                    dh, *rest = dstate[name]
                    dx, dstate[name], its = layer.backward(dh + dx, *rest)
                else:
                    dx, its = layer.backward(dx)
                self._add(grads, name, its)
        return grads

    def _add(self, grads, layer, its):
        """Add the gradients of one step of one layer."""
        for name, g in its.items():
            if self.tied and (layer, name) == ("affine", "W"):
                grads["embed.W"] += g.T
            else:
                grads[f"{layer}.{name}"] += g

    def step(self, xs, ts, lr, max_grad=None):
        """Forward, back, clip, SGD; returns the loss."""
        loss = self.forward(xs, ts)
        grads = self.backward()
        if max_grad is not None:
            norm = np.sqrt(sum((g**2).sum() for g in grads.values()))
            if norm > max_grad:
                grads = {name: g * (max_grad / (norm + 1e-6)) for name, g in grads.items()}
        for name, g in grads.items():
            self.weights[name] = self.weights[name] - lr * g
        return loss
