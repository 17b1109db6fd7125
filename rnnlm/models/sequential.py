"""A chain of layers with an optional head, over one flat buffer of parameters and one of gradients."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from itertools import count
from threading import get_ident
from typing import Any

from rnnlm.backend import Array, ops, xp
from rnnlm.checks import flag, instance_of, whole_number
from rnnlm.concurrency import OneThread
from rnnlm.errors import BusyError, InputError
from rnnlm.layers.base import Layer
from rnnlm.layers.chain import everything, expect_masked, gather, leaves, named, through
from rnnlm.layers.expected import expect_dtype
from rnnlm.layers.heads.base import Head
from rnnlm.layers.lengths import without_pads
from rnnlm.models.flat import expect_in_place, flatten
from rnnlm.models.ids import as_taken
from rnnlm.models.ownership import expect_free, own
from rnnlm.models.parameters import Parameters
from rnnlm.models.reading import Reading
from rnnlm.models.state import State, Stateful
from rnnlm.models.summary import Summarized

__all__ = ["Sequential", "State"]

NUMBERS = count()  # of networks
ANOTHER = 1 << 32  # distance between the stream numbers of two masks of one layer


class Sequential(Reading, Stateful, Summarized, Parameters):
    """A chain of layers, each taking the output of the one before, and a head if it ends in a loss.

        Sequential([Dense(4, 8), Sigmoid(), Dense(8, 1)], head=MeanSquaredError(), seed=0)

    All parameters are moved into one flat buffer and all gradients into another, so that the gradient's norm, clipping
    and the update are one operation each; the layers' arrays become views into them. Weights that are the transpose of
    an embedding's, in the same memory, stay tied and are listed once.

    Args:
        layers: in order, by name, or a list; layers of a list are named by their classes, dense1, sigmoid1, dense2.
        head: computes the loss or scores from the last layer's output; None if that output is used directly.
        dtype: of all parameters.
        mask_zero: treat id 0 of inputs (N, T) as a pad, before or after the words of a row, which does not change the
            state. Rows are shifted to start with their first word, and their final states are those of their last.
        seed: of the weights that layers draw and of the dropout masks, which also depend on `train_steps`.

    Attributes:
        layers: the layers that run, by name, in order; the head last, by its name `called`.
        head: the head, or None.
        params, grads: lists of arrays, one entry for each parameter; `names` has their names.
        flat_params, flat_grads: the two buffers, padded with zeros between parameters.
        train_steps: number of forwards with `train_flg` so far, which numbers the dropout masks.
        sample_shape: of the samples that a `Trainer` was last given, or None.
        one_thread: a context within which no other thread may use the chain, for a sequence of calls.
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
        self._watched = None
        self._number = next(NUMBERS)
        whole_number("seed", seed, 0, 2**64)
        chain = named(layers)
        if head is not None and head.called in chain:
            raise InputError(f"no layer must be called {head.called}, as the head is: give it another name")
        self.layers: dict[str, Layer] = {**chain, **({} if head is None else {head.called: head})}
        self._chain, self._leaves, self._all = list(chain.values()), leaves(chain), everything(chain)
        self.regularizers = [layer for layer in self._leaves.values() if layer.regularizes]
        through(self.layers, ("N", "T", "D"))  # raises if layers do not fit
        if mask_zero:
            expect_masked(chain)
        expect_free(leaves(self.layers))
        self._flatten(expect_dtype("dtype", dtype))
        for number, layer in enumerate(self._leaves.values()):
            layer.draw(seed, number)
            for k, mask in enumerate(layer.masks):
                mask.seed(seed, number + k * ANOTHER)

    def _flatten(self, dtype: Any, shared: Array | None = None) -> None:
        self._steps = None  # the steppers have views of arrays
        flat = flatten(leaves(self.layers), dtype, shared)
        gather(self.layers)
        self.params, self.grads, self.names = flat.params, flat.grads, flat.names
        self.flat_params, self.flat_grads, self._tied = flat.flat_params, flat.flat_grads, flat.tied
        own(self, leaves(self.layers))

    def __copy__(self) -> "Sequential":
        """Return a deep copy: two networks can't share a layer."""
        return deepcopy(self)

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the steppers, because a copy has to create its own."""
        return {**self.__dict__, "_steps": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Move the arrays of a copy's layers into flat buffers again, and tie weights again."""
        self.__dict__.update(state)
        inner = leaves(self.layers)
        for name, other in self._tied.items():
            inner[name].params[0] = inner[other].params[0].T
        self._flatten(self.flat_params.dtype)

    def expect_in_place(self) -> None:
        """As `Parameters.expect_in_place`."""
        expect_in_place(leaves(self.layers), self)

    def share(self, other: "Sequential") -> None:
        """Use the weights of another chain, of which this one is a copy, without copying them."""
        self._flatten(other.flat_params.dtype, other.flat_params)
        self.set_constants(other.constants())

    def shared_copy(self) -> "Sequential":
        """Return a copy for another thread, which shares these weights but has its own state, initially zeros."""
        twin = deepcopy(self)
        twin.share(self)
        twin.reset_state()
        return twin

    # ------------------------------------------------------------------ forward and back

    def forward(self, xs: Any, train_flg: bool = True) -> Any:
        """Run the layers below the head and return their output. Recurrent state is carried to the next call.

        Args:
            xs: inputs of the first layer, arrays of the backend.
            train_flg: True for dropout and regularisation.
        """
        train_flg = flag("train_flg", train_flg)
        with self.one_thread, ops.one_blas_thread:
            self._forward_by = get_ident()
            N = len(xs[0]) if isinstance(xs, tuple) else len(xs)
            for layer in self._all.values():
                vars(layer)["train_flg"] = train_flg  # it has been checked
                layer.network = self._number
            for layer in self._leaves.values():
                layer.check_batch(N)
                for mask in layer.masks:
                    mask.step = self.train_steps
            lengths = None
            if self.mask_zero:
                xs, lengths = without_pads(xs)
                for layer in self.regularizers:
                    layer.counted = xp.arange(xs.shape[1])[None] < lengths[:, None]
            for layer in self._chain:
                self.watch(layer, xs)
                xs = layer.forward(xs) if lengths is None or not layer.takes_lengths else layer.forward(xs, lengths)
            self.train_steps += train_flg
            if self.head is not None:
                self.head.clear_saved_values()  # an earlier loss belongs to another forward
                self.watch(self.head, xs)
            return xs

    def loss(self, xs: Any, ts: Array, train_flg: bool = True, keep: bool = True, counted: Any = None) -> Array:
        """Return the head's mean loss of the targets `ts` after the inputs `xs`; see `Head.loss`.

        Args:
            counted: mask (N, T) of the steps that count, for layers that regularise; None for all.
        """
        with self.one_thread, ops.one_blas_thread:
            for layer in self.regularizers:
                layer.counted = counted
            head = self.expect_head()
            head.network = self._number
            return head.loss(self.forward(xs, train_flg), ts, keep)

    def scores(self, xs: Array, train_flg: bool = False) -> Array:
        """Return the head's scores (N, T, V) after each of the inputs, in memory that the next call overwrites."""
        with self.one_thread, ops.one_blas_thread:
            return self.expect_head().scores(self.forward(xs, train_flg))

    def backward(self, dout: Any = 1) -> Any:
        """Write the gradients of the parameters to `grads` and return that of the inputs, None for ids.

        Args:
            dout: gradient of the head's loss; without a head, gradient of what `forward` returned.

        Raises:
            BusyError: the last forward was called by another thread.
        """
        with self.one_thread, ops.one_blas_thread, ops.joined:
            if self._forward_by not in (0, get_ident()):
                raise BusyError(
                    "a backward must follow a forward of the same thread, and the last one was another's: give each "
                    "thread its own model by shared_copy()"
                )
            self._expect_last()
            dxs = dout if self.head is None else self.head.backward(dout)
            for layer in reversed(self._chain):
                dxs = layer.backward(dxs)
            return dxs

    def _expect_last(self) -> None:
        """Check that no layer was used by another network after this one's forward.

        Raises:
            InputError: one was, and what it saved is the other's.
        """
        for name, layer in (*self._all.items(), *([] if self.head is None else [(self.head.called, self.head)])):
            if layer.network not in (None, self._number):
                raise InputError(
                    f"{name} was used by another network after this one's forward, whose backward needs what it saved: "
                    "make a layer for each network"
                )

    def all_layers(self) -> list[Layer]:
        """Return all layers, including those within others, and the head."""
        return [*self._all.values(), *([] if self.head is None else [self.head])]

    @property
    def repeatable(self) -> bool:
        """Whether the launches of a training window can be recorded for its shape: every layer's own class declares
        that they are always the same and never wait for the device, there is a head, and no pads are masked."""
        known = all(type(layer).__dict__.get("repeatable", False) for layer in self.all_layers())
        return known and self.head is not None and not self.mask_zero

    @property
    def penalty(self) -> Any:
        """Penalty of the last forward's regularisation, in nats; not part of the loss."""
        return sum(layer.penalty for layer in self._leaves.values())

    def expect_head(self) -> Head:
        """Return the head.

        Raises:
            InputError: there is none.
        """
        if self.head is None:
            raise InputError("a loss and scores need a head, and these layers have none: Sequential(layers, head=...)")
        return self.head

    def inputs(self, name: str, xs: Any) -> Any:
        """Convert inputs from the host, or a tuple of them, to arrays of the backend: ids, or numbers of `dtype`."""
        return as_taken(name, xs, next(iter(self.layers.values())).takes_ids, self.flat_params.dtype)

    def predict(self, xs: Any) -> Any:
        """Return the output of the layers below the head, without dropout: a copy on the host, or a tuple of copies.

        Recurrent state is carried to the next call.

        Args:
            xs: an array (N, ...) or a list; a tuple for several inputs.
        """
        with self.one_thread:
            ys = self.forward(self.inputs("xs", xs), train_flg=False)
            return tuple(ops.asnumpy(y).copy() for y in ys) if isinstance(ys, tuple) else ops.asnumpy(ys).copy()

    def weights(self) -> list[Array]:
        """Return the arrays that training updates: the flat buffer of parameters."""
        return [self.flat_params]

    def gradients(self) -> list[Array]:
        """Return the gradients of the last backward: the flat buffer."""
        return [self.flat_grads]
