"""Language models with the book's method `generate`: chapter 7."""

from collections.abc import Collection, Sequence
from typing import Any

from rnnlm.book.chapters import BetterRnnlm, Rnnlm
from rnnlm.inference.generation import generate
from rnnlm.models.base import Model

__all__ = ["BetterRnnlmGen", "RnnlmGen"]


class _Writer(Model):
    """Mixin with the book's method `generate`."""

    def generate(
        self,
        start_id: int | Sequence[int],
        skip_ids: Collection[int] | None = None,
        sample_size: int = 100,
        **options: Any,
    ) -> list[int]:
        """Call the function `generate`, continuing from the model's current state, as in the book."""
        return generate(self, start_id, skip_ids, sample_size, **{"go_on": True, **options})


class RnnlmGen(Rnnlm, _Writer):
    """The book's LSTM language model with `generate(start_id, skip_ids, sample_size)`."""


class BetterRnnlmGen(BetterRnnlm, _Writer):
    """The book's better language model with `generate(start_id, skip_ids, sample_size)`."""
