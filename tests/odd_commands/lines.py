"""Command lines that work in the folder of `place.py`, all options that there are, and odd words."""

from dataclasses import fields, is_dataclass
from typing import Any, get_type_hints

from rnnlm.cli.commands import data, ngram, vectors
from rnnlm.cli.options import COMMANDS

__all__ = ["FLAGS", "LINES", "ODD", "flags_of"]

TRAIN = [
    "train", "--corpus", "text", "--batch-size", "2", "--time-size", "4", "--max-epoch", "1", "--hidden-size", "4",
    "--wordvec-size", "4", "--out", "new",
]  # fmt: skip

LINES = [
    TRAIN,
    [*TRAIN, "--sentences"],
    [*TRAIN, "--cell", "lstm", "--layers", "2", "--tied", "--dropout-ratio", "0.2"],
    [*TRAIN, "--model", "nnlm", "--context", "2"],
    [*TRAIN, "--optimizer", "sgd", "--lr", "0.5", "--lr-rule", "plateau", "--lr-decay", "2"],
    [*TRAIN, "--units", "char", "--no-evaluate"],
    [*TRAIN[:1], "--recipe", "own.toml"],
    ["train", "--resume", "run"],
    ["train", "--resume", "run", "--max-epoch", "2"],
    *(
        line.split()
        for line in (
            "eval run",
            "eval run --corpus text",
            "eval run/model --corpus text --json",
            "eval run --corpus text --mix lm.arpa --mix-weight 0.5 0.5",
            "eval lm.arpa --corpus text --lanes 2",
            "compare run lm.arpa --corpus text",
            "score run text",
            "score run text --words",
            "score run - --json",
            "score lm.arpa text --mix run",
            "eval run --corpus text --cache-weight 0.1 --cache-size 20 --dynamic-lr 0.1",
            "rescore run lists.csv --weight 0.5 --reward 1",
            "rescore lm.arpa lists.csv --reference right --json",
            "generate run --count 2 --length 5 --seed 1",
            "generate run --prompt cat --greedy",
            "generate run --temperature 0.5 --top-k 3 --top-p 0.9",
            "generate lm.arpa --heat new.png",
            "info",
            "info run",
            "info lm.arpa",
            "plot run --out new.png",
            "quantize run --to float16 --out new",
            "data",
            "data where",
            "data encode text --out new.ids",
            "data encode text --vocab run --out new.ids",
            "data check text.ids",
            "ngram train --corpus text --out new.arpa --order 2",
            "ngram train --corpus text --out new --order 3 --cutoffs 1",
            "ngram convert lm.arpa new",
            "vectors train --corpus text --out new.vec --method svd --size 3",
            "vectors similar vectors.txt cat",
            "vectors analogy vectors.txt cat dog the",
            "--version",
            "train --help",
        )
    ),
]

ODD = [
    "", " ", "-", "--", "---", "-1", "-0", "0", "1", "2", "3", "1.5", "1e-400", "1e400", "nan", "inf", "-inf", "1_000",
    "0x10", "٣", "²", "10**9", "999999999999999999999", str(2**31), str(2**63), str(2**64), "1" * 5000, "True", "none",
    "None", "null", "[]", "{}", "1,2", "1 2", "a", "A" * 5000, "é", "한국어", "🙂", "a\nb", "a\tb", "\x1b[31m", "\x00",
    "\udcff", "a/b", "..", ".", "/", "/dev/null", "/dev/zero", "/dev/full", "/proc/self/mem", "/proc/none/x", "text",
    "text.ids", "run", "run/model", "lm.arpa", "vectors.txt", "empty", "binary", "folder", "loop", "gone", "pipe",
    "own.toml", "bad.toml", "bad.json", "no such file", "new/deep/er", "text/below", "story", "ptb", "rnn", "lstm",
    "sgd", "adam", "cosine", "nnlm", "char", "bpe", "test", "valid", "train", "cat", "<unk>", "<eos>", "cuda", "cpu",
    "--help", "-h", "--version", "--json", "--seed", "--corpus=text", "--out=", "=", "$HOME", "~", "*", "%s", "\\",
    "new.png", "new.svg", "new.foo", "200", "30s", "0s", "1h", "fp32", "tf32", "story-lstm", "seed-1000",
]  # fmt: skip


def flags_of(command: Any) -> list[str]:
    """The options of a command, those of groups of options too, as they are written."""
    found = []
    for field in fields(command):
        kind = get_type_hints(command).get(field.name)
        if is_dataclass(kind):
            found += flags_of(kind)
        else:
            name = field.name.replace("_", "-")
            found += [f"--{name}", f"--no-{name}"] if kind is bool else [f"--{name}"]
    return found


FLAGS = sorted(
    {
        flag
        for command in [*COMMANDS.values(), *(part for part in vars(ngram).values() if is_dataclass(part)),
                        *(part for part in vars(vectors).values() if is_dataclass(part)),
                        *(part for part in vars(data).values() if is_dataclass(part))]
        for flag in flags_of(command)
    }
)  # fmt: skip
