"""Weights that several layers share, in a model that lists them more than once, as the book's models do."""

from collections.abc import Sequence

from rnnlm.backend import Array, xp

__all__ = ["remove_duplicate"]


def remove_duplicate(params: Sequence[Array], grads: Sequence[Array]) -> tuple[list[Array], list[Array]]:
    """Each weight once, with the sum of its gradients.

    Two weights are one where they are the same array, or one is the other's transpose in the same memory; equal values
    alone make no difference. A sum is an array of its own: the layers' gradients are left as they are.
    """
    found: list[Array] = []
    sums: list[Array] = []
    places: dict[int, int] = {}  # of arrays, in `found`
    for p, g in zip(params, grads):
        place = places.get(id(p))
        if place is not None:
            sums[place] = sums[place] + g
            continue
        for place, other in enumerate(found):
            if p.ndim == other.ndim == 2 and p.T.shape == other.shape and xp.may_share_memory(p, other):
                sums[place] = sums[place] + g.T
                break
        else:
            places[id(p)] = len(found)
            found.append(p)
            sums.append(g)
    return found, sums
