"""The vectors of the last n words at every time step: the input of a feed-forward language model."""

from rnnlm.backend import Array, xp
from rnnlm.checks import Checked, flag, size
from rnnlm.errors import InputError
from rnnlm.layers.base import Shape, batch_first, expect, expect_ids, time_major
from rnnlm.layers.embedding import Embedding

__all__ = ["TimeContextEmbedding"]


class TimeContextEmbedding(Embedding):
    """Vectors of the last n words at every time step, concatenated, the oldest first.  ids (N, T) -> (N, T, n D)

        y_t = [E[w_{t-n+1}], ..., E[w_t]]        or their mean: y_t = 1/n sum of E[w_{t-n+1}] ... E[w_t]

    Positions before the first word have zero vectors. The state is the last n - 1 ids, so a window's contexts reach
    back into the previous window, and `backward` includes the gradients of those words. The gradient is therefore
    independent of where windows are cut.

    Args:
        W: (V, D) word vectors.
        context: n, at least 1.
        mean: True for the mean (N, T, D) of the n vectors instead.

    Attributes:
        ids: (N, k) the last words, k = n - 1, or fewer at the beginning of the text; None for none.
    """

    states = ("ids",)
    mean = Checked(flag)

    def __init__(self, W: Array, context: int, mean: bool = False) -> None:
        super().__init__(W)
        self.context, self.mean = size("context", context), mean
        self.ids: Array | None = None

    def output_shape(self, shape: Shape) -> Shape:
        """(N, T, n D), or (N, T, D) for a mean."""
        D = self.params[0].shape[1]
        return *shape, D if self.mean else self.context * D

    def forward(self, ids: Array) -> Array:
        """Return the vectors (N, T, n D) or (N, T, D) of the last n words at each of `ids` (N, T), each in [0, V)."""
        (W,) = self.params
        expect_ids("ids", ids, ("N", "T"), len(W))
        self.check_batch(len(ids))
        n, (N, T), D = self.context, ids.shape, W.shape[1]
        known = 0 if self.ids is None else self.ids.shape[1]
        rows = self._buffer("ids", (known + T, N), xp.int32)
        if self.ids is not None:
            rows[:known] = self.ids.T
        rows[known:] = time_major(ids)
        vectors = self._buffer("vectors", (n - 1 + T, N, D), self.dtype)
        missing = n - 1 - known  # positions before the first word
        vectors[:missing] = 0
        xp.take(W, rows.reshape(-1), axis=0, out=vectors[missing:].reshape(-1, D))
        self.ids = rows[max(0, known + T - (n - 1)) :].T.copy() if n > 1 else None
        self.save_for_backward(rows.reshape(-1), missing, (N, T))
        ys = self._buffer("ys", (T, N, 1 if self.mean else n, D), self.dtype)
        if self.mean:
            vectors_of = vectors[:, :, None]
            ys[...] = vectors_of[:T]
            for j in range(1, n):
                ys += vectors_of[j : j + T]
            ys *= 1 / n
        else:
            for j in range(n):
                ys[:, :, j] = vectors[j : j + T]
        return batch_first(ys.reshape(T, N, -1))

    def backward(self, dys: Array) -> None:
        """Write the gradient of W to `grads`. Ids have none, so nothing is returned."""
        rows, missing, (N, T) = self.saved_values()
        n, D = self.context, self.params[0].shape[1]
        columns = 1 if self.mean else n
        expect("dys", dys, (N, T, columns * D), self.dtype)
        self.clear_saved_values()
        dy = time_major(dys).reshape(T, N, columns, D)
        dvectors = self._buffer("dvectors", (n - 1 + T, N, D), self.dtype)
        dvectors[...] = 0
        for j in range(n):
            dvectors[j : j + T] += dy[:, :, 0 if self.mean else j]
        if self.mean:
            dvectors *= 1 / n
        self._leave(rows, dvectors[missing:].reshape(-1, D))

    # ------------------------------------------------------------------ state

    def check_state(self, *state: Array | None) -> None:
        """Check the argument of `set_state`: ids (N, k), at most n - 1 of each text, or None."""
        if len(state) > 1:
            raise InputError(f"a state of {type(self).__name__} is ids, got {len(state)} arrays")
        for ids in state:
            if ids is not None:
                expect_ids("ids, the last words,", ids, ("N", "k"), self.takes_ids)
                if ids.shape[1] >= self.context:
                    raise InputError(
                        f"ids, the last words, must be fewer than context {self.context} of a text, got {ids.shape}"
                    )

    def set_state(self, *state: Array | None) -> None:
        """Begin the next window after these words, or after none; errors as `check_state`."""
        self.check_state(*state)
        self.ids = None if not state or state[0] is None else state[0].copy()

    def get_state(self) -> tuple[Array, ...] | None:
        """Return a copy of the last words, to be restored by `set_state(*state)`; None for none."""
        return None if self.ids is None else (self.ids.copy(),)

    def reset_state(self) -> None:
        """Begin the next window with no words before it."""
        self.ids = None

    def check_batch(self, N: int) -> None:
        """Check that the last words, if there are any, are those of N texts; else raise InputError."""
        if self.ids is not None and len(self.ids) != N:
            raise InputError(
                f"ids, the last words, must be those of {N} texts, got {len(self.ids)}: reset_state() first"
            )
