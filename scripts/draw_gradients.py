"""Vanishing and exploding gradients: how large the gradient is that goes back through an RNN and an LSTM.

    python scripts/draw_gradients.py
    python scripts/draw_gradients.py --out gradients.png --steps 100 --hidden-size 200

A gradient of norm 1 is given to the last hidden state and followed back in time, in layers with random weights, driven
by random inputs. An RNN multiplies it by Wh at each step: it explodes or vanishes with the size of Wh. An LSTM carries
it along its cell state, where it is multiplied by the forget gate alone, which a bias can hold open.
"""

import sys
from math import sqrt
from pathlib import Path

import numpy as np
import tyro

from rnnlm import LSTM, RNN
from rnnlm.backend import Array, ops, xp
from rnnlm.checks import whole_number
from rnnlm.cli import process
from rnnlm.drawing import expect_picture_name
from rnnlm.plotting import save_norms

N = 20


def main(out: Path = Path("gradients.png"), steps: int = 50, hidden_size: int = 100, seed: int = 0) -> None:
    """Draw the norm of the gradient of the state against time, for RNNs and LSTMs with random weights.

    Args:
        out: the picture; its ending says in which format.
        steps: time steps to go back.
        hidden_size: hidden units, and inputs.
        seed: of weights and inputs.
    """
    expect_picture_name(out)
    whole_number("steps", steps, 1)
    whole_number("hidden_size", hidden_size, 1)
    norms = {
        f"RNN, Wh of spectral radius {radius}": rnn(steps, hidden_size, seed, radius) for radius in (0.5, 1.0, 2.0)
    }
    norms |= {f"LSTM, forget bias {bias}": lstm(steps, hidden_size, seed, bias) for bias in (0, 1, 3)}
    save_norms(out, norms, f"H = {hidden_size}, random weights; of an LSTM h and c together")
    for name, values in norms.items():
        print(f"{name:28s} after {steps} steps {values[-1]:.1e}")
    print(out)


def rnn(steps: int, H: int, seed: int, radius: float) -> list[float]:
    """Norms of dh, the last step first. The inputs are small, so that tanh squashes little."""
    rng = np.random.default_rng(seed)
    Wh = rng.standard_normal((H, H))
    Wh *= radius / np.abs(np.linalg.eigvals(Wh)).max()
    cell = RNN(draw(rng, H, H, scale=0.01 / sqrt(H)), ops.asarray(Wh), xp.zeros(H))
    h, seen = xp.zeros((N, H)), []
    for _ in range(steps):
        x = draw(rng, N, H)
        seen.append((x, h))
        h = cell.forward(x, h)
    dh = draw(rng, N, H)
    dh /= norm(dh)
    norms = [norm(dh)]
    for x, h in reversed(seen):
        cell.forward(x, h)
        _, dh = cell.backward(dh)
        norms.append(norm(dh))
    return norms


def lstm(steps: int, H: int, seed: int, forget_bias: float) -> list[float]:
    """Norms of (dh, dc), the last step first."""
    rng = np.random.default_rng(seed)
    b = xp.zeros(4 * H)
    b[:H] = forget_bias
    cell = LSTM(draw(rng, H, 4 * H, scale=1 / sqrt(H)), draw(rng, H, 4 * H, scale=1 / sqrt(H)), b)
    h, c, seen = xp.zeros((N, H)), xp.zeros((N, H)), []
    for _ in range(steps):
        x = draw(rng, N, H)
        seen.append((x, h, c))
        h, c = cell.forward(x, h, c)
    dh, dc = draw(rng, N, H), xp.zeros((N, H))
    dh /= norm(dh)
    norms = [norm(dh, dc)]
    for x, h, c in reversed(seen):
        cell.forward(x, h, c)
        _, dh, dc = cell.backward(dh, dc)
        norms.append(norm(dh, dc))
    return norms


def draw(rng: np.random.Generator, *shape: int, scale: float = 1.0) -> Array:
    """Normal, on the backend."""
    return ops.asarray(scale * rng.standard_normal(shape))


def norm(*arrays: Array) -> float:
    """Norm of all entries together."""
    return float(sum((a * a).sum() for a in arrays)) ** 0.5


if __name__ == "__main__":
    sys.exit(process.handled(lambda: tyro.cli(main)))
