"""`rnnlm score`."""

import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tyro.conf import Positional

from rnnlm.cli.commands.base import Command
from rnnlm.cli.mixing import Mixing
from rnnlm.data.text import lines_of
from rnnlm.data.vocabulary import Vocabulary
from rnnlm.errors import InputError
from rnnlm.files import to_json

if TYPE_CHECKING:
    from rnnlm.inference.scoring import Score as Scored

__all__ = ["Score"]

LINES = 1_000  # scored at a time


@dataclass(frozen=True)
class Score(Command):
    """Print the natural-log probability of each line of a text, `<eos>` included; each line stands alone.

    Example: rnnlm score runs/story-001 hypotheses.txt

    Attributes:
        model: folder of a model or of a run, or an ARPA file.
        file: a UTF-8 text file, one sentence a line; - for standard input.
        column: of a CSV file, the column that has the text; that of the model's training, if the file is called .csv.
        mixing: other models beside it.
        words: one line for each token instead, and an empty one after each sentence.
        json: a JSON object for each sentence.
        device: cpu, cuda (an NVIDIA GPU), cuda:1 and so on; $RNNLM_DEVICE, or cpu, unless given.
    """

    model: Positional[Path]
    file: Positional[Path]
    column: str | None = None
    mixing: Mixing = field(default_factory=Mixing)
    words: bool = False
    json: bool = False
    device: str | None = None

    def run(self) -> None:
        """Print the log-probabilities, and in the end the perplexity of all lines together."""
        from rnnlm.inference.evaluation import perplexity
        from rnnlm.inference.scoring import score

        model, vocabulary = self.mixing.open_mixed(self.model)
        if vocabulary.eos_id is None:
            raise InputError("this model has no <eos> among its words, so no sentence has a beginning and an end")
        path = _standard_input() if str(self.file) == "-" else self.file
        tokens, unknown, nats = 0, 0, 0.0
        reading = vocabulary.reading.for_file(path, self.column)
        for lines in _blocks(lines_of(path, None, reading), LINES):
            sentences = [[word.decode() for word in line] for _, line in lines]
            scores = score(model, [vocabulary.encode(sentence) for sentence in sentences], vocabulary.eos_id)
            for sentence, scored in zip(sentences, scores):
                strange = sum(word not in vocabulary for word in sentence)
                if len(sentence) > 1 or not reading.options.sentences:  # else a blank line, which is no sentence
                    tokens, unknown, nats = tokens + len(sentence), unknown + strange, nats - scored.logprob
                print(self._shown(vocabulary, sentence, scored, strange))
        if tokens:
            told = f"{tokens:,} tokens, of which {unknown:,} are not among the model's words, each line by itself"
            print(f"rnnlm: {told}; perplexity {perplexity(nats / tokens):.2f}", file=sys.stderr)

    def _shown(self, vocabulary: Vocabulary, sentence: list[str], scored: "Scored", strange: int) -> str:
        """What is printed for a sentence, `strange` of whose words the model has not."""
        if self.json:
            known = {"logprob": scored.logprob, "unknown": strange, "words": sentence}
            return to_json({**known, "logprobs": scored.tokens.tolist()})
        if self.words:
            return "".join(f"{p:.6f}\t{word}\n" for p, word in zip(scored.tokens.tolist(), sentence))
        return f"{scored.logprob:.6f}\t{vocabulary.reading.units.join(sentence[:-1])}"


def _standard_input() -> Path:
    """A path that leads to standard input.

    Raises:
        InputError: on Windows, which has none.
    """
    if os.name == "nt":
        raise InputError("file must be a text file on Windows, got -: standard input has no path there")
    return Path("/dev/stdin")


def _blocks(lines: Iterable[Any], size: int) -> Iterator[list[Any]]:
    """So many lines at a time, so that results come as they are ready and memory does not grow."""
    lines = iter(lines)
    while block := list(islice(lines, size)):
        yield block
