"""`rnnlm info`."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from rnnlm import __version__
from rnnlm.cli.commands.base import Command
from rnnlm.cli.folders import open_model
from rnnlm.experiments.metrics import METRICS, best_of_rows, read_metrics

__all__ = ["Info"]


@dataclass(frozen=True)
class Info(Command):
    """Print versions, the processor, the backend and its kernels; for a model also its layers, shapes and parameter
    counts, for a run the epoch of its best model, for an n-gram model the number of n-grams.

    Example: rnnlm info runs/story-001

    Attributes:
        model: folder of a model or of a run, or an ARPA file.
        device: cpu, cuda (an NVIDIA GPU), cuda:1 and so on. If not given: $RNNLM_DEVICE, else cpu.
    """

    model: Annotated[Positional[Path | None], arg(metavar="[MODEL]")] = None
    device: str | None = None

    def run(self) -> None:
        """Print the machine's description and, for a model, its layers with their shapes."""
        show_machine()
        if self.model is not None:
            show_model(self.model)


def show_machine() -> None:
    """Print versions, the processor, the array library and its fused functions, and what slows it down."""
    from rnnlm.backend import TWINS, ops
    from rnnlm.backend.cpu.machine import processor

    print(f"rnnlm {__version__}, Python {sys.version.split()[0]}, {ops.describe()}")
    print(f"processor: {processor() or 'unknown'}")
    print(f"fused functions: {', '.join(sorted(TWINS)) or 'none'}")
    for remark in ops.remarks():
        print(remark)


def show_model(folder: Path) -> None:
    """Print a model's vocabulary size and text options, and its `summary`."""
    from rnnlm.saving.ngram_files import is_ngram, load_ngram
    from rnnlm.saving.open_folder import MANIFEST, expect_whole

    if is_ngram(folder):
        if (folder / MANIFEST).exists():
            expect_whole(folder)  # all of its tables: opening a model reads them only in part
        ngram, words = load_ngram(folder)
        print(f"\nn-grams up to order {ngram.order}, {len(words):,} words\n  {'reads':16s} {words.reading}")
        ngram.summary()
        return
    model, words = open_model(folder)
    print(f"\n{model.config.model}, {len(words):,} words, {model.config.kept_as}, seed {model.config.seed}")
    print(f"  {'reads':16s} {words.reading}")
    if (folder / METRICS).is_file() and (best := best_of_rows(read_metrics(folder))):
        print(f"  {'best model':16s} epoch {best[0]}, valid {best[1]:.2f}")
    model.summary()
