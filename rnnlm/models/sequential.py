"""Layers one after another, over one buffer of parameters and one of gradients."""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from threading import get_ident
from typing import Any
from weakref import ReferenceType, WeakKeyDictionary, ref

from rnnlm.backend import Array, ops, xp
from rnnlm.checks import flag, instance_of, whole_number
from rnnlm.concurrency import OneThread
from rnnlm.errors import BusyError, InputError
from rnnlm.layers.base import Layer
from rnnlm.layers.chain import everything, expect_masked, gather, leaves, named, through
from rnnlm.layers.expected import expect_dtype
from rnnlm.layers.heads.base import Head
from rnnlm.layers.lengths import without_pads
from rnnlm.models.flat import flatten
from rnnlm.models.ids import as_taken
from rnnlm.models.parameters import Parameters
from rnnlm.models.state import State, from_host, set_states
from rnnlm.models.summary import Summarized

__all__ = ["Sequential", "State"]

ANOTHER = 1 << 32  # between the numbers of the streams of two masks of one layer
_owners: "WeakKeyDictionary[Layer, ReferenceType[Sequential]]" = WeakKeyDictionary()  # in whose buffers weights lie


class Sequential(Summarized, Parameters):
    """A chain of layers, each taking what the one before gives, and a head if it ends in a loss.

        Sequential([Dense(4, 8), Sigmoid(), Dense(8, 1)], head=MeanSquaredError(), seed=0)

    All parameters are moved into one flat buffer and all gradients into another, so that the gradient's norm, clipping
    and the update are one operation each; the layers' arrays become views into them. Weights that are the transpose of
    an embedding's, in the same memory, stay that, and are listed once.

    Args:
        layers: in order, by name, or a list; those of a list are called by their classes, dense1, sigmoid1, dense2.
        head: what comes after them; none for a chain that is driven from outside.
        dtype: of all parameters.
        mask_zero: inputs are ids (N, T), of which 0 is a pad before or behind the words of a row: it leaves the state
            alone. Rows are shifted to begin with their first words, and the last states are those of their last ones.
        seed: of the weights that layers draw, and of the dropout masks; which window those are for is said by
            `train_steps`.

    Attributes:
        layers: by name, in order, the head last, by the name that it is `called`: what runs.
        head: the head.
        params, grads: lists of arrays, one entry for each parameter; `names` has their names.
        flat_params, flat_grads: the two buffers, with unused gaps of zeros between parameters.
        train_steps: forwards with `train_flg` so far, which number the dropout masks.
        sample_shape: of the samples that a `Trainer` was last given, or None.
        one_thread: a context for what takes several calls, in which no other thread may use it.
    """

    def __init__(
        self,
        layers: Mapping[str, Layer] | Sequence[Layer],
        head: Head | None = None,
        dtype: str = "float32",
        seed: int = 0,
        mask_zero: bool = False,
    ) -> None:
        self.head = None if head is None else instance_of("head", head, Head)
        self.train_steps, self.mask_zero = 0, flag("mask_zero", mask_zero)
        self.sample_shape: tuple[int, ...] | None = None
        self.one_thread, self._forward_by = OneThread(), 0
        whole_number("seed", seed, 0, 2**64)
        chain = named(layers)
        self.layers: dict[str, Layer] = {**chain, **({} if head is None else {head.called: head})}
        self._chain, self._leaves, self._all = list(chain.values()), leaves(chain), everything(chain)
        self.regularizers = [layer for layer in self._leaves.values() if layer.regularizes]
        through(self.layers, ("N", "T", "D"))  # for its errors
        if mask_zero:
            expect_masked(chain)
        self._expect_unowned()
        self._flatten(expect_dtype("dtype", dtype))
        for number, layer in enumerate(self._leaves.values()):
            layer.draw(seed, number)
            for k, mask in enumerate(layer.masks):
                mask.seed(seed, number + k * ANOTHER)

    def _flatten(self, dtype: Any, shared: Array | None = None) -> None:
        self._steps: tuple[int, list[Callable[[Array], Array]]] | None = None  # of so many rows
        flat = flatten(leaves(self.layers), dtype, shared)
        gather(self.layers)
        self.params, self.grads, self.names = flat.params, flat.grads, flat.names
        self.flat_params, self.flat_grads, self._tied = flat.flat_params, flat.flat_grads, flat.tied
        _owners.update(dict.fromkeys(leaves(self.layers).values(), ref(self)))

    def _expect_unowned(self) -> None:
        """Check that no other network computes with these layers: their weights would leave its buffers.

        Raises:
            InputError: one does.
        """
        for name, layer in leaves(self.layers).items():
            owner = _owners.get(layer)
            if owner is not None and owner() is not None:
                raise InputError(
                    f"{name} must not be in another network, whose weights it has: make a layer of its own, or take "
                    "those of a copy of the network, copy.deepcopy(network).layers"
                )

    def __copy__(self) -> "Sequential":
        """A copy with weights of its own: two networks can't be of one layer."""
        return deepcopy(self)

    def __getstate__(self) -> dict[str, Any]:
        """A copy has steps of its own."""
        return {**self.__dict__, "_steps": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """A copy's layers have arrays of their own: those go into flat buffers again, and tied weights are tied."""
        self.__dict__.update(state)
        inner = leaves(self.layers)
        for name, other in self._tied.items():
            inner[name].params[0] = inner[other].params[0].T
        self._flatten(self.flat_params.dtype)

    def share(self, other: "Sequential") -> None:
        """Take another chain's weights, of which this one is a copy, for its own: none are copied."""
        self._flatten(other.flat_params.dtype, other.flat_params)
        self.set_constants(other.constants())

    def shared_copy(self) -> "Sequential":
        """A copy with these weights, not copies of them, and with a state of its own, zeros: for another thread."""
        twin = deepcopy(self)
        twin.share(self)
        twin.reset_state()
        return twin

    # ------------------------------------------------------------------ forward and back

    def forward(self, xs: Any, train_flg: bool = True) -> Any:
        """What comes out of the last layer before the head; the state goes on. With `train_flg` there is dropout."""
        train_flg = flag("train_flg", train_flg)
        with self.one_thread, ops.one_blas_thread:
            self._forward_by = get_ident()
            N = len(xs[0]) if isinstance(xs, tuple) else len(xs)
            for layer in self._all.values():
                vars(layer)["train_flg"] = train_flg  # it has been checked
            for layer in self._leaves.values():
                layer.check_batch(N)
                for mask in layer.masks:
                    mask.step = self.train_steps
            lengths = None
            if self.mask_zero:
                xs, lengths = without_pads(xs)
            for layer in self._chain:
                xs = layer.forward(xs) if lengths is None or not layer.takes_lengths else layer.forward(xs, lengths)
            self.train_steps += train_flg
            if self.head is not None:
                self.head._done()  # a loss before was that of another forward
            return xs

    def loss(self, xs: Any, ts: Array, train_flg: bool = True, keep: bool = True, counted: Any = None) -> Array:
        """The head's mean loss of the targets `ts` after the inputs `xs`; see `Head.loss`.

        Args:
            counted: (N, T) which steps count, for layers that regularise; None for all.
        """
        with self.one_thread, ops.one_blas_thread:
            for layer in self.regularizers:
                layer.counted = counted
            return self.expect_head().loss(self.forward(xs, train_flg), ts, keep)

    def scores(self, xs: Array, train_flg: bool = False) -> Array:
        """The head's scores (N, T, V) after each of the inputs."""
        with self.one_thread, ops.one_blas_thread:
            return self.expect_head().scores(self.forward(xs, train_flg))

    def next_scores(self, xs: Any) -> Array:
        """The head's scores (N, V) after the last of the inputs, the caller's to write to until the next call."""
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
            for step in self._steps[1]:
                x = step(x)
            return x

    def backward(self, dout: Any = 1) -> Any:
        """Leave the gradients of the parameters in `grads`; returns that of the inputs, if they have one.

        Args:
            dout: gradient of the head's loss, or without a head that of what `forward` returned.

        Raises:
            BusyError: the last forward was another thread's.
        """
        with self.one_thread, ops.one_blas_thread, ops.joined:
            if self._forward_by not in (0, get_ident()):
                raise BusyError(
                    "a backward must follow a forward of the same thread, and the last one was another's: give each "
                    "thread its own model by shared_copy()"
                )
            dxs = dout if self.head is None else self.head.backward(dout)
            for layer in reversed(self._chain):
                dxs = layer.backward(dxs)
            return dxs

    def all_layers(self) -> list[Layer]:
        """All layers, those within others and the head too."""
        return [*self._all.values(), *([] if self.head is None else [self.head])]

    @property
    def repeatable(self) -> bool:
        """Whether a training's windows of one shape all launch the same, and ask a device for nothing: as far as layers
        say so of their own class."""
        known = all(type(layer).__dict__.get("repeatable", False) for layer in self.all_layers())
        return known and self.head is not None and not self.mask_zero

    @property
    def penalty(self) -> Any:
        """Nats that the last forward's regularisation asks for beside the loss."""
        return sum(layer.penalty for layer in self._leaves.values())

    def expect_head(self) -> Head:
        """The head.

        Raises:
            InputError: these layers have none.
        """
        if self.head is None:
            raise InputError("a loss and scores need a head, and these layers have none: Sequential(layers, head=...)")
        return self.head

    def inputs(self, name: str, xs: Any) -> Any:
        """Inputs from the host, or a tuple of them, as this network takes them: ids, or numbers of its dtype."""
        return as_taken(name, xs, next(iter(self.layers.values())).takes_ids, self.flat_params.dtype)

    def predict(self, xs: Any) -> Any:
        """What comes out for inputs, without dropout: a copy on the host, or a tuple of them. The state goes on.

        Args:
            xs: an array (N, ...), or a list; for several inputs a tuple of them.
        """
        with self.one_thread:
            ys = self.forward(self.inputs("xs", xs), train_flg=False)
            return tuple(ops.asnumpy(y).copy() for y in ys) if isinstance(ys, tuple) else ops.asnumpy(ys).copy()

    def weights(self) -> list[Array]:
        """What is trained, in one piece."""
        return [self.flat_params]

    def gradients(self) -> list[Array]:
        """What the last backward has left, in one piece."""
        return [self.flat_grads]

    def progress(self) -> dict[str, Any]:
        """What a training changes: weights, which are no copies, the state of the next window, the number of the next
        mask."""
        return {"weights": self.written(), "state": self.get_state(), "train_steps": self.train_steps}

    def load_progress(self, progress: Mapping[str, Any]) -> None:
        """Take over what `progress` gave; errors are those of `load_state_dict` and `set_state`."""
        self.load_state_dict(progress["weights"])
        self.set_state(from_host(progress["state"]))
        self.train_steps = progress["train_steps"]

    @property
    def recurrent_layers(self) -> list[Any]:
        """The layers that carry a state from window to window."""
        return [layer for layer in self._leaves.values() if layer.states]

    def reset_state(self) -> None:
        """Begin the next window with zeros."""
        with self.one_thread:
            for layer in self._leaves.values():
                layer.reset_state()

    def get_state(self) -> State:
        """Copies of the states, an entry for each recurrent layer; None where it is zeros."""
        with self.one_thread:
            return [layer.get_state() for layer in self.recurrent_layers]

    def set_state(self, state: State) -> None:
        """Begin the next window with a state that `get_state` gave.

        Raises:
            InputError: another number of layers or arrays, or a wrong shape; all states are left as they were.
        """
        with self.one_thread:
            set_states(self.recurrent_layers, state)


def _step_of(layer: Layer, N: int) -> Callable[[Array], Array]:
    """A layer's stepper; or one that calls its methods, where this very layer has been given some of its own."""
    if not vars(layer).keys() & {*layer.stepped}:
        return layer.stepper(N)
    return Head.stepper(layer, N) if isinstance(layer, Head) else Layer.stepper(layer, N)
