"""Recurrent layers by the name of their cell.

The table loads none of them: what is asked of a model is checked, and explained, where there is no array library.
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
        home: its module in this folder.
        name: of its class there, a `Recurrent`.
        gates: blocks in its weights.
    """

    home: str
    name: str
    gates: int

    @property
    def layer(self) -> "type[Recurrent]":
        """The class."""
        cls: type[Recurrent] = getattr(import_module(f"rnnlm.layers.{self.home}"), self.name)
        return cls


CELLS = {
    "rnn": Cell("rnn", "TimeRNN", gates=1),
    "lstm": Cell("lstm", "TimeLSTM", gates=4),
    "gru": Cell("gru", "TimeGRU", gates=3),
}
