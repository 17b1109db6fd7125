"""Gradient norm and optimiser steps. Equations and arguments are explained in optim/ and training/report.py."""

from collections.abc import Sequence
from typing import Any

from rnnlm.backend.cuda.launch import blocks_for, dense, double, empty, full, integer, launch, long, word, write_back

__all__ = ["adam_step", "asgd_step", "momentum_step", "norm_and_factor", "note_step", "sgd_step"]

Array = Any
MOST_BLOCKS = 1024
PER_THREAD = 8  # elements, at least


def _blocks(size: int) -> int:
    return min(blocks_for(-(-size // PER_THREAD)), MOST_BLOCKS)


def norm_and_factor(grads: Sequence[Array], max_norm: float) -> tuple[Array, Array]:
    """As the function of this name in optim/clipping.py."""
    if not grads:
        return full((), 0, double), full((), 1, double)
    dtype, counts = grads[0].dtype, [_blocks(g.size) for g in grads]
    parts, result = empty(sum(counts), double), empty(2, dtype)
    done = 0
    for g, count in zip(grads, counts):
        launch("update", "sum_of_squares", dtype, count, dense(g.astype(dtype, copy=False)), word(g.size), parts[done:])
        done += count
    norm, factor = result[0], result[1]
    launch("update", "norm_and_factor", dtype, 1, parts, integer(done), double(max_norm), norm, factor)
    return norm, factor


def _step(name: str, p: Array, g: Array, remembered: Sequence[Array], factor: Any, *numbers: Any) -> None:
    """Launch an update kernel; numbers are passed as double, except NumPy integers."""
    typed = [n if type(n) is integer else double(n) for n in numbers]
    on_device = factor.astype(p.dtype, copy=False) if isinstance(factor, type(p)) else full((), float(factor), p.dtype)
    changed = (p, *remembered)
    whole = [dense(a) for a in changed]
    launch("update", name, p.dtype, _blocks(p.size), whole[0], dense(g), *whole[1:], on_device, *typed, word(p.size))
    write_back(changed, whole)


def sgd_step(p: Array, g: Array, factor: Any, lr: float, weight_decay: float) -> None:
    """As the function of this name in optim/sgd.py."""
    _step("sgd_step", p, g, (), factor, lr, weight_decay)


def momentum_step(
    p: Array, g: Array, v: Array, factor: Any, lr: float, momentum: float, weight_decay: float, ahead: bool
) -> None:
    """As the function of this name in optim/sgd.py."""
    _step("momentum_step", p, g, (v,), factor, lr, momentum, weight_decay, integer(ahead))


def adam_step(
    p: Array, g: Array, m: Array, v: Array, factor: Any, lr: float, kept: float, beta1: float, beta2: float,
    epsilon: float, weight_decay: float,
) -> None:  # fmt: skip
    """As the function of this name in optim/adam.py."""
    _step("adam_step", p, g, (m, v), factor, lr, kept, beta1, beta2, epsilon, weight_decay)


def asgd_step(p: Array, g: Array, average: Array, factor: Any, lr: float, share: float, weight_decay: float) -> None:
    """As the function of this name in optim/asgd.py."""
    _step("asgd_step", p, g, (average,), factor, lr, share, weight_decay)


def note_step(
    loss: Array, norm: Array, step: int, columns: int, highest: float, good_steps: Array, totals: Array
) -> None:
    """As the function of this name in training/report.py."""
    numbers = (long(step), double(columns), double(highest))
    launch("update", "note_step", norm.dtype, 1, loss, norm, *numbers, good_steps, totals)
