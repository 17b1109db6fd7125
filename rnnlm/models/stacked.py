"""Base class of models built on a `Sequential`, to which it delegates."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any, Self

from rnnlm.backend import Array
from rnnlm.concurrency import OneThread
from rnnlm.models.parameters import Parameters
from rnnlm.models.sequential import Sequential, State
from rnnlm.models.summary import Summarized

__all__ = ["Stacked"]


class Stacked(Summarized, Parameters):
    """A model whose `forward(xs, ts)` returns the loss of a `Sequential`, and whose training can be saved and resumed.

    A subclass builds its chain, passes it to `set_stack`, and implements `forward`.

    Attributes:
        stack: the layers and the head as a chain.
        layers, params, grads, names, flat_params, flat_grads: those of the chain.
        vocab_size: V if inputs are a stream of words, which training checks; else None.
    """

    stack: Sequential
    usual_shape = ("T",)  # of one sample: inputs are ids (N, T)
    vocab_size: Any = None

    def set_stack(self, stack: Sequential) -> None:
        """Set the chain of this model."""
        self.stack, self.layers, self.names = stack, stack.layers, stack.names
        self.params, self.grads = stack.params, stack.grads
        self.flat_params, self.flat_grads = stack.flat_params, stack.flat_grads

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Connect a copy to its own chain."""
        self.__dict__.update(state)
        self.set_stack(self.stack)

    def expect_in_place(self) -> None:
        """As `Parameters.expect_in_place`."""
        self.stack.expect_in_place()

    @property
    def one_thread(self) -> OneThread:
        """A context within which no other thread may use the model, for a sequence of calls."""
        return self.stack.one_thread

    def shared_copy(self) -> Self:
        """Return a copy for another thread, which shares these weights but has its own state, initially zeros.

        Threads with a copy each may evaluate, score and generate at the same time. All copies see changes by training.
        """
        twin = self._like()
        twin.stack.share(self.stack)
        twin.set_stack(twin.stack)
        twin.reset_state()
        return twin

    def _like(self) -> Self:
        """Return a model of the same structure; its weights do not matter."""
        return deepcopy(self)

    def forward(self, xs: Any, ts: Any) -> Array:
        """Return the loss of the targets `ts` after the inputs `xs`."""
        raise NotImplementedError

    def backward(self, dout: Any = 1) -> None:
        """Write the gradient of the last forward's loss, times `dout`, plus that of its penalty, to `grads`."""
        self.stack.backward(dout)

    @property
    def repeatable(self) -> bool:
        """Whether all training windows of one shape launch the same kernels; False unless a subclass knows better."""
        return False

    @property
    def penalty(self) -> Any:
        """Penalty of the last forward's activation regularisation, in nats; not part of the loss that it returned."""
        return self.stack.penalty

    # ------------------------------------------------------------------ state

    @property
    def recurrent_layers(self) -> list[Any]:
        """The layers that carry a state from window to window."""
        return self.stack.recurrent_layers

    def reset_state(self) -> None:
        """Begin the next window with zeros."""
        self.stack.reset_state()

    def get_state(self) -> State:
        """Return copies of the states, an entry for each recurrent layer; None for zeros."""
        return self.stack.get_state()

    def set_state(self, state: State) -> None:
        """Begin the next window with a state that `get_state` returned; errors are those of `Sequential.set_state`."""
        self.stack.set_state(state)

    @property
    def train_steps(self) -> int:
        """Number of forwards with `train_flg` so far, which numbers the dropout masks."""
        return self.stack.train_steps

    @train_steps.setter
    def train_steps(self, count: int) -> None:
        self.stack.train_steps = count

    # ------------------------------------------------------------------ training

    def weights(self) -> list[Array]:
        """Return the arrays that training updates: the flat buffer of parameters."""
        return self.stack.weights()

    def gradients(self) -> list[Array]:
        """Return the gradients of the last backward: the flat buffer."""
        return self.stack.gradients()

    def progress(self) -> dict[str, Any]:
        """Return what training changes, as `Sequential.progress`."""
        return self.stack.progress()

    def load_progress(self, progress: Mapping[str, Any]) -> None:
        """Restore what `progress` returned; errors are those of `load_state_dict` and `set_state`."""
        self.stack.load_progress(progress)
