"""Recurrent layers by the name of their cell.

The table imports none of them, so that a model's configuration can be checked without loading an array library.
"""

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rnnlm.layers.recurrent import Recurrent

__all__ = ["CELLS", "Cell"]


@dataclass(frozen=True)
class Cell:
    """A kind of recurrent layer.

    Attributes:
        home: module in this folder.
        name: of the class there, a `Recurrent`.
        gates: number of blocks in its weights.
    """

    home: str
    name: str
    gates: int

    @property
    def layer(self) -> "type[Recurrent]":
        """The class, imported on first use."""
        cls: type[Recurrent] = getattr(import_module(f"rnnlm.layers.{self.home}"), self.name)
        return cls


CELLS = {
    "rnn": Cell("rnn", "TimeRNN", gates=1),
    "lstm": Cell("lstm", "TimeLSTM", gates=4),
    "gru": Cell("gru", "TimeGRU", gates=3),
}
