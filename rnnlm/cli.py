"""The command line. Only this file and `__main__.py` know tyro.

Results go to standard output, everything else to standard error. `process.py` has the exit codes.

What needs an array library is imported inside functions, so that a backend that can't be loaded is one sentence too.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tyro.conf import OmitSubcommandPrefixes, Positional

from rnnlm.device import choose
from rnnlm.errors import DataError, InputError, MissingExtra
from rnnlm.process import handled

__all__ = ["main", "train_ptb"]


@dataclass(frozen=True)
class Eval:
    """Print the perplexity of a model on a text, every token but the first scored once.

    Example: rnnlm eval runs/story-001 --corpus story

    Attributes:
        model: folder of a model or of a run.
        corpus: story, ptb, or a UTF-8 text or an encoded file, which is scored whole.
        part: of story or ptb.
        data_dir: folder that holds ptb/; $RNNLM_DATA or the cache of downloads unless given.
        lanes: cut the text into so many parts and score them side by side: faster, and only approximately right.
        json: print one JSON object.
        device: cpu, cuda (an NVIDIA GPU), cuda:1 and so on; $RNNLM_DEVICE, or cpu, unless given.
    """

    model: Positional[Path]
    corpus: str = "story"
    part: Literal["train", "valid", "test"] = "test"
    data_dir: Path | None = None
    lanes: int = 1
    json: bool = False
    device: str | None = None

    def run(self) -> None:
        """Do it."""
        from rnnlm.commands import evaluate_model

        evaluate_model(self.model, self.corpus, self.part, self.data_dir, self.lanes, self.json)


@dataclass(frozen=True)
class Score:
    """Print the natural-log probability of each line of a text, `<eos>` included; each line stands alone.

    Example: rnnlm score runs/story-001 hypotheses.txt

    Attributes:
        model: folder of a model or of a run.
        file: a UTF-8 text file, one sentence a line; - for standard input.
        words: one line for each token instead, and an empty one after each sentence.
        json: a JSON object for each sentence.
        device: cpu, cuda (an NVIDIA GPU), cuda:1 and so on; $RNNLM_DEVICE, or cpu, unless given.
    """

    model: Positional[Path]
    file: Positional[Path]
    words: bool = False
    json: bool = False
    device: str | None = None

    def run(self) -> None:
        """Do it."""
        from rnnlm.commands import score_file

        score_file(self.model, self.file, self.words, self.json)


@dataclass(frozen=True)
class Generate:
    """Print texts that a model makes up, one a line.

    Example: rnnlm generate runs/story-001 --prompt "the visitor" --count 5 --seed 1

    Attributes:
        model: folder of a model or of a run.
        prompt: words to begin with.
        length: most words of a text, the prompt included; it ends sooner at the end of a line.
        count: texts to write.
        temperature: below 1 keeps closer to the likely words, above 1 strays further.
        top_k: sample from the k most likely words only.
        top_p: sample from the fewest likely words whose probabilities add up to p.
        greedy: always take the most likely word.
        seed: the same seed gives the same texts.
        heat: draw the word probabilities of the first text in this picture.
        device: cpu, cuda (an NVIDIA GPU), cuda:1 and so on; $RNNLM_DEVICE, or cpu, unless given.
    """

    model: Positional[Path]
    prompt: str = ""
    length: int = 50
    count: int = 1
    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None
    greedy: bool = False
    seed: int | None = None
    heat: Path | None = None
    device: str | None = None

    def run(self) -> None:
        """Do it."""
        from rnnlm.checks import whole_number
        from rnnlm.commands import write_text

        whole_number("count", self.count, 1)
        whole_number("length", self.length, 1)
        if self.greedy and (self.top_k is not None or self.top_p is not None or self.temperature != 1):
            raise InputError("greedy takes the most likely word: leave out temperature, top_k and top_p")
        options = {name: getattr(self, name) for name in ("temperature", "top_k", "top_p", "greedy")}
        write_text(self.model, self.prompt, self.length, self.count, self.heat, self.seed, options)


@dataclass(frozen=True)
class Info:
    """Print versions and the backend; of a model also its layers, shapes and parameter counts.

    Example: rnnlm info runs/story-001

    Attributes:
        model: folder of a model or of a run.
        device: cpu, cuda (an NVIDIA GPU), cuda:1 and so on; $RNNLM_DEVICE, or cpu, unless given.
    """

    model: Positional[Path | None] = None
    device: str | None = None

    def run(self) -> None:
        """Do it."""
        from rnnlm.commands import show_info

        show_info(self.model)


@dataclass(frozen=True)
class Plot:
    """Draw the perplexities of several runs in one picture.

    Example: rnnlm plot runs/story-001 runs/story-002 --out both.png

    Attributes:
        runs: folders of runs.
        out: the picture; its ending says in which format.
    """

    runs: Positional[tuple[Path, ...]]
    out: Path = Path("perplexity.png")

    def run(self) -> None:
        """Do it."""
        from rnnlm.commands import plot_runs

        if not self.runs:
            raise InputError("runs must name at least one folder of a run")
        plot_runs(self.runs, self.out)


@dataclass(frozen=True)
class Encode:
    """Write a text as an encoded corpus: ids and words in one file, which is never loaded whole.

    Example: rnnlm data encode book.txt && rnnlm train --corpus book.txt.ids

    Attributes:
        text: a UTF-8 text file.
        out: the file to write; TEXT.ids unless given.
        vocab: encode in these words: folder of a model or of a run, an encoded corpus, or a file of one word a line.
        max_words: words to tell apart, the most frequent ones, where vocab names none.
        overwrite: replace what is there.
    """

    text: Positional[Path]
    out: Path | None = None
    vocab: Path | None = None
    max_words: int = 10_000
    overwrite: bool = False

    def run(self) -> None:
        """Do it."""
        from rnnlm.data_commands import encode_text

        encode_text(self.text, self.out, self.vocab, self.max_words, self.overwrite)


@dataclass(frozen=True)
class Check:
    """Check an encoded corpus to its last id.

    Example: rnnlm data check book.txt.ids

    Attributes:
        file: what `rnnlm data encode` wrote.
    """

    file: Positional[Path]

    def run(self) -> None:
        """Do it."""
        from rnnlm.data_commands import check_file

        check_file(self.file)


@dataclass(frozen=True)
class Where:
    """Print where corpora are, as without a word after `data`."""


@dataclass(frozen=True)
class Data:
    """Print where corpora are, or download one; encode a text.

    Example: rnnlm data --fetch ptb

    Attributes:
        fetch: download this corpus (takes the extra 'data').
        data_dir: folder that holds ptb/, or will; $RNNLM_DATA or the cache of downloads unless given.
        action: what to do.
    """

    fetch: Literal["ptb"] | None = None
    data_dir: Path | None = None
    action: OmitSubcommandPrefixes[Encode | Check | Where] = Where()

    def run(self) -> None:
        """Do it."""
        from rnnlm.data_commands import show_data

        if isinstance(self.action, Where):
            show_data(self.fetch is not None, self.data_dir)
            return
        if self.fetch is not None or self.data_dir is not None:
            raise InputError("encode and check take files: leave out fetch and data_dir")
        self.action.run()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code; errors are one sentence on standard error.

    Args:
        arguments: those of the process unless given.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    return handled(lambda: _run(_parse(given)))


def train_ptb(arguments: Sequence[str]) -> int:
    """`train` with Penn Treebank as its corpus; where that is not to be had, with the built-in one.

    With `--corpus ptb` it insists.
    """
    return handled(lambda: _run(_with_ptb(list(arguments))))


def _with_ptb(given: list[str]) -> Any:
    """The command that `train_ptb` has to run."""
    from rnnlm.data import ptb

    command = _parse(["train", *_default(given, "--recipe", "book-lstm"), *given])
    if command.corpus != "ptb" or _value(given, "--corpus") is not None:
        return command
    try:
        ptb.find_all(command.data_dir)
    except DataError as missing:
        try:
            if command.data_dir is not None:
                raise
            print(f"rnnlm: {ptb.LICENCE}", file=sys.stderr)
            ptb.fetch()
        except (DataError, MissingExtra) as error:
            why = missing if isinstance(error, MissingExtra) else error
            print(f"rnnlm: training on the built-in corpus instead: {why}", file=sys.stderr)
            return _parse(["train", *_default(given, "--recipe", "story"), *given, "--corpus", "story"])
    return command


def _parse(arguments: list[str]) -> Any:
    """The command that the arguments ask for; tyro ends the process where they are wrong or ask for help."""
    import tyro

    choose(_value(arguments, "--device"), _value(arguments, "--precision"))  # before the next line needs it

    from rnnlm import recipes
    from rnnlm.settings import TrainConfig

    commands: dict[str, Any] = {
        "train": TrainConfig,
        "eval": Eval,
        "score": Score,
        "generate": Generate,
        "info": Info,
        "plot": Plot,
        "data": Data,
    }
    if arguments[:1] == ["train"]:
        name = _value(arguments, "--recipe") or TrainConfig.recipe
        TrainConfig.from_recipe(name)  # for its errors
        arguments = ["train", *recipes.arguments(recipes.load(name)["settings"]), *arguments[1:]]
    return tyro.extras.subcommand_cli_from_dict(
        commands, prog="rnnlm", description="Recurrent neural network language models.", args=arguments
    )


def _run(command: Any) -> None:
    from rnnlm.experiment import run
    from rnnlm.settings import TrainConfig

    if isinstance(command, TrainConfig):
        run(command)
    else:
        command.run()


def _value(arguments: list[str], flag: str) -> str | None:
    """The value of an option, if it is given; the last one wins."""
    found = None
    for word, following in zip(arguments, [*arguments[1:], None]):
        if word == flag:
            found = following
        elif word.startswith(f"{flag}="):
            found = word.partition("=")[2]
    return found


def _default(arguments: list[str], flag: str, value: str) -> list[str]:
    """The option, unless it is given already."""
    return [] if _value(arguments, flag) else [flag, value]
