"""What a training does with each window but for the update: forward, back, and the norm of the gradient."""

from typing import Any

import numpy as np

from rnnlm.backend import Array, memory, ops, xp
from rnnlm.models.sequential import Sequential
from rnnlm.models.stacked import Stacked
from rnnlm.optim.clipping import norm_and_factor
from rnnlm.training.foreign import ForeignModel

__all__ = ["Steps"]

USUAL = 2  # windows of a shape before one is recorded: by then kernels are compiled and buffers are there
MOST = 64  # recordings: windows of random lengths have some thirty shapes

Result = tuple[Array, Array, Array]


class Steps:
    """Loss of a window, norm of its gradient, and the factor that clips it, as arrays of the backend.

    On a GPU, where small kernels take less than it costs to launch them, what a window of a usual shape launches is
    recorded once (`ops.record`) and replayed for the next ones: the same kernels on the same memory, so the same bits.

    Args:
        model: to be trained.
        max_grad: clip the gradient's global norm at this.
    """

    def __init__(self, model: Stacked | ForeignModel, max_grad: float) -> None:
        self.model, self.max_grad = model, max_grad
        self._records = ops.RECORDS and model.repeatable
        self._seen: dict[tuple[int, ...], int] = {}
        self._recordings: dict[tuple[int, ...], _Recording] = {}

    def __call__(self, xs: Any, ts: Any) -> Result:
        """Forward and back. What the arrays hold is overwritten by the next call."""
        recording = self._recording(xs, ts) if self._records else None
        return self._compute(xs, ts) if recording is None else recording.replay(xs, ts)

    def _compute(self, xs: Any, ts: Any) -> Result:
        loss = self.model.forward(xs, ts)
        self.model.backward()
        norm, factor = norm_and_factor(self.model.gradients(), self.max_grad)
        return loss, norm, factor

    def _recording(self, xs: Any, ts: Any) -> "_Recording | None":
        """One for a window like this, made now where it is time for that, or None."""
        stack = self.model.stack
        if stack is None or not _ids_alone(xs, ts) or (stack.regularizers and isinstance(ts, np.ndarray)):
            return None
        found = self._recordings.get(xs.shape)
        if found is not None and found.holds():
            return found
        seen = self._seen[xs.shape] = 1 if self._recordings.pop(xs.shape, None) else self._seen.get(xs.shape, 0) + 1
        if seen <= USUAL or len(self._recordings) >= MOST:
            return None
        made = _Recording(stack, lambda xs, ts: self._compute(xs.T, ts.T), xs.shape)
        self._records = made.launches is not None
        if self._records:
            self._recordings[xs.shape] = made
        return made if self._records else None


def _ids_alone(xs: Any, ts: Any) -> bool:
    """Whether a window is ids (N, T) int32 in time-major memory, as those are that were checked when they were read."""
    kinds = (getattr(a, "dtype", None) == np.int32 and a.ndim == 2 and a.T.flags.c_contiguous for a in (xs, ts))
    return all(kinds)


class _Recording:
    """The launches of a window of one shape, and what they find and leave on the host's side."""

    def __init__(self, stack: Sequential, compute: Any, shape: tuple[int, int]) -> None:
        self.stack, self.first, self.weights = stack, stack.train_steps, stack.flat_params
        layers = stack.all_leaves()
        for layer in layers:
            layer.begin_recording(shape[0])
        self.found = [(layer, dict(vars(layer))) for layer in layers]
        window = xp.empty(shape[::-1], np.int32)
        self.launches = ops.record(compute, window, window)
        self.left = [
            (layer, {name: value for name, value in vars(layer).items() if value is not found.get(name)})
            for layer, found in self.found
        ]
        for layer, found in self.found:
            vars(layer).update(found)
        stack.train_steps = self.first
        self.made = memory.made()

    def holds(self) -> bool:
        """Whether all memory that the launches use is still in use."""
        return self.made == memory.made() and self.stack.flat_params is self.weights

    def replay(self, xs: Array, ts: Array) -> Result:
        """As if the model had been called."""
        for layer, found in self.found:
            layer.as_found(found)
        self.launches.replay((xs.T, ts.T), self.stack.train_steps - self.first)
        for layer, left in self.left:
            vars(layer).update(left)
        self.stack.train_steps += 1
        result: Result = self.launches.result
        return result
