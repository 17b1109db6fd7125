"""The contract of every layer.

Shapes are batch-first, `(N, T, ...)`: N sequences, T time steps, D inputs, H hidden units, V words. Memory is
time-major: layers pass each other `(N, T, ...)` views of contiguous `(T, N, ...)` arrays, so the code shows the shapes
of the book and nothing is copied. `time_major` and `batch_first` are the only two helpers for that.

- `params` and `grads` are lists of arrays, in the same order and of the same shapes. Both are written in place, so
  references to the lists, or to the arrays in them, always see the current values.
- `forward(xs) -> ys` saves what `backward(dys) -> dxs` needs. Each forward allows one backward; a second one raises.
  `backward` overwrites the gradients of the previous backward; it does not add to them.
- `stepper(N)` returns a function that runs one time step of N rows, x (N, ...) to y (N, ...). It reuses its buffers
  from step to step and saves nothing for a backward: text is generated with it word by word.
- Inputs are not modified. A layer's output is valid until its next forward, and what a backward returns or leaves in
  an attribute until the next forward or backward, because buffers are reused: copy what must last longer.
- A layer computes in the dtype of its parameters, and its inputs must have it too. Gradient checks use float64.
- `train_flg` is True while training and False while evaluating, when dropout and regularisation do nothing.
- Recurrent layers have `stateful`, `set_state`, `get_state`, `reset_state`, `h` (an LSTM also `c`), and after a
  backward `dh` (`dc`), the gradient of the window's initial state. Truncated back-propagation through time: a
  `stateful` layer carries its state from window to window, but gradients stop at the window's edge.
- `constants` are arrays that a model saves with its parameters but does not train; most layers have none.
- A layer declares its properties: whether it is `causal`, the `penalty` of its last forward, its `states`, the input
  length that it `takes`, its `output_shape` and its `parts`. Code that uses layers relies only on these. A head
  (`heads/base.py`) is the layer that ends in a loss.
- Layers of feed-forward networks take (N, D); those that do the same at every step take (N, T, D) too (`rows.py`).
- One thread at a time may use a layer, or a model, which enforces it (`OneThread` in `rnnlm/concurrency.py`).
- Layers take arrays of the backend and check their shapes and dtypes. On the host they also check that ids are in the
  vocabulary and lengths within the window (`expected.py`). On a device they check no values, because reading them would
  wait for it: there the model or the trainer checks ids once, before they are moved to the device.
"""

from collections.abc import Callable, Mapping
from typing import Any

from rnnlm.backend import Array, xp
from rnnlm.backend.memory import reused
from rnnlm.checks import Checked, flag
from rnnlm.errors import InputError
from rnnlm.layers.description import described, names_of
from rnnlm.layers.expected import Shape, expect, expect_ids

__all__ = ["Layer", "Shape", "batch_first", "expect", "expect_ids", "time_major"]


def time_major(xs: Array) -> Array:
    """Return an (N, T, ...) array as a contiguous (T, N, ...) one; no copy if its memory already is time-major."""
    return xp.ascontiguousarray(xs.swapaxes(0, 1))


def batch_first(xs: Array) -> Array:
    """Return a view of a (T, N, ...) array as (N, T, ...); never a copy."""
    return xs.swapaxes(0, 1)


