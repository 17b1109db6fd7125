"""The equations, one time step at a time, forward only, in float64 NumPy. Slow, plain, and what all else must equal."""

import numpy as np


def embedding(ids, W):
    return np.stack([[W[i] for i in row] for row in ids])


def rnn(xs, h, Wx, Wh, b):
    hs = []
    for x in xs.swapaxes(0, 1):
        h = np.tanh(h @ Wh + x @ Wx + b)
        hs.append(h)
    return np.stack(hs, axis=1), h


def affine(xs, W, b):
    return np.stack([x @ W + b for x in xs])


def cross_entropy(scores, targets, ignore_label=-1):
    """Mean nats over the targets that count."""
    nats = []
    for score, target in zip(scores.reshape(-1, scores.shape[-1]), targets.reshape(-1)):
        if target != ignore_label:
            top = score.max()
            nats.append(np.log(np.exp(score - top).sum()) + top - score[target])
    return np.mean(nats) if nats else 0.0
