"""Dropout: sets random entries to zero while training, does nothing while evaluating."""

from collections.abc import Callable

from rnnlm.backend import Array, accelerated, ops, xp
from rnnlm.backend.memory import reused
from rnnlm.checks import Checked, flag, share
from rnnlm.layers.base import Layer, expect
from rnnlm.layers.rows import from_rows, to_rows
from rnnlm.randomness import fresh_seed, key_of, philox

__all__ = ["Dropout", "DropoutMask", "TimeDropout", "draw_mask"]

LANES = 1 << 16  # values of a 16-bit lane: a random word of 64 bits makes four entries of a mask


@accelerated
def draw_mask(key: tuple[int, int], step: int, threshold: int, kept: float, mask: Array) -> None:
    """Overwrite a contiguous mask with 0 where a lane of Philox4x64-10(key, counter=[0, 0, step, 0]) is below
    `threshold`, else with `kept`. A lane is 16 bits, the lowest of a word first.
    """
    words = philox(key, step).random_raw(-(-mask.size // 4))
    lanes = ops.asarray(words.astype("<u8", copy=False).view("<u2")[: mask.size].reshape(mask.shape))
    xp.multiply(lanes >= threshold, mask.dtype.type(kept), out=mask)


class DropoutMask:
    """Draws masks that are 0 with probability `dropout_ratio`, else 1 / (1 - dropout_ratio).

    Kept entries are scaled up ("inverted" dropout), so that the expected value is unchanged and evaluation needs no
    scaling. Mask number `step` is a pure function of the seed, the layer and the step: 16-bit lanes of
    Philox4x64-10(key=[seed, 2^62 + layer], counter=[0, 0, step, 0]), one for each entry in memory order, dropped where
    below round(65536 dropout_ratio). Bits are equal on every backend and machine, and only the step has to be saved.

    Source: Srivastava et al., Dropout: a simple way to prevent neural networks from overfitting, JMLR 15 (2014).

    Args:
        dropout_ratio: expected share of zeros, in [0, 1).
        name: of the ratio in error messages.

    Attributes:
        step: number of the next mask; each draw increments it.
    """

    def __init__(self, dropout_ratio: float, name: str = "dropout_ratio") -> None:
        self.name, self.dropout_ratio = name, dropout_ratio
        self.step = 0
        self._memory: dict[str, Array] = {}
        self.seed(fresh_seed(), 0)

    @property
    def dropout_ratio(self) -> float:
        """Share of zeros."""
        return self._ratio

    @dropout_ratio.setter
    def dropout_ratio(self, ratio: float) -> None:
        self._ratio = share(self.name, ratio)
        self.threshold = min(round(self._ratio * LANES), LANES - 1)

    def seed(self, seed: int, layer: int) -> None:
        """Use the random stream of this seed and layer from now on; until this is called the seed is a fresh one."""
        self._key = key_of(seed, "dropout", layer)

    def draw(self, shape: tuple[int, ...], dtype: object) -> Array | None:
        """Return the next mask, valid until the one after it is drawn; None if the ratio rounds to 0 of 65,536."""
        if not self.threshold:
            return None
        mask = reused(self._memory, "mask", shape, dtype, xp.empty)
        draw_mask(self._key, self.step, self.threshold, LANES / (LANES - self.threshold), mask)
        self.step += 1
        return mask


class Dropout(Layer):
    """Set random entries to zero while `train_flg` is True.  (N, D) -> (N, D), or (N, T, D) -> (N, T, D)

        y = x m        dx = dy m        m = 0 with probability p, else 1 / (1 - p)

    Args:
        dropout_ratio: p, in [0, 1).

    Attributes:
        train_flg: True to drop entries, False to return the inputs unchanged.
    """

    repeatable = True

    def __init__(self, dropout_ratio: float = 0.5) -> None:
        super().__init__()
        self.mask = DropoutMask(dropout_ratio)

    def forward(self, xs: Array) -> Array:
        """Return the inputs times a new mask while training, else the inputs themselves."""
        x, like = to_rows("xs", xs), xs.shape[:-1]
        mask = self._draw(x, like) if self.train_flg else None
        self.save_for_backward(x.shape, x.dtype, like, mask)
        if mask is None:
            return xs
        return from_rows(self._masked(x, mask, "ys"), like)

    def stepper(self, _N: int) -> Callable[[Array], Array]:
        """As `Layer.stepper`; the function returns its inputs, as evaluation drops nothing."""

        def step(x: Array) -> Array:
            self.clear_saved_values()
            return x

        return step

    def backward(self, dys: Array) -> Array:
        """Return the gradient of the inputs, in their shape."""
        shape, dtype, like, mask = self.saved_values()
        dy = to_rows("dys", dys, shape[1], dtype, like)
        self.clear_saved_values()
        return dys if mask is None else from_rows(self._masked(dy, mask, "dxs"), like)

    def _draw(self, x: Array, _like: tuple[int, ...]) -> Array | None:
        """Return a mask for the rows (M, D), or for a number of rows after which the mask repeats."""
        return self.mask.draw(x.shape, x.dtype)

    def _masked(self, x: Array, mask: Array, name: str) -> Array:
        """Return x times the mask, which is repeated if it has fewer rows."""
        out = self._buffer(name, x.shape, x.dtype)
        blocks = (-1, *mask.shape)
        xp.multiply(x.reshape(blocks), mask, out=out.reshape(blocks))
        return out


class TimeDropout(Dropout):
    """Dropout of windows.  (N, T, D) -> (N, T, D). Equations are those of `Dropout`.

    Args:
        dropout_ratio: p, in [0, 1).
        variational: True for one mask (N, D) for all time steps of a window, instead of one for each step. Source: Gal
            and Ghahramani, A theoretically grounded application of dropout in recurrent neural networks, NIPS 2016.
    """

    repeatable = True
    variational = Checked(flag)

    def __init__(self, dropout_ratio: float = 0.5, variational: bool = False) -> None:
        super().__init__(dropout_ratio)
        self.variational = variational

    def forward(self, xs: Array) -> Array:
        """Return the inputs (N, T, D) times a new mask while training, else the inputs themselves."""
        expect("xs", xs, ("N", "T", "D"))
        return super().forward(xs)

    stepper = Dropout.stepper

    def _draw(self, x: Array, like: tuple[int, ...]) -> Array | None:
        return self.mask.draw((like[0], x.shape[1]) if self.variational else x.shape, x.dtype)
