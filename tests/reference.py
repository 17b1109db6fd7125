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


def contexts(ids, W, n):
    """Vectors (N, T, n, D) of the last n words, zeros where there are none."""
    zero = np.zeros(W.shape[1])
    rows = [[[W[row[k]] if k >= 0 else zero for k in range(t - n + 1, t + 1)] for t in range(len(row))] for row in ids]
    return np.array(rows)


def attention(hs_enc, hs_dec, lengths=None):
    """Contexts (N, T', H) and weights (N, T', T), one row and one step at a time."""
    cs, weights = np.empty_like(hs_dec), np.zeros((*hs_dec.shape[:2], hs_enc.shape[1]))
    for n, (enc, dec) in enumerate(zip(hs_enc, hs_dec)):
        enc = enc if lengths is None else enc[: lengths[n]]
        for t, h in enumerate(dec):
            exps = np.exp([e @ h for e in enc])
            a = exps / exps.sum()
            weights[n, t, : len(enc)] = a
            cs[n, t] = sum(share * e for share, e in zip(a, enc))
    return cs, weights


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def lstm(xs, h, c, Wx, Wh, b):
    H, hs = h.shape[1], []
    for x in xs.swapaxes(0, 1):
        a = h @ Wh + x @ Wx + b
        f, g, i, o = (a[:, k * H : (k + 1) * H] for k in range(4))
        c = sigmoid(f) * c + np.tanh(g) * sigmoid(i)
        h = sigmoid(o) * np.tanh(c)
        hs.append(h)
    return np.stack(hs, axis=1), h, c


def gru(xs, h, Wx, Wh, b):
    """Reset before the matrix product."""
    H, hs = h.shape[1], []
    Wz, Wr, Wg = (np.concatenate([Wx, Wh])[:, k * H : (k + 1) * H] for k in range(3))
    bz, br, bg = (b[k * H : (k + 1) * H] for k in range(3))
    for x in xs.swapaxes(0, 1):
        z = sigmoid(np.concatenate([x, h], axis=1) @ Wz + bz)
        r = sigmoid(np.concatenate([x, h], axis=1) @ Wr + br)
        g = np.tanh(np.concatenate([x, r * h], axis=1) @ Wg + bg)
        h = (1 - z) * h + z * g
        hs.append(h)
    return np.stack(hs, axis=1), h


def gru_after(xs, h, Wx, Wh, b):
    """Reset after the matrix product, two biases."""
    H, hs = h.shape[1], []
    for x in xs.swapaxes(0, 1):
        a, u = x @ Wx + b[0], h @ Wh + b[1]
        z, r = (sigmoid(a[:, k * H : (k + 1) * H] + u[:, k * H : (k + 1) * H]) for k in range(2))
        g = np.tanh(a[:, 2 * H :] + r * u[:, 2 * H :])
        h = (1 - z) * h + z * g
        hs.append(h)
    return np.stack(hs, axis=1), h
