"""`rnnlm quantize`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional, arg

from rnnlm.cli.commands.base import Command
from rnnlm.cli.folders import open_predictor
from rnnlm.errors import InputError

__all__ = ["Quantize"]


@dataclass(frozen=True)
class Quantize(Command):
    """Convert a recurrent language model to int8 or float16 weights, which take a quarter or half of the disk and
    memory. eval, compare, score, rescore, generate and info accept the result; it can't be trained.

    Example: rnnlm quantize runs/story-001 --to int8 -o story-int8

    Attributes:
        model: folder of a model or of a run.
        to: int8, with a scale for each column of a matrix, or float16.
        out: a new folder. If not given: the model's folder name with -int8 or -float16 appended.
        device: cpu, cuda (an NVIDIA GPU), cuda:1 and so on. If not given: $RNNLM_DEVICE, else cpu.
    """

    model: Annotated[Positional[Path], arg(metavar="MODEL")]
    to: Literal["int8", "float16"] = "int8"
    out: Annotated[Path | None, arg(aliases=["-o"])] = None
    device: str | None = None

    def run(self) -> None:
        """Save the model, and print the sizes of its weights."""
        out = self._new_folder()
        from rnnlm.models.base import Model
        from rnnlm.models.quantized import quantize
        from rnnlm.saving.model_folder import save_model

        model, words = open_predictor(self.model)
        if not isinstance(model, Model):
            raise InputError(f"model must be a recurrent language model, and {self.model} has n-grams")
        small = quantize(model, self.to)
        save_model(out, small, words)
        before, after = (sum(p.nbytes for p in one.params) for one in (model, small))
        print(f"{out}: {self.to}, {after:,} bytes of weights in place of {before:,}")

    def _new_folder(self) -> Path:
        """Return the folder to save to, which must not exist yet."""
        named = self.model if self.model.name not in ("", "..") else self.model.resolve()
        out = named.parent / f"{named.name}-{self.to}" if self.out is None else self.out
        if out.exists():
            raise InputError(f"out must be a new folder, and {out} exists: name another, --out FOLDER")
        return out
