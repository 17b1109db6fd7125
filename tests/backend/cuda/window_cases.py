"""Windows of recurrent layers for comparison with the loop over time steps, and how their kernels are laid out."""

import numpy as np

from rnnlm.backend.cuda.plan import Plan

WAYS = {  # by cell and hidden units: every size of a cluster, and rows that do not come out even with N
    ("lstm_window", 33): (Plan(4, 2), 5, 5),
    ("lstm_window", 18): (Plan(16, 1), 3, 1),
    ("rnn_window", 33): (Plan(2, 4), 5, 5),
    ("rnn_window", 10): (Plan(1, 2), 3, 1),
    ("gru_window", 100): (Plan(8, 2), 3, 5),
}  # (cell, H): way, N, T


def sizes(module):
    """(N, T, H) of a cell's windows."""
    return [(N, T, H) for (name, H), (_, N, T) in WAYS.items() if name == module]


def forced(module, H, _N):
    """In place of `plan.here`."""
    way = WAYS.get((module, H))
    return way and way[0]


def windows(draw):
    """Of all cells, forward and back."""
    for N, T, H in sizes("rnn_window"):
        yield from rnn(draw, N, T, H)
    for N, T, H in sizes("lstm_window"):
        yield from lstm(draw, N, T, H)
    for N, T, H in sizes("gru_window"):
        yield from gru_after(draw, N, T, H)


def weights(draw, H, gates):
    """Wh (H, gates H) that let a state neither die out nor grow."""
    return draw(H, gates * H) / np.sqrt(draw.dtype.type(H))


def states(draw, N, T, H):
    """(T+1, N, H), the first of them given."""
    return np.concatenate([draw(1, N, H), draw.nan(T, N, H)])


def rnn(draw, N, T, H):
    """Windows of an RNN."""
    Wh = weights(draw, H, 1)
    yield "rnn_window_forward", (draw(T + 1, N, H), Wh, draw.nan(N, H))
    yield (
        "rnn_window_backward",
        (draw.batch_first(T, N, H), np.tanh(draw(T + 1, N, H)), draw.nan(T, N, H), Wh, draw(N, H)),
    )


def lstm(draw, N, T, H):
    """Windows of an LSTM."""
    Wh = weights(draw, H, 4)
    given = draw(T, N, 4 * H), states(draw, N, T, H), states(draw, N, T, H), Wh, draw.nan(N, 4 * H), None
    yield "lstm_window_forward", given
    spoiled = states(draw, N, T, H), states(draw, N, T, H)
    spoiled[0][0, 0, 0], spoiled[1][0, 1, 0] = np.nan, np.inf  # which has to be seen in its row, and in no other
    yield "lstm_window_forward", (given[0], *spoiled, *given[3:])
    gates, cs = draw.gates(T, N, 4 * H), draw(T + 1, N, H)
    yield "lstm_window_backward", (draw(T, N, H), gates, cs, Wh, draw(N, H), draw(N, H), None)


def gru_after(draw, N, T, H):
    """Windows of a GRU whose reset gate comes after the product."""
    Wh, scratch = weights(draw, H, 3), draw.nan(N, 3 * H)
    given = draw(T, N, 3 * H), states(draw, N, T, H), draw.nan(T, N, H), Wh, draw(3 * H), scratch, None
    yield "gru_after_window_forward", given
    kept = draw.gates(T, N, 3 * H), draw(T + 1, N, H), draw(T, N, H)
    given = (draw(T, N, H), *kept, draw.nan(T, N, 3 * H), Wh, draw(N, H), draw.nan(N, H), None)
    yield "gru_after_window_backward", given
