"""Sizes of an output layer: one softmax over all words, or one over the frequent ones and one for each cluster."""

from typing import Any

from rnnlm.checks import finite, listed, refused, whole_number
from rnnlm.errors import InputError

__all__ = ["cluster_sizes", "expect_cutoffs", "expect_div_value", "output_parameters"]

MOST_CLUSTERS = 100


def expect_cutoffs(cutoffs: Any, vocab_size: int) -> tuple[int, ...]:
    """Check the cutoffs of an adaptive softmax and return them as integers.

    Raises:
        InputError: not at most 100 increasing integers in [1, vocab_size).
    """
    found = tuple(whole_number("each of cutoffs", cut, 1) for cut in listed("cutoffs", cutoffs, "whole numbers"))
    if any(cut >= after for cut, after in zip(found, found[1:])) or len(found) > MOST_CLUSTERS:
        raise refused("cutoffs", f"increasing numbers, no more than {MOST_CLUSTERS} of them", found)
    if found and found[-1] >= vocab_size:
        raise refused(
            "cutoffs", f"below vocab_size {vocab_size}", found, "take smaller ones, or none for the full softmax"
        )
    return found


def expect_div_value(div_value: Any, hidden: int, clusters: int) -> float:
    """Check the divisor of the hidden units from cluster to cluster and return it as a float.

    Raises:
        InputError: below 1, or so large that a cluster has no units.
    """
    given = finite("div_value", div_value)
    if given < 1:
        raise refused("div_value", "at least 1", div_value)
    if clusters and units(hidden, given, clusters) < 1:
        raise InputError(
            f"div_value must leave each cluster at least 1 of {hidden} hidden units, got {given:g} for {clusters} "
            "clusters: take a smaller one, or fewer cutoffs"
        )
    return given


def units(hidden: int, div_value: float, number: int) -> int:
    """Return the units of cluster k, H / div_value^k rounded down; 0 if the power overflows."""
    try:
        return int(hidden / div_value**number)
    except OverflowError:
        return 0


def cluster_sizes(hidden: int, vocab_size: int, cutoffs: tuple[int, ...], div_value: float) -> list[tuple[int, int]]:
    """Return (units, words) of each cluster."""
    ends = [*cutoffs[1:], vocab_size]
    return [(units(hidden, div_value, k), end - begin) for k, (begin, end) in enumerate(zip(cutoffs, ends), 1)]


def output_parameters(hidden: int, width: int, clusters: list[tuple[int, int]]) -> int:
    """Return the number of weights and biases of an output layer.

    Args:
        hidden: H; 0 for tied weights.
        width: outputs of the first softmax, words and clusters.
        clusters: (units, words) of each cluster.
    """
    return (hidden + 1) * width + sum(hidden * units + (units + 1) * words for units, words in clusters)
