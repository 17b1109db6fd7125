"""Weights that several layers share, in a model that lists them more than once, as the book's models do."""

from collections.abc import Sequence

from rnnlm.backend import Array
from rnnlm.models.flat import same_memory

__all__ = ["distinct", "remove_duplicate"]


def distinct(params: Sequence[Array]) -> list[Array]:
    """Each weight once, in the order in which they come first.

    Two weights are one where they are the same numbers in the same memory, or one is the other's transpose there; equal
    values alone make no difference.
    """
    return [p for p, (place, _) in zip(params, _places(params)) if place is None]


def remove_duplicate(params: Sequence[Array], grads: Sequence[Array]) -> tuple[list[Array], list[Array]]:
    """Each weight once, as `distinct` has it, with the sum of its gradients.

    A sum is an array of its own: the gradients of the layers are left as they are.
    """
    sums: list[Array] = []
    for g, (place, turned) in zip(grads, _places(params)):
        if place is None:
            sums.append(g)
        else:
            sums[place] = sums[place] + (g.T if turned else g)
    return distinct(params), sums


def _places(params: Sequence[Array]) -> list[tuple[int | None, bool]]:
    """For each weight None where it comes first, else its place among those; and whether it is the transpose."""
    first: list[Array] = []
    seen: dict[int, int] = {}  # places by the identity of arrays
    found: list[tuple[int | None, bool]] = []
    for p in params:
        place, turned = seen.get(id(p)), False
        if place is None:
            place = next((k for k, other in enumerate(first) if same_memory(p, other)), None)
        if place is None:
            place = next((k for k, other in enumerate(first) if p.ndim == 2 and same_memory(p.T, other)), None)
            turned = place is not None
        found.append((place, turned))
        if place is None:
            seen[id(p)] = len(first)
            first.append(p)
    return found
