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


def log_softmax(scores):
    return scores - scores.max() - np.log(np.exp(scores - scores.max()).sum())


def adaptive_softmax(hs, by_rank, W, b, *clusters):
    """Log-probabilities of all words; of each cluster P, W and b; by_rank has the words' ids by falling frequency."""
    K, logps = len(clusters) // 3, []
    shortlist = len(b) - K
    for h in hs.reshape(-1, hs.shape[-1]):
        first = log_softmax(h @ W + b)
        logp = [*first[:shortlist]]
        for k in range(K):
            P, Wk, bk = clusters[3 * k : 3 * k + 3]
            logp += [first[shortlist + k] + one for one in log_softmax(h @ P @ Wk + bk)]
        logps.append(np.array(logp)[np.argsort(by_rank)])
    return np.reshape(logps, (*hs.shape[:-1], len(by_rank)))


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


# ---------------------------------------------------------------- of rows


def softmax(x):
    """Of the last axis, one row at a time."""
    return np.apply_along_axis(lambda row: np.exp(row - row.max()) / np.exp(row - row.max()).sum(), -1, x)


def relu_rnn(xs, h, Wx, Wh, b):
    hs = []
    for x in xs.swapaxes(0, 1):
        a = h @ Wh + x @ Wx + b
        h = np.where(a > 0, a, 0)
        hs.append(h)
    return np.stack(hs, axis=1), h


def over_rows(cell, xs, lengths, params, states=1):
    """Hidden states (N, T, H) of a recurrent layer that begins with zeros, one row at a time, and NaN after its end."""
    H = params[1].shape[0]
    hs = np.full((*xs.shape[:2], H), np.nan)
    for n, length in enumerate(lengths):
        hs[n, :length] = cell(xs[n : n + 1, :length], *np.zeros((states, 1, H)), *params)[0][0]
    return hs


def both_ways(cell, xs, lengths, params, states=1):
    """Those of a layer that reads ahead and one that reads back, side by side."""
    turned = np.array([np.concatenate([row[:length][::-1], row[length:]]) for row, length in zip(xs, lengths)])
    back = over_rows(cell, turned, lengths, params[3:], states)
    for row, length in zip(back, lengths):
        row[:length] = row[:length][::-1].copy()
    return np.concatenate([over_rows(cell, xs, lengths, params[:3], states), back], axis=-1)


def ends(hs, lengths):
    """The last state of each row."""
    return np.array([row[length - 1] for row, length in zip(hs, lengths)])


def mean_over_time(xs, lengths):
    return np.array([sum(row[:length]) / length for row, length in zip(xs, lengths)])


# ---------------------------------------------------------------- losses, the mean over rows


def squared_error(ys, ts):
    return np.mean([sum((y - t) ** 2) / len(y) for y, t in zip(ys, ts)])


def binary_cross_entropy(ps, ts):
    """Of probabilities, kept away from 0 and 1."""
    ps = np.clip(ps, 1e-7, 1 - 1e-7)
    return np.mean([-(t * np.log(p) + (1 - t) * np.log(1 - p)) for p, t in zip(ps.reshape(-1), ts.reshape(-1))])


def categorical_cross_entropy(ps, ts):
    """Of probabilities and one-hot rows, or distributions."""
    return np.mean([-sum(t * np.log(np.maximum(p, 1e-7))) for p, t in zip(ps, ts)])


def negative_sampling(h, idx, W):
    """Of the words idx (N, 1 + S), the target first."""
    rows = []
    for vector, words in zip(h, idx):
        right, *wrong = words
        rows.append(-np.log(sigmoid(vector @ W[right])) - sum(np.log(sigmoid(-vector @ W[word])) for word in wrong))
    return np.mean(rows)
