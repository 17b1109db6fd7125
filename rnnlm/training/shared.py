"""Find weights that several layers share, in models that list them more than once, as the book's do."""

from collections.abc import Sequence

from rnnlm.backend import Array
from rnnlm.models.flat import same_memory

__all__ = ["distinct", "remove_duplicate"]


def distinct(params: Sequence[Array]) -> list[Array]:
    """Return each weight once, in the order of first appearance.

    Two entries are the same weight if they are the same numbers in the same memory, or if one is the other's transpose
    there; equal values are not enough.
    """
    return [p for p, (place, _) in zip(params, _places(params)) if place is None]


def remove_duplicate(params: Sequence[Array], grads: Sequence[Array]) -> tuple[list[Array], list[Array]]:
    """Return each weight once, as `distinct` does, with the sum of its gradients.

    The sums are new arrays: the layers' gradients are left unchanged.
    """
    sums: list[Array] = []
    for g, (place, turned) in zip(grads, _places(params)):
        if place is None:
            sums.append(g)
        else:
            sums[place] = sums[place] + (g.T if turned else g)
    return distinct(params), sums


def _places(params: Sequence[Array]) -> list[tuple[int | None, bool]]:
    """For each entry: the place of the weight that it repeats, or None if new; and whether it is the transpose."""
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
