"""`rnnlm score`."""

import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from tyro.conf import Positional, arg

from rnnlm.cli.commands.base import Command
from rnnlm.cli.mixing import Mixing
from rnnlm.data.lines import Advance
from rnnlm.data.text import lines_of, strange_word
from rnnlm.data.vocabulary import EOS, Vocabulary
from rnnlm.errors import DataError, InputError
from rnnlm.files import to_json
from rnnlm.progress import passing_bar

if TYPE_CHECKING:
    from rnnlm.inference.scoring import Score as Scored

__all__ = ["Score"]

LINES = 1_000  # scored at a time


@dataclass(frozen=True)
class Score(Command):
    """Print the natural-log probability of each line of a text, including `<eos>`; lines are independent.

    A file is checked whole before the first line is scored. Standard input is answered line by line; other pipes
    (/dev/stdin, <(zcat FILE)) are scored in blocks, which is several times faster.

    Example: rnnlm score runs/story-001 hypotheses.txt

    Attributes:
        model: folder of a model or of a run, or an ARPA file.
        file: a UTF-8 text file, one sentence per line; - for standard input, ./- for a file named -.
        column: the column of a CSV file that holds the text. If not given: for a .csv file, the column that the model
            was trained on.
        mixing: models to mix with it.
        words: print one line per token instead, and an empty line after each sentence.
        json: print one JSON object per sentence; with --words it holds an object per token.
        device: cpu, cuda (an NVIDIA GPU), cuda:1 and so on. If not given: $RNNLM_DEVICE, else cpu.
    """

    model: Annotated[Positional[Path], arg(metavar="MODEL")]
    file: Annotated[Positional[str], arg(metavar="FILE")]  # a Path would take ./- for -
    column: str | None = None
    mixing: Mixing = field(default_factory=Mixing)
    words: bool = False
    json: bool = False
    device: str | None = None

    def run(self) -> None:
        """Print the log-probabilities, and at the end the perplexity of all lines together."""
        from rnnlm.inference.evaluation import perplexity
        from rnnlm.inference.scoring import score

        model, vocabulary = self.mixing.open_mixed(self.model)
        if vocabulary.eos_id is None:
            raise InputError("this model has no <eos> among its words, so no sentence has a beginning and an end")
        path = _standard_input() if self.file == "-" else self.file
        vocabulary = vocabulary.for_file(path, self.column)
        options = replace(vocabulary.reading.options, leave_out=())  # each line has an answer
        vocabulary = vocabulary.read_by(options)
        tokens, unknown, blank, nats = 0, 0, 0, 0.0
        for sentences in self._sentences(path, vocabulary):
            scores = score(model, [vocabulary.encode(sentence) for sentence in sentences], vocabulary.eos_id)
            for sentence, scored in zip(sentences, scores):
                strange = sum(word not in vocabulary for word in sentence)
                if len(sentence) > 1 or not vocabulary.reading.options.sentences:
                    tokens, unknown, nats = tokens + len(sentence), unknown + strange, nats - scored.logprob
                else:  # no sentence, to a model that was trained without blank lines
                    blank += 1
                print(self._shown(vocabulary, sentence, scored, strange), flush=self.file == "-")
        if tokens:
            told = f"{tokens:,} tokens, of which {unknown:,} are not among the model's words, each line by itself"
            left_out = f" ({blank:,} blank lines are not counted)" if blank else ""
            print(f"rnnlm: {told}{left_out}; perplexity {perplexity(nats / tokens):.2f}", file=sys.stderr)

    def _sentences(self, path: str, vocabulary: Vocabulary) -> Iterator[list[list[str]]]:
        """Yield the sentences in blocks. A file is checked to its end first; standard input comes one by one, because
        its writer may wait for an answer before the next line."""
        if self.file == "-":
            yield from ([sentence] for sentence in _checked(path, vocabulary))
            return
        size = Path(path).stat().st_size if Path(path).is_file() else 0
        for _ in _checked(path, vocabulary) if size else ():  # a pipe can be read only once
            pass
        silent = not size or sys.stdout.isatty() or vocabulary.reading.options.column is not None  # no counts
        with passing_bar(size, "B", silent) as bar:
            yield from _blocks(_checked(path, vocabulary, bar.update), LINES)

    def _shown(self, vocabulary: Vocabulary, sentence: list[str], scored: "Scored", strange: int) -> str:
        """Return the output for a sentence, `strange` of whose words are unknown to the model."""
        logprobs = scored.tokens.tolist()
        if self.json and self.words:
            pairs = [
                {"word": word, "logprob": p, "unknown": word not in vocabulary} for p, word in zip(logprobs, sentence)
            ]
            return to_json({"logprob": scored.logprob, "unknown": strange, "tokens": pairs})
        if self.json:
            known = {"logprob": scored.logprob, "unknown": strange, "words": sentence}
            return to_json({**known, "logprobs": logprobs})
        if self.words:
            return "".join(f"{p:.6f}\t{word}\n" for p, word in zip(logprobs, sentence))
        return f"{scored.logprob:.6f}\t{vocabulary.reading.units.join(sentence[:-1])}"


def _checked(path: str, vocabulary: Vocabulary, advance: Advance | None = None) -> Iterator[list[str]]:
    """Yield the sentences of a text, each of which can be scored.

    Raises:
        DataError: one of them can't; the message names its line.
    """
    eos, known = EOS.encode(), {word.encode() for word in vocabulary.words}
    for number, line in lines_of(path, advance, vocabulary.reading):
        if eos in line[:-1]:
            raise DataError(f"{path}, line {number}: {EOS} is the end of a line, and must not be a word of it")
        if vocabulary.unk_id is None and not known.issuperset(line):
            raise strange_word(path, number, line, known)
        yield [word.decode() for word in line]


def _standard_input() -> str:
    """Return a path that leads to standard input.

    Raises:
        InputError: on Windows, which has no such path.
    """
    if os.name == "nt":
        raise InputError("file must be a text file on Windows, got -: standard input has no path there")
    return "/dev/stdin"


def _blocks(lines: Iterable[Any], size: int) -> Iterator[list[Any]]:
    """Yield lists of up to `size` lines, so that results come early and memory use stays constant."""
    lines = iter(lines)
    while block := list(islice(lines, size)):
        yield block
