"""Layers one after another, over one buffer of parameters and one of gradients."""

from collections.abc import Mapping, Sequence
from typing import Any

from rnnlm.backend import Array, ops
from rnnlm.errors import InputError
from rnnlm.layers.base import Layer
from rnnlm.layers.heads.base import Head
from rnnlm.models.flat import flatten
from rnnlm.models.parameters import Parameters

__all__ = ["Sequential", "State"]

State = Sequence[tuple[Array, ...] | None]


class Sequential(Parameters):
    """A chain of layers, each taking what the one before gives, and a head if it ends in a loss.

    All parameters are moved into one flat buffer and all gradients into another, so that the gradient's norm, clipping
    and the update are one operation each; the layers' arrays become views into them. Weights that are the transpose of
    an embedding's, in the same memory, stay that, and are listed once.

    Args:
        layers: by name, in order.
        head: what comes after them; none for a chain that is driven from outside.
        dtype: of all parameters.
        seed: of the dropout masks; which window they are for is said by `train_steps`.

    Attributes:
        layers: by name, in order, the head last, by the name that it is `called`: what runs.
        head: the head.
        params, grads: lists of arrays, one entry for each parameter; `names` has their names.
        flat_params, flat_grads: the two buffers, with unused gaps of zeros between parameters.
        train_steps: forwards with `train_flg` so far, which number the dropout masks.
    """

    def __init__(
        self, layers: Mapping[str, Layer], head: Head | None = None, dtype: str = "float32", seed: int = 0
    ) -> None:
        self.head, self.train_steps = head, 0
        self.layers: dict[str, Layer] = {**layers, **({} if head is None else {head.called: head})}
        self._chain = list(layers.values())
        flat = flatten(self.layers, dtype)
        self.params, self.grads, self.names = flat.params, flat.grads, flat.names
        self.flat_params, self.flat_grads = flat.flat_params, flat.flat_grads
        for number, layer in enumerate(self._chain):
            if layer.mask is not None:
                layer.mask.seed(seed, number)

    # ------------------------------------------------------------------ forward and back

    def forward(self, xs: Array, train_flg: bool = True) -> Array:
        """What comes out of the last layer before the head; the state goes on. With `train_flg` there is dropout."""
        with ops.one_blas_thread:
            for layer in self._chain:
                layer.check_batch(len(xs))
            for layer in self._chain:
                layer.train_flg = train_flg
                if layer.mask is not None:
                    layer.mask.step = self.train_steps
                xs = layer.forward(xs)
            self.train_steps += train_flg
            return xs

    def loss(self, xs: Array, ts: Array, train_flg: bool = True, keep: bool = True) -> Array:
        """The head's mean loss of the targets `ts` after the inputs `xs`; see `Head.loss`."""
        with ops.one_blas_thread:
            return self._head.loss(self.forward(xs, train_flg), ts, keep)

    def scores(self, xs: Array, train_flg: bool = False) -> Array:
        """The head's scores (N, T, V) after each of the inputs."""
        with ops.one_blas_thread:
            return self._head.scores(self.forward(xs, train_flg))

    def next_scores(self, xs: Array) -> Array:
        """The head's scores (N, V) after the last of the inputs, the caller's to write to until the next call."""
        with ops.one_blas_thread:
            return self._head.next_scores(self.forward(xs, train_flg=False))

    def backward(self, dout: Any = 1) -> Any:
        """Leave the gradients of the parameters in `grads`; returns that of the inputs, if they have one.

        Args:
            dout: gradient of the head's loss, or without a head that of what `forward` returned.
        """
        with ops.one_blas_thread:
            dxs = dout if self.head is None else self.head.backward(dout)
            for layer in reversed(self._chain):
                dxs = layer.backward(dxs)
            return dxs

    @property
    def penalty(self) -> Any:
        """Nats that the last forward's regularisation asks for; not part of the loss."""
        return sum(layer.penalty for layer in self._chain)

    @property
    def _head(self) -> Head:
        if self.head is None:
            raise InputError("a loss and scores need a head, and these layers have none")
        return self.head

    # ------------------------------------------------------------------ state

    @property
    def recurrent_layers(self) -> list[Any]:
        """The layers that carry a state from window to window."""
        return [layer for layer in self._chain if layer.states]

    def reset_state(self) -> None:
        """Begin the next window with zeros."""
        for layer in self._chain:
            layer.reset_state()

    def get_state(self) -> State:
        """Copies of the states, an entry for each recurrent layer; None where it is zeros."""
        return [layer.get_state() for layer in self.recurrent_layers]

    def set_state(self, state: State) -> None:
        """Begin the next window with a state that `get_state` gave.

        Raises:
            InputError: another number of layers or arrays, or a wrong shape; all states are left as they were.
        """
        layers = self.recurrent_layers
        if not isinstance(state, Sequence) or len(state) != len(layers):
            given = f"{len(state)} entries" if isinstance(state, Sequence) else type(state).__name__
            raise InputError(f"state must have {len(layers)} entries, one for each recurrent layer, got {given}")
        for entry in state:
            if entry is not None and not isinstance(entry, (tuple, list)):
                raise InputError(f"an entry of a state must be a tuple of arrays or None, got {type(entry).__name__}")
        pairs = [(layer, tuple(entry or (None,))) for layer, entry in zip(layers, state)]
        for layer, arrays in pairs:
            layer.check_state(*arrays)
        if len({len(array) for _, arrays in pairs for array in arrays if array is not None}) > 1:
            raise InputError("the states of all layers must be of one batch size")
        for layer, arrays in pairs:
            layer.set_state(*arrays)
