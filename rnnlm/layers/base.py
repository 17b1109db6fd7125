"""What every layer promises.

Shapes are batch-first, `(N, T, ...)`: N sequences, T time steps, D inputs, H hidden units, V words. Memory is
time-major: layers hand each other `(N, T, ...)` views of contiguous `(T, N, ...)` arrays, so the reader sees the shapes
of the book and no copy is made. `time_major` and `batch_first` are the only two helpers for that.

- `params` and `grads` are lists of arrays, in the same order and of the same shapes, written in place: whoever holds
  the lists, or the arrays in them, keeps seeing the current values.
- `forward(xs) -> ys` keeps what `backward(dys) -> dxs` needs. One backward for one forward; a second one raises.
  `backward` overwrites the gradients of the backward before, it does not add to them.
- `stepper(N)` is a function for one time step after another of N rows, x (N, ...) to y (N, ...), which finds what it
  needs laid out and keeps nothing for a backward: how words are written one by one.
- Inputs are left untouched. A layer's output lives until its next forward, what a backward returns or leaves in an
  attribute until the next backward, because buffers are used again: copy what must last longer.
- A layer's dtype is that of its parameters, and its inputs must have it too. float64 layers are what gradient checks
  are run on.
- `train_flg` is True while training and False while evaluating, when dropout and regularisation do nothing.
- Recurrent layers have `stateful`, `set_state`, `get_state`, `reset_state`, `h` (an LSTM also `c`), and after a
  backward `dh` (`dc`), the gradient of the state that the window began with. Truncated back-propagation through time:
  with `stateful` the state goes forward from window to window, the gradient stops at the window's edge.
- `constants` are arrays that a model writes down with its parameters and no training changes; most layers have none.
- A layer declares what it is: whether it is `causal`, what `penalty` its last forward asks for, its `states`, the
  length of inputs that it `takes` and its `output_shape`, the `parts` it is made of. Whoever uses layers asks nothing
  else of them. A head (`heads/base.py`) is the layer that ends in a loss.
- Layers of a network without time take (N, D); those that do the same at every step take (N, T, D) too (`rows.py`).
- A layer is used by one thread at a time, and so is a model, which sees to it (`OneThread` in `rnnlm/concurrency.py`).
- Layers take arrays of the backend and check their shapes and dtypes, and on the host that ids are words of the
  vocabulary and lengths are lengths (`expected.py`). On a device nothing is looked at that the device would have to be
  waited for: there ids are checked once, where they come in, by the model or the trainer.
"""

from collections.abc import Callable, Mapping
from typing import Any

from rnnlm.backend import Array, xp
from rnnlm.backend.memory import reused
from rnnlm.checks import Checked, flag
from rnnlm.errors import InputError
from rnnlm.layers.described import described, names_of
from rnnlm.layers.expected import Shape, expect, expect_ids

__all__ = ["Layer", "Shape", "batch_first", "expect", "expect_ids", "time_major"]


def time_major(xs: Array) -> Array:
    """An (N, T, ...) array as a contiguous (T, N, ...) one; free when its memory already is time-major."""
    return xp.ascontiguousarray(xs.swapaxes(0, 1))


def batch_first(xs: Array) -> Array:
    """A (T, N, ...) array seen as (N, T, ...): a view, never a copy."""
    return xs.swapaxes(0, 1)


