"""A training step without the update: forward, back, and the norm of the gradient."""

from collections.abc import Callable
from typing import Any

import numpy as np

from rnnlm.backend import Array, memory, ops, xp
from rnnlm.layers.base import Layer
from rnnlm.models.sequential import Sequential
from rnnlm.models.stacked import Stacked
from rnnlm.optim.clipping import norm_and_factor
from rnnlm.training.foreign import ForeignModel

__all__ = ["Steps"]

USUAL = 2  # calls with a shape before it is recorded: by then its kernels are compiled and its buffers allocated
MOST = 64  # recordings at most: windows of random lengths have about thirty shapes
PLAIN = (bool, int, float, str, tuple, type(None))  # types of settings that `holds` compares
VARY = {"train_flg", "penalty", "counted", "_saved"}  # attributes that each forward and backward set

Result = tuple[Array, Array, Array]
Compute = Callable[[Any, Any, float], Result]


class Steps:
    """Compute the loss of a window, the norm of its gradient and the factor that clips it, as backend arrays.

    On a GPU small kernels cost more to launch than to run. The launches of a window shape that comes often are recorded
    once (`ops.Recorder`) and replayed afterwards: the same kernels on the same memory, with the same bits.

    Args:
        model: to be trained.

    Attributes:
        trouble: why nothing is recorded, as text; None if recording is possible.
    """

    def __init__(self, model: Stacked | ForeignModel) -> None:
        self.model = model
        self.trouble = None if ops.RECORDS and model.repeatable else "not all windows of a shape launch the same here"
        self._recorder: Any = None
        self._forget()

    def __getstate__(self) -> dict[str, Any]:
        """Leave recordings out: a copy makes its own."""
        return {"model": self.model, "trouble": self.trouble}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._recorder = None
        self._forget()

    def __call__(self, xs: Any, ts: Any, max_grad: float) -> Result:
        """Run forward and backward. The arrays returned are overwritten by the next call.

        Args:
            xs, ts: inputs and targets of a window.
            max_grad: the norm above which the gradient is clipped.
        """
        recording = None if self.trouble else self._recording(xs, ts, max_grad)
        return self._compute(xs, ts, max_grad) if recording is None else recording.replay(xs, ts)

    def _compute(self, xs: Any, ts: Any, max_grad: float) -> Result:
        loss = self.model.forward(xs, ts)
        self.model.backward()
        norm, factor = norm_and_factor(self.model.gradients(), max_grad)
        return loss, norm, factor

    def _forget(self) -> None:
        """Drop all recordings."""
        self._seen: dict[Any, int] = {}
        self._recordings: dict[Any, _Recording] = {}
        self._place: Any = None

    def _recording(self, xs: Any, ts: Any, max_grad: float) -> "_Recording | None":
        """Return the recording for this shape of window, made now if it is due; None to run without one."""
        stack = self.model.stack
        if stack is None or not _ids_alone(xs, ts) or (stack.regularizers and isinstance(ts, np.ndarray)):
            return None
        if self._place != (place := (memory.made(), id(stack.flat_params))):  # buffers were made or replaced
            if self._recordings:
                self._forget()
            self._place = place
        kind = xs.shape, max_grad
        found = self._recordings.get(kind)
        if found is not None and found.holds():
            return found
        self._recordings.pop(kind, None)
        self._seen[kind] = self._seen.get(kind, 0) + 1
        if self._seen[kind] <= USUAL or len(self._recordings) >= MOST:
            return None
        return self._record(stack, kind)

    def _record(self, stack: Sequential, kind: tuple[tuple[int, int], float]) -> "_Recording | None":
        try:
            self._recorder = self._recorder or ops.Recorder()
            made = _Recording(self._recorder, stack, self._compute, *kind)
        except Exception as error:  # an error of the model itself comes again when it runs unrecorded
            self.trouble = f"{type(error).__name__}: {error}"
            return None
        self._recordings[kind] = made
        self._place = memory.made(), id(stack.flat_params)
        return made


def _ids_alone(xs: Any, ts: Any) -> bool:
    """Whether a window is two int32 arrays (N, T) in time-major memory: ids that were checked when they were read."""
    kinds = (getattr(a, "dtype", None) == np.int32 and a.ndim == 2 and a.T.flags.c_contiguous for a in (xs, ts))
    return all(kinds)


class _Recording:
    """The recorded launches of a window of one shape, and the layers' attributes before and after it."""

    def __init__(
        self, recorder: Any, stack: Sequential, compute: Compute, shape: tuple[int, int], max_grad: float
    ) -> None:
        self.stack, self.first, self.rows = stack, stack.train_steps, shape[0]
        layers = stack.all_layers()
        for layer in layers:
            layer.begin_recording(shape[0])
        self.found = [(layer, dict(vars(layer))) for layer in layers]
        self.settings = [setting for layer in layers for setting in _settings(layer)]
        window = xp.empty(shape[::-1], np.int32)
        try:
            self.graph = recorder.record(lambda xs, ts: compute(xs.T, ts.T, max_grad), window, window)
            self.left = [(layer, dict(vars(layer))) for layer in layers]
        finally:  # recording launches nothing, so attributes go back
            for layer, found in self.found:
                vars(layer).update(found)
            stack.train_steps = self.first

    def holds(self) -> bool:
        """Whether the layers' settings are those recorded."""
        return all(values.get(name) is value for values, name, value in self.settings)

    def replay(self, xs: Array, ts: Array) -> Result:
        """Run the recorded window, with the effects on the layers of a call of the model."""
        with self.stack.one_thread:
            for layer, _ in self.found:
                layer.check_batch(self.rows)
            for layer, found in self.found:
                layer.as_found(found)
            self.graph.replay((xs.T, ts.T), self.stack.train_steps - self.first)
            for layer, left in self.left:
                vars(layer).update(left)
            self.stack.train_steps += 1
        result: Result = self.graph.result
        return result


def _settings(layer: Layer) -> list[tuple[dict[str, Any], str, Any]]:
    """Return the plain attributes of a layer and of its masks as (dictionary, name, value)."""
    own = [(vars(layer), name) for name in vars(layer) if name not in VARY]
    masks = [(vars(mask), name) for mask in layer.masks for name in vars(mask) if name != "step"]
    return [(values, name, values[name]) for values, name in [*own, *masks] if isinstance(values[name], PLAIN)]
