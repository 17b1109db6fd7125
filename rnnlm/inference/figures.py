"""Evaluation results as a table, also per word, character and byte, for models with different tokens."""

from collections.abc import Sequence
from math import log
from typing import Any

from rnnlm.data.reading import TextSize
from rnnlm.inference.evaluation import Evaluation, perplexity

__all__ = ["figures", "table"]


def figures(result: Evaluation, size: TextSize | None) -> dict[str, Any]:
    """Return all figures of an evaluation by name.

    Args:
        result: the evaluation of a text.
        size: of the part of the text that was scored, or None if unknown. Given it, the loss is also computed per word,
            character and byte, so that models with different tokens can be compared. An unknown word counts with its
            own characters and bytes, and costs what `<unk>` costs.
    """
    total = result.nats * result.tokens
    by = {} if size is None else {"word": size.words, "character": size.characters, "byte": size.bytes}
    found = {
        "perplexity": result.perplexity,
        "perplexity_without_unk": result.known_perplexity,
        "nats": result.nats,
        "stderr": result.stderr,
        "tokens": result.tokens,
        "unk_tokens": result.unks,
        "state": result.resets,
    }
    for name, count in by.items():
        found[f"perplexity_per_{name}"] = perplexity(total / count) if count else None
        found[f"bits_per_{name}"] = total / log(2) / count if count else None
    return found


def table(columns: Sequence[dict[str, Any]], names: Sequence[str] = ()) -> str:
    """Return figures as a text table, with a column for each text or model, headed by `names`."""
    rows = [["", *names]] if names else []
    for key in dict.fromkeys(key for column in columns for key in column):
        rows.append([key.replace("_", " "), *(_shown(column.get(key)) for column in columns)])
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join(
        "  ".join([row[0].ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(row[1:], widths[1:]))]) for row in rows
    )


def _shown(value: Any) -> str:
    """Return a figure as text."""
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:,.4f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