class Layer:
    """Parameters, gradients, buffers, and the rule of one backward for one forward.

    What is declared here holds for a layer that drops nothing, asks for nothing and remembers nothing; those that do
    override it, and whoever uses layers asks none of them what it is.
    """

    names: tuple[str, ...] = ()  # of the parameters, in the order of `params`; W0, W1 and so on for those without
    states: tuple[str, ...] = ()  # of the arrays that go on from window to window, the hidden state first
    train_flg = Checked(flag)  # False while evaluating: nothing is dropped, nothing is regularised
    mask: Any = None  # a DropoutMask, in a layer that drops
    penalty: Any = 0.0  # nats that the last forward asks for beside the loss
    counted: Any = None  # which steps of the next window (N, T) count, where it `regularizes`; None for all
    regularizes = False  # whether it asks for a penalty on what it is given
    takes_lengths = False  # whether forward can be told how long each row of a window is
    causal = True  # False where an output depends on inputs of later time steps
    repeatable = False  # whether it launches the same for all windows of a shape; a subclass has to say so anew
    stepped: tuple[str, ...] = ("forward",)  # methods whose work a stepper does
    add_to_gradient: bool | None = None  # whether backward adds; None for a layer that can't share its first parameter

    def __init__(self, *params: Array) -> None:
        self.params: list[Array] = list(params)
        self.grads: list[Array] = [xp.zeros(p.shape, p.dtype) for p in params]  # untouched memory, unlike zeros_like
        self.train_flg = True
        self._buffers: dict[Any, Array] = {}
        self._saved: tuple[Any, ...] | None = None

    def __init_subclass__(cls, **options: Any) -> None:
        """Where a class has a method of those in `stepped` that its stepper was not made for, the stepper asks it."""
        super().__init_subclass__(**options)
        places = [vars(base) for base in cls.__mro__]
        own = min(i for i, names in enumerate(places) if any(name in names for name in cls.stepped))
        if own < next(i for i, names in enumerate(places) if "stepper" in names):
            asking: Any = next(base for base in cls.__mro__ if "stepped" in vars(base))
            cls.stepper = asking.stepper  # type: ignore[method-assign]

    def __repr__(self) -> str:
        return f"<{described(self)}>"

    def parameter_names(self) -> tuple[str, ...]:
        """A name for each of `params`: those of `names`, or W0, W1 and so on where there are none.

        Raises:
            InputError: another number of names than of parameters, or one that is there twice.
        """
        names = names_of(self)
        if len(set(names)) < len(names) or len(names) != len(self.params):
            raise InputError(
                f"names of {type(self).__name__} must differ and be one for each of its {len(self.params)} params, got "
                f"{', '.join(map(str, names))}: set names = ('W', 'b') in the class, say, or leave it out"
            )
        return names

    def forward(self, *inputs: Any, **options: Any) -> Any:
        """The outputs; what `backward` needs is kept."""
        raise NotImplementedError

    def backward(self, *gradients: Any) -> Any:
        """The gradient of the inputs; those of the parameters are left in `grads`."""
        raise NotImplementedError

    def stepper(self, _N: int) -> Callable[[Array], Array]:
        """A function for N rows: what `forward` gives for one time step, x (N, ...) to y (N, ...), from state to state.

        For evaluating: `train_flg` is off, the state is one of N rows, and no backward may follow.
        """

        def step(x: Array) -> Array:
            ys: Array = self.forward(x[:, None])
            self._done()
            return ys[:, 0]

        return step

    @property
    def takes_ids(self) -> Any:
        """How many words there are ids of, where inputs are ids, else 0; of several inputs a tuple."""
        return 0

    @property
    def masks(self) -> tuple[Any, ...]:
        """All `DropoutMask`s of this layer."""
        return () if self.mask is None else (self.mask,)

    @property
    def takes(self) -> int | None:
        """The length that the last axis of the inputs must have; None for any."""
        return None

    def output_shape(self, shape: Shape) -> Shape:
        """The shape of the outputs for inputs of a shape; letters in it stand for any length."""
        return shape

    def parts(self) -> Mapping[str, "Layer"]:
        """The layers that this one is made of, by name; none for most, which have parameters of their own."""
        return {}

    def constants(self) -> Mapping[str, Array]:
        """Arrays by name, on the host, that are written down with the parameters and not trained; none for most."""
        return {}

    def set_constants(self, given: Mapping[str, Any]) -> None:
        """Take over what `constants` gave: arrays of these names, shapes and dtypes, whatever is in them."""

    def draw(self, seed: int, number: int) -> None:
        """Draw initial weights from the stream of a seed and of this layer's number; most are given theirs."""

    def reset_state(self) -> None:
        """Begin the next window with zeros."""

    def begin_recording(self, N: int) -> None:
        """Have in memory what a window of N rows finds of the window before, because its launches will be recorded."""

    def as_found(self, found: Mapping[str, Any]) -> None:
        """Leave for launches that were recorded what they find of the window before, where they found it: in the arrays
        that were this layer's attributes then."""

    def get_state(self) -> tuple[Array, ...] | None:
        """A copy of the state, to be given back as `set_state(*state)`; None for zeros."""
        return None

    def set_state(self, *state: Array | None) -> None:
        """Begin the next window with copies of these arrays, or with zeros for None; errors as `check_state`."""
        self.check_state(*state)

    def check_state(self, *state: Array | None) -> None:
        """Check what `set_state` would be given.

        Raises:
            InputError: a wrong number of arrays, a wrong shape or dtype, or a layer that is not stateful.
        """
        if any(array is not None for array in state):
            raise InputError(f"{type(self).__name__} has no state to set")

    def check_batch(self, N: int) -> None:
        """Check that the carried state, if there is one, is of batch size N.

        Raises:
            InputError: it is of another one.
        """

    @property
    def dtype(self) -> Any:
        """dtype of the parameters, and so of all this layer computes."""
        return self.params[0].dtype

    def _buffer(self, name: str, shape: tuple[int, ...], dtype: Any) -> Array:
        """An uninitialised array, in last time's memory if possible."""
        return reused(self._buffers, name, shape, dtype, xp.empty)

    def _ones(self, count: int) -> Array:
        """Ones (1, count): with rows (count, H) their product is the sum of the rows."""
        return reused(self._buffers, "ones", (1, count), self.dtype, xp.ones)

    def _save(self, *values: Any) -> None:
        """Keep what backward needs."""
        self._saved = values

    def _restore(self) -> Any:
        """What forward saved. `_done` must follow when the arguments of backward were found to be right."""
        if self._saved is None:
            raise InputError(
                f"{type(self).__name__}.backward needs a forward of its own first: one for each backward, and no "
                "evaluation or prediction in between"
            )
        return self._saved

    def _done(self) -> None:
        """Forget what forward saved: it was for one backward."""
        self._saved = None