class Layer:
    """Base class of layers: parameters, gradients, buffers, and the rule of one backward for one forward.

    The defaults are those of a layer without dropout, penalty and state. Layers that have them override the defaults,
    so code that uses layers need not test for their classes.
    """

    names: tuple[str, ...] = ()  # of the parameters, in the order of `params`; if empty they are W0, W1 and so on
    states: tuple[str, ...] = ()  # of the arrays carried from window to window, the hidden state first
    train_flg = Checked(flag)  # False while evaluating: no dropout, no regularisation
    mask: Any = None  # the DropoutMask of a layer with dropout
    penalty: Any = 0.0  # of the last forward, in nats; its gradient is added to that of the loss
    counted: Any = None  # mask (N, T) of the steps of the next window that count, if it `regularizes`; None for all
    regularizes = False  # whether it penalises its inputs
    takes_lengths = False  # whether forward takes the length of each row of a window
    causal = True  # False where an output depends on inputs of later time steps
    network: int | None = None  # number of the `Sequential` that last ran the layer
    repeatable = False  # whether all windows of a shape launch the same kernels; not inherited, every class sets it
    stepped: tuple[str, ...] = ("forward",)  # methods whose work `stepper` does
    add_to_gradient: bool | None = None  # whether backward adds; None for a layer that can't share its first parameter

    def __init__(self, *params: Array) -> None:
        self.params: list[Array] = list(params)
        self.grads: list[Array] = [xp.zeros(p.shape, p.dtype) for p in params]  # lazily allocated, unlike zeros_like
        self.train_flg = True
        self._buffers: dict[str, Any] = {}
        self._saved: tuple[Any, ...] | None = None

    def __init_subclass__(cls, **options: Any) -> None:
        """If a subclass overrides a method in `stepped` but not `stepper`, give it the general stepper, which calls
        that method."""
        super().__init_subclass__(**options)
        places = [vars(base) for base in cls.__mro__]
        own = min(i for i, names in enumerate(places) if any(name in names for name in cls.stepped))
        if own < next(i for i, names in enumerate(places) if "stepper" in names):
            asking: Any = next(base for base in cls.__mro__ if "stepped" in vars(base))
            cls.stepper = asking.stepper  # type: ignore[method-assign]

    def __repr__(self) -> str:
        return f"<{described(self)}>"

    def parameter_names(self) -> tuple[str, ...]:
        """Return a name for each of `params`: those in `names`, or W0, W1 and so on if it is empty.

        Raises:
            InputError: `names` repeats a name or does not have one for each parameter.
        """
        names = names_of(self)
        if len(set(names)) < len(names) or len(names) != len(self.params):
            raise InputError(
                f"names of {type(self).__name__} must differ and be one for each of its {len(self.params)} params, got "
                f"{', '.join(map(str, names))}: set names = ('W', 'b') in the class, say, or leave it out"
            )
        return names

    def forward(self, *inputs: Any, **options: Any) -> Any:
        """Return the outputs and save what `backward` needs."""
        raise NotImplementedError

    def backward(self, *gradients: Any) -> Any:
        """Return the gradient of the inputs and write those of the parameters to `grads`."""
        raise NotImplementedError

    def stepper(self, _N: int) -> Callable[[Array], Array]:
        """Return a function that runs `forward` for one time step of N rows, x (N, ...) to y (N, ...), and moves the
        state on.

        For evaluation: `train_flg` must be False, a carried state must have N rows, and no backward may follow.
        """

        def step(x: Array) -> Array:
            ys: Array = self.forward(x[:, None])
            self.clear_saved_values()
            return ys[:, 0]

        return step

    @property
    def takes_ids(self) -> Any:
        """Vocabulary size V if the inputs are ids, else 0; a tuple for several inputs."""
        return 0

    @property
    def masks(self) -> tuple[Any, ...]:
        """All `DropoutMask`s of this layer."""
        return () if self.mask is None else (self.mask,)

    @property
    def takes(self) -> int | None:
        """Required length of the last axis of the inputs; None for any."""
        return None

    def output_shape(self, shape: Shape) -> Shape:
        """Return the shape of the outputs for inputs of the given shape, in which letters stand for any length."""
        return shape

    def parts(self) -> Mapping[str, "Layer"]:
        """Return the layers that this one is made of, by name; empty for most, which have parameters of their own."""
        return {}

    def constants(self) -> Mapping[str, Array]:
        """Return the host arrays, by name, that are saved with the parameters but not trained; empty for most."""
        return {}

    def set_constants(self, given: Mapping[str, Any]) -> None:
        """Restore what `constants` returned: arrays of the same names, shapes and dtypes, with any values."""

    def draw(self, seed: int, number: int) -> None:
        """Draw initial weights from the random stream of a seed and this layer's number; most layers do nothing."""

    def reset_state(self) -> None:
        """Begin the next window with zeros."""

    def begin_recording(self, N: int) -> None:
        """Allocate what a window of N rows reads of the previous window, before the window's launches are recorded."""

    def as_found(self, found: Mapping[str, Any]) -> None:
        """Before a replay, copy what the previous window left to where the recorded launches read it: `found` has this
        layer's attributes as they were when the launches were recorded."""

    def get_state(self) -> tuple[Array, ...] | None:
        """Return a copy of the state, to be restored by `set_state(*state)`; None for zeros."""
        return None

    def set_state(self, *state: Array | None) -> None:
        """Begin the next window with copies of these arrays, or with zeros for None; errors as `check_state`."""
        self.check_state(*state)

    def check_state(self, *state: Array | None) -> None:
        """Check arguments for `set_state` without setting the state.

        Raises:
            InputError: a wrong number of arrays, a wrong shape or dtype, or a layer that is not stateful.
        """
        if any(array is not None for array in state):
            raise InputError(f"{type(self).__name__} has no state to set")

    def check_batch(self, N: int) -> None:
        """Check that the carried state, if there is one, has batch size N.

        Raises:
            InputError: it has another one.
        """

    @property
    def dtype(self) -> Any:
        """dtype of the parameters, in which the layer computes."""
        return self.params[0].dtype

    def _buffer(self, name: str, shape: tuple[int, ...], dtype: Any) -> Array:
        """Return an uninitialised array, in the memory of the previous one of this name if possible."""
        return reused(self._buffers, name, shape, dtype, xp.empty)

    def _ones(self, count: int) -> Array:
        """Return ones (1, count): their product with rows (count, H) is the sum of the rows."""
        return reused(self._buffers, "ones", (1, count), self.dtype, xp.ones)

    def save_for_backward(self, *values: Any) -> None:
        """Save what backward needs."""
        self._saved = values

    def saved_values(self) -> Any:
        """Return what forward saved. Call `clear_saved_values` after checking the arguments of backward."""
        if self._saved is None:
            raise InputError(
                f"{type(self).__name__}.backward needs a forward of its own first: one for each backward, and no "
                "evaluation or prediction in between"
            )
        return self._saved

    def clear_saved_values(self) -> None:
        """Forget what forward saved, which serves only one backward."""
        self._saved = None
