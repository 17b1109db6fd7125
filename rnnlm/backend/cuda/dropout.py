"""Dropout masks, drawn on the device. The random stream and the arguments are explained in layers/dropout.py."""

from typing import Any

from rnnlm.backend.cuda.graphs import masks_since
from rnnlm.backend.cuda.launch import blocks_for, double, integer, launch, word

__all__ = ["draw_mask"]

Array = Any
ENTRIES = 16  # of a mask, from one block of the stream


def draw_mask(key: tuple[int, int], step: int, threshold: int, kept: float, mask: Array) -> None:
    """As the function of this name in layers/dropout.py."""
    where = (word(key[0]), word(key[1]), word(step), masks_since())
    how = (integer(threshold), double(kept), word(mask.size))
    launch("dropout", "dropout_mask", mask.dtype, blocks_for(-(-mask.size // ENTRIES)), mask, *where, *how)
