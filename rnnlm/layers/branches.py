"""Branching networks: several inputs whose outputs are concatenated, or one input with several outputs."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from rnnlm.backend import Array, xp
from rnnlm.errors import InputError
from rnnlm.layers.base import Layer, Shape, expect
from rnnlm.layers.chain import named, through

__all__ = ["Concatenate", "Split"]

Branch = Layer | Sequence[Layer]


class _Branches(Layer):
    """Chains of layers in parallel.

    Args:
        branches: each a layer, or a list of layers applied in order; an empty list is the identity.
    """

    def __init__(self, *branches: Branch) -> None:
        super().__init__()
        if len(branches) < 2:
            raise InputError(f"{type(self).__name__} must have at least 2 branches, got {len(branches)}")
        self.branches = [named([branch] if isinstance(branch, Layer) else branch) for branch in branches]

    @property
    def takes_ids(self) -> Any:
        """Vocabulary size of each branch, 0 where its inputs are not ids."""
        return tuple(next(iter(branch.values())).takes_ids if branch else 0 for branch in self.branches)

    def parts(self) -> Mapping[str, Layer]:
        """Return the layers of all branches, by name: 1.dense1, 1.relu1, 2.dense1 and so on."""
        return {f"{i}.{name}": layer for i, branch in enumerate(self.branches, 1) for name, layer in branch.items()}

    def _forward(self, branch: int, xs: Any) -> Any:
        for layer in self.branches[branch].values():
            xs = layer.forward(xs)
        return xs

    def _steppers(self, N: int) -> list[Callable[[Any], Any]]:
        """Return a stepper for each branch."""
        return [partial(_step_through, [layer.stepper(N) for layer in branch.values()]) for branch in self.branches]

    def _backwards(self, dys: Sequence[Any]) -> tuple[Any, ...]:
        """Return the gradients of all branches' inputs, computed from the last branch to the first: an embedding goes
        backward after all layers that share its weights."""
        dxs = []
        for branch, dx in zip(reversed(self.branches), reversed(dys)):
            for layer in reversed(branch.values()):
                dx = layer.backward(dx)
            dxs.append(dx)
        return tuple(reversed(dxs))

    def _expect(self, name: str, given: Any) -> None:
        if not isinstance(given, (tuple, list)) or len(given) != len(self.branches):
            kind = f"{len(given)} of them" if isinstance(given, (tuple, list)) else type(given).__name__
            raise InputError(f"{name} must be a tuple of {len(self.branches)} arrays, one for each branch, got {kind}")


def _step_through(steppers: Sequence[Callable[[Any], Any]], x: Any) -> Any:
    """Run one time step of the layers of a branch."""
    for step in steppers:
        x = step(x)
    return x


class Concatenate(_Branches):
    """Apply each branch to its own input and concatenate the outputs.  ((N, D1), ...) -> (N, H1 + ...)

        y = [branch1(x1), branch2(x2), ...]        the gradient is split at the same places

    Arguments are those of all branches.
    """

    def forward(self, xs: Sequence[Array]) -> Array:
        """Return the outputs of all branches, which must agree in all but their last axis, concatenated.

        Args:
            xs: a tuple, one input for each branch.
        """
        self._expect("xs", xs)
        ys = [self._forward(i, x) for i, x in enumerate(xs)]
        if len({y.shape[:-1] for y in ys}) > 1:
            shapes = ", ".join(str(y.shape) for y in ys)
            raise InputError(f"branches must agree in all but their last axis, got {shapes}")
        self.save_for_backward([y.shape[-1] for y in ys], ys[0].shape[:-1], ys[0].dtype)
        return xp.concatenate(ys, axis=-1)

    def backward(self, dys: Array) -> tuple[Any, ...]:
        """Return the gradients of the inputs, a tuple; None for ids."""
        widths, like, dtype = self.saved_values()
        expect("dys", dys, (*like, sum(widths)), dtype)
        self.clear_saved_values()
        ends = [sum(widths[: i + 1]) for i in range(len(widths))]
        return self._backwards([dys[..., end - w : end] for w, end in zip(widths, ends)])

    def stepper(self, N: int) -> Callable[[Any], Array]:
        """As `Layer.stepper`, from a tuple of inputs."""
        steppers = self._steppers(N)
        return lambda xs: xp.concatenate([step(x) for step, x in zip(steppers, xs)], axis=-1)

    def output_shape(self, shape: Any) -> Shape:
        """(..., H1 + ...), for a tuple of shapes, or for one shape that all inputs have."""
        if not isinstance(shape[0], tuple):
            shape = (shape,) * len(self.branches)
        self._expect("the shape of the inputs", shape)
        shapes = [through(branch, s) for branch, s in zip(self.branches, shape)]
        widths = [s[-1] for s in shapes if isinstance(s[-1], int)]
        return *shapes[0][:-1], sum(widths) if len(widths) == len(shapes) else "D"


class Split(_Branches):
    """Apply all branches to the same input and return a tuple of outputs.  (N, D) -> ((N, H1), (N, H2), ...)

        y1, y2 = branch1(x), branch2(x)        dx = sum of the branches' gradients

    Arguments are those of all branches.
    """

    @property
    def takes_ids(self) -> int:
        """Vocabulary size, the smallest of all branches that take ids; 0 if none does."""
        return min((words for words in super().takes_ids if words), default=0)

    def forward(self, xs: Array) -> tuple[Any, ...]:
        """Return the outputs of all branches."""
        ys = tuple(self._forward(i, xs) for i in range(len(self.branches)))
        self.save_for_backward([(y.shape, y.dtype) if isinstance(y, xp.ndarray) else None for y in ys])
        return ys

    def backward(self, dys: Sequence[Array]) -> Any:
        """Return the gradient of the input, the sum of the branches' gradients; None for ids."""
        (kinds,) = self.saved_values()
        self._expect("dys", dys)
        for i, (dy, kind) in enumerate(zip(dys, kinds)):
            if kind is not None:
                expect(f"dys[{i}]", dy, *kind)
        self.clear_saved_values()
        dxs = [dx for dx in self._backwards(dys) if dx is not None]
        return sum(dxs[1:], dxs[0]) if dxs else None  # ids have no gradient

    def stepper(self, N: int) -> Callable[[Any], Any]:
        """As `Layer.stepper`, to a tuple of outputs."""
        steppers = self._steppers(N)
        return lambda x: tuple(step(x) for step in steppers)

    def output_shape(self, shape: Shape) -> Any:
        """Return a tuple of shapes, one for each branch."""
        return tuple(through(branch, shape) for branch in self.branches)
