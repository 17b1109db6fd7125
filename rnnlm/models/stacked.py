"""A model around one chain of layers and a head: what it has of the chain."""

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
    """A model whose `forward(xs, ts)` is the loss of a `Sequential`, and which a training knows how to write down.

    A subclass builds its chain and gives it to `_stand_on`, and brings `forward` and `backward`.

    Attributes:
        stack: its layers and head as a chain.
        layers, params, grads, names, flat_params, flat_grads: those of the chain.
        vocab_size: V where inputs are a stream of words, which a training checks; else None.
    """

    stack: Sequential
    usual_shape = ("T",)  # ids (N, T) go in
    vocab_size: Any = None

    def _stand_on(self, stack: Sequential) -> None:
        """Make a chain this model's."""
        self.stack, self.layers, self.names = stack, stack.layers, stack.names
        self.params, self.grads = stack.params, stack.grads
        self.flat_params, self.flat_grads = stack.flat_params, stack.flat_grads

    def __setstate__(self, state: dict[str, Any]) -> None:
        """A copy stands on its own chain."""
        self.__dict__.update(state)
        self._stand_on(self.stack)

    @property
    def one_thread(self) -> OneThread:
        """A context for what takes several calls, in which no other thread may use the model."""
        return self.stack.one_thread

    def shared_copy(self) -> Self:
        """A copy with these weights, not copies of them, and with a state of its own, zeros: for another thread.

        As many threads as have one may evaluate, score and generate at once. What a training changes, all of them see.
        """
        twin = self._like()
        twin.stack.share(self.stack)
        twin._stand_on(twin.stack)
        twin.reset_state()
        return twin

    def _like(self) -> Self:
        """Another one, whose weights do not matter."""
        return deepcopy(self)

    def forward(self, xs: Any, ts: Any) -> Array:
        """The loss of the targets `ts` after the inputs `xs`."""
        raise NotImplementedError

    def backward(self, dout: Any = 1) -> None:
        """Leave the gradient of the last forward's loss (times `dout`), and of its penalty, in `grads`."""
        self.stack.backward(dout)

    @property
    def repeatable(self) -> bool:
        """Whether a training's windows of one shape all launch the same: False for what this class does not know."""
        return False

    @property
    def penalty(self) -> Any:
        """Nats that the last forward's activation regularisation asks for; not part of the loss that it returned."""
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
        """Copies of the states, an entry for each recurrent layer; None where it is zeros."""
        return self.stack.get_state()

    def set_state(self, state: State) -> None:
        """Begin the next window with a state that `get_state` gave; errors are those of `Sequential.set_state`."""
        self.stack.set_state(state)

    @property
    def train_steps(self) -> int:
        """Forwards with `train_flg` so far, which number the dropout masks."""
        return self.stack.train_steps

    @train_steps.setter
    def train_steps(self, count: int) -> None:
        self.stack.train_steps = count

    # ------------------------------------------------------------------ training

    def weights(self) -> list[Array]:
        """What is trained, in one piece."""
        return self.stack.weights()

    def gradients(self) -> list[Array]:
        """What the last backward has left, in one piece."""
        return self.stack.gradients()

    def progress(self) -> dict[str, Any]:
        """What a training changes, as `Sequential.progress` has it."""
        return self.stack.progress()

    def load_progress(self, progress: Mapping[str, Any]) -> None:
        """Take over what `progress` gave; errors are those of `load_state_dict` and `set_state`."""
        self.stack.load_progress(progress)
