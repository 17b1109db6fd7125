"""`rnnlm generate`."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import Positional, UseAppendAction, arg

from rnnlm.checks import shown, whole_number
from rnnlm.cli.commands.base import Command
from rnnlm.cli.mixing import Mixing
from rnnlm.data.vocabulary import UNK, Vocabulary
from rnnlm.drawing import expect_new_picture
from rnnlm.errors import InputError
from rnnlm.inference.sampling import Sampling
from rnnlm.plotting import save_surprise
from rnnlm.progress import note

if TYPE_CHECKING:
    from rnnlm.inference.predictor import Predictor

__all__ = ["Generate"]


@dataclass(frozen=True)
class Generate(Command):
    """Print texts sampled from a model, one per line.

    Example: rnnlm generate runs/story-001 --prompt "the visitor" --count 5 --seed 1

    Attributes:
        model: folder of a model or of a run, or an ARPA file.
        prompt: words to begin with.
        length: longest text, in words (characters, byte pairs) including the prompt; the end of a line ends it earlier.
        count: number of texts.
        skip: a word that is never sampled, such as `<unk>`; may be repeated.
        mixing: models to mix with it.
        sampling: how each word is chosen.
        heat: save a picture of the first text's word probabilities to this file.
        overwrite: replace an existing picture.
        device: cpu, cuda (an NVIDIA GPU), cuda:1 and so on. If not given: $RNNLM_DEVICE, else cpu.
    """

    model: Annotated[Positional[Path], arg(metavar="MODEL")]
    prompt: str = ""
    length: int = 50
    count: int = 1
    skip: UseAppendAction[tuple[str, ...]] = ()
    mixing: Mixing = field(default_factory=Mixing)
    sampling: Sampling = field(default_factory=Sampling)
    heat: Path | None = None
    overwrite: bool = False
    device: str | None = None

    def run(self) -> None:
        """Print `count` texts: the prompt and what the model adds, up to the end of a line or `length`."""
        from rnnlm.inference.generation import generate
        from rnnlm.inference.predictor import start_of

        self._check()
        model, words = self.mixing.open_mixed(self.model)
        begin = [] if words.eos_id is None else [words.eos_id]
        prompt = words.encode(self.prompt).tolist()
        _tell_unknown(self.prompt, words)
        skip = [self._id_of(word, words) for word in self.skip]
        if not (begin or prompt):
            raise InputError("prompt must have a word: this model has no <eos> to begin after")
        if self.length < len(prompt):
            raise InputError(f"length must be at least the {len(prompt)} tokens of the prompt, got {self.length}")
        known = len(begin) + len(prompt)
        looks_back = 0 if start_of(model) is not None else getattr(model, "context", None) or 0
        if known < looks_back:
            missing = f"{looks_back - known} of the {looks_back} words that this model looks back at"
            note(f"{missing} are before the prompt: zeros, as where its training began")
        texts = []
        for number in range(self.count):
            size = len(begin) + self.length
            how = asdict(self.sampling)
            ids = generate(model, begin + prompt, skip, size, stop_id=words.eos_id, number=number, **how)
            text = words.text(ids[len(begin) :])
            print(" ".join(text.splitlines()).rstrip())  # byte pairs may contain line ends
            texts.append(ids)
        if self.heat is not None:  # last, so that an error in drawing loses no text
            draw_heat(model, words, texts[0], self.heat)

    def _check(self) -> None:
        whole_number("count", self.count, 1)
        whole_number("length", self.length, 1)
        if self.sampling.greedy and self.sampling != Sampling(greedy=True):
            raise InputError("greedy takes the most likely word: leave out temperature, top_k, top_p and seed")
        if self.heat is not None:
            expect_new_picture("heat", self.heat, self.overwrite)
        elif self.overwrite:
            raise InputError("overwrite is for a picture that is there: name it, --heat FILE, or leave out --overwrite")

    def _id_of(self, word: str, words: Vocabulary) -> int:
        """Return the id of a word to skip."""
        if word not in words:
            raise InputError(f"skip must name words of the model, got {word!r}, which is none of its {len(words):,}")
        return words.word_to_id[word]


def _tell_unknown(prompt: str, words: Vocabulary) -> None:
    """Print a note naming the units of a prompt that the model does not know."""
    strange = dict.fromkeys(unit for unit in words.reading.cut(prompt) if unit not in words)
    if strange:
        note(f"not among the model's words, and read as {UNK}: {', '.join(map(shown, strange))}")


def draw_heat(model: "Predictor", words: Vocabulary, ids: Sequence[int], path: Path) -> None:
    """Draw the probability that the model gives to each word of a text after the first."""
    import numpy as np

    from rnnlm.backend import ops

    if len(ids) < 2:
        raise InputError("a heat strip needs a text of at least two words")
    model.reset_state()
    nats = ops.asnumpy(model.losses([ids[:-1]], [ids[1:]]))[0]
    save_surprise(path, words.decode(ids[1:]), np.exp(-nats))
    note(f"word probabilities of the first text are drawn in {path}")
