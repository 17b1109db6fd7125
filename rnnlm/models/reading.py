"""What makes a chain of layers a predictor: it reads a text word by word, and scores each next word."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import get_ident
from typing import Any

from rnnlm.backend import Array, ops, xp
from rnnlm.concurrency import OneThread
from rnnlm.errors import InputError
from rnnlm.layers.affine import MatMul
from rnnlm.layers.base import Layer
from rnnlm.layers.heads.base import Head
from rnnlm.models.ids import checked_ids

__all__ = ["Reading"]


class Reading:
    """Base class of `Sequential`: a predictor, if its first layer takes word ids and its head scores words."""

    layers: Mapping[str, Layer]
    head: Head | None
    mask_zero: bool
    one_thread: OneThread
    forward: Callable[..., Any]
    loss: Callable[..., Array]
    inputs: Callable[..., Any]
    expect_head: Callable[[], Head]
    _chain: Sequence[Layer]
    _leaves: Mapping[str, Layer]
    _all: Mapping[str, Layer]
    _forward_by: int
    _steps: tuple[int, list[Callable[[Array], Array]]] | None  # number of rows, and their steppers
    _watched: list[Array] | None

    @property
    def vocab_size(self) -> int | None:
        """V of a network that reads a text as word ids and predicts each next word, a predictor; None of others.

        Raises:
            InputError: a layer sees later words, or forgets what it has read.
        """
        words = next(iter(self.layers.values())).takes_ids
        if self.head is None or not self.head.scores_words:
            return None
        if self.mask_zero or not words or isinstance(words, tuple):
            return None
        for name, layer in self._all.items():
            if not layer.causal:
                raise InputError(f"{name} must not be bidirectional: it would see the words that are to be predicted")
            if not getattr(layer, "stateful", True):
                raise InputError(f"{name} must be stateful for a text, which is read window by window or word by word")
        return int(words)

    def losses(self, xs: Any, ts: Any, keep: bool = False) -> Array:
        """Return the loss of each target in nats, (N, T) float64, 0 where it is -1, without dropout.

        Args:
            xs, ts: word ids (N, T), of a network that has a `vocab_size`.
            keep: True if a backward of their mean will follow.
        """
        V, head = self.vocab_size, self.expect_head()
        if V is None:
            raise InputError("losses of a text need a network whose first layer takes word ids, and a head")
        with self.one_thread, head.scoring_all():
            self.loss(checked_ids("xs", xs, V), checked_ids("ts", ts, V, -1), train_flg=False, keep=keep)
            return head.nats.copy()

    def next_scores(self, xs: Any) -> Array:
        """Return the head's scores (N, V) after the last input; the caller may overwrite them until the next call."""
        with self.one_thread, ops.one_blas_thread:
            head = self.expect_head()
            xs = xs if isinstance(xs, (xp.ndarray, tuple)) else self.inputs("xs", xs)
            if self.mask_zero or isinstance(xs, tuple) or xs.ndim < 2 or xs.shape[1] != 1:
                return head.next_scores(self.forward(xs, train_flg=False)[:, -1])
            N, self._forward_by = len(xs), get_ident()
            for layer in self._all.values():
                vars(layer)["train_flg"] = False
            for layer in self._leaves.values():
                layer.check_batch(N)
            if self._steps is None or self._steps[0] != N:
                self._steps = N, [_step_of(layer, N) for layer in (*self._chain, head)]
            x = xs[:, 0]
            for layer, step in zip((*self._chain, head), self._steps[1]):
                self.watch(layer, x, single=True)
                x = step(x)
            return x

    @contextmanager
    def watched(self) -> Iterator[list[Array]]:
        """Within this context each forward appends a copy of its hidden states (N, T, H) to the list: of what goes into
        the head or, if the head has no weights, into an affine layer right below it."""
        self._watched = []
        try:
            yield self._watched
        finally:
            self._watched = None

    def watch(self, layer: Layer, xs: Any, single: bool = False) -> None:
        """Append a copy of a layer's inputs to the list of `watched`, if they are hidden states and it is open.

        Args:
            single: whether they are those of a single time step, (N, H).
        """
        if self._watched is not None:
            last = self._chain[-1]
            scoring = last if isinstance(last, MatMul) and not self.expect_head().params else self.head
            if layer is scoring:
                self._watched.append((xs[:, None] if single else xs).copy())


def _step_of(layer: Layer, N: int) -> Callable[[Array], Array]:
    """Return a layer's stepper; if methods of this instance were replaced, one that calls them."""
    if not vars(layer).keys() & {*layer.stepped}:
        return layer.stepper(N)
    return Head.stepper(layer, N) if isinstance(layer, Head) else Layer.stepper(layer, N)
