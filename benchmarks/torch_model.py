"""A language model of PyTorch's own layers, from rnnlm's weights.

PyTorch's blocks of gates stand in another order than rnnlm's, its matrices are transposed, its LSTM and RNN have two
biases that are summed, and its GRU's update gate is 1 - z.
"""

import numpy as np
import torch
from torch import nn

LAYERS = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
ORDER = {"rnn": [0], "lstm": [2, 0, 1, 3], "gru": [1, 0, 2]}  # which of our blocks: f g i o -> i f g o, z r g -> r z g


def to_theirs(cell, a):
    """An array (..., gH) of ours as one (gH, ...) of theirs."""
    blocks = np.split(a.T, len(ORDER[cell]))
    theirs = [blocks[k] for k in ORDER[cell]]
    if cell == "gru":
        theirs[1] = -theirs[1]
    return torch.from_numpy(np.concatenate(theirs))


def to_ours(cell, a):
    """The way back, as a NumPy array."""
    blocks = np.split(a.numpy(), len(ORDER[cell]))
    ours = [blocks[ORDER[cell].index(k)] for k in range(len(blocks))]
    if cell == "gru":
        ours[0] = -ours[0]
    return np.concatenate(ours).T


def float32(a):
    """A tensor, or lists and tuples of them, as float32."""
    return a.float() if isinstance(a, torch.Tensor) else type(a)(map(float32, a))


class Network(nn.Module):
    """Embedding, recurrent layers, linear layer, with dropout after the embedding and each recurrent layer.

    The recurrent layers are one module where their sizes agree, with its own dropout between them, and otherwise one
    module each.
    """

    def __init__(self, sizes, batch_first=True):
        super().__init__()
        self.cell, self.layers, hidden = sizes.cell, sizes.layers, sizes.hidden_sizes
        layer = LAYERS[sizes.cell]
        self.drop = nn.Dropout(sizes.dropout)
        self.embed = nn.Embedding(sizes.V, sizes.D)
        if len(set(hidden)) == 1:
            between = sizes.dropout if sizes.layers > 1 else 0.0
            modules = [layer(sizes.D, sizes.H, sizes.layers, batch_first=batch_first, dropout=between)]
        else:
            modules = [layer(D, H, batch_first=batch_first) for D, H in zip([sizes.D, *hidden], hidden)]
        self.recurrent = nn.ModuleList(modules)
        self.linear = nn.Linear(hidden[-1], sizes.V)
        if sizes.tied:
            self.linear.weight = self.embed.weight

    def zeros(self, N):
        """A state of zeros, an entry for each recurrent module."""
        device = self.embed.weight.device
        h = [torch.zeros(module.num_layers, N, module.hidden_size, device=device) for module in self.recurrent]
        return [(one, one.clone()) for one in h] if self.cell == "lstm" else h

    def forward(self, xs, states):
        """Scores (N, T, V) and the state after them; ids and scores time first, if the network was built so."""
        ys, after = self.drop(self.embed(xs)), []
        for module, state in zip(self.recurrent, states):
            ys, state = module(ys, state)
            ys = self.drop(ys)
            after.append(state)
        return self.linear(ys), after

    def named(self):
        """Our name, its arrays here, and the function that makes one of ours of one of theirs or the other way."""
        names = [self.cell] if self.layers == 1 else [f"{self.cell}{number + 1}" for number in range(self.layers)]
        homes = [(module, k) for module in self.recurrent for k in range(module.num_layers)]
        yield "embed.W", (self.embed.weight,), None
        for name, (module, k) in zip(names, homes):
            yield f"{name}.Wx", (getattr(module, f"weight_ih_l{k}"),), self.cell
            yield f"{name}.Wh", (getattr(module, f"weight_hh_l{k}"),), self.cell
            yield f"{name}.b", (getattr(module, f"bias_ih_l{k}"), getattr(module, f"bias_hh_l{k}")), self.cell
        if self.linear.weight is not self.embed.weight:
            yield "affine.W", (self.linear.weight,), "rnn"  # one block
        yield "affine.b", (self.linear.bias,), None

    @torch.no_grad()
    def load(self, weights):
        """Take over our weights."""
        for name, arrays, cell in self.named():
            w = weights[name]
            for a, ours in zip(arrays, w if name == f"{cell}.b" and cell == "gru" else [w, np.zeros_like(w)]):
                a.copy_(torch.from_numpy(ours) if cell is None else to_theirs(cell, ours))
        return self

    def without_dropout(self):
        """Drop nothing from now on, in training either: cuDNN has no gradient for a network that is evaluating."""
        self.drop.p = 0.0
        for module in self.recurrent:
            module.dropout = 0.0
        return self

    def gradients(self):
        """By our names, as NumPy arrays. An RNN's or LSTM's two biases have one and the same."""
        grads = {}
        for name, arrays, cell in self.named():
            ours = [a.grad.cpu().numpy() if cell is None else to_ours(cell, a.grad.cpu()) for a in arrays]
            grads[name] = np.stack(ours) if name.endswith(".b") and cell == "gru" else ours[0]
        return grads
