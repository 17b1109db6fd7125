"""Sequence to sequence, as in Deep Learning from Scratch 2, chapters 7 and 8: sums of two numbers, and dates.

    python scripts/train_seq2seq.py
    python scripts/train_seq2seq.py --reverse
    python scripts/train_seq2seq.py --reverse --model peeky
    python scripts/train_seq2seq.py --data dates --reverse --model attention --hidden-size 256 --max-epoch 7
    python scripts/train_seq2seq.py compare runs/additions-plain-001 runs/additions-plain-002 --out both.png

Each of the first four trains a model, prints the share of unseen questions that it answers right after each epoch, and
leaves its figures and pictures in a folder; the last one draws the curves of several.
"""

import json
import sys
from pathlib import Path

import tyro

from rnnlm.cli import process
from rnnlm.drawing import expect_picture_name
from rnnlm.errors import InputError
from rnnlm.experiments.answer_pictures import save_learning
from rnnlm.experiments.answers import AnswersConfig, run


def compare(folders: tyro.conf.Positional[tuple[Path, ...]], out: Path = Path("learning.png")) -> None:
    """Draw the accuracies and losses of several trainings in one picture.

    Args:
        folders: of the trainings.
        out: the picture; its ending says in which format.
    """
    expect_picture_name(out)
    curves = {}
    for folder in folders:
        if not (folder / "metrics.jsonl").is_file():
            raise InputError(f"{folder} has no metrics.jsonl: name folders that this script has written")
        lines = (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
        curves[folder.name] = [json.loads(line) for line in lines]
    if not curves:
        raise InputError("name a folder at least")
    save_learning(out, curves)
    print(out)


def main(arguments: list[str]) -> None:
    """Train, or compare, as the first word says."""
    if arguments[:1] == ["compare"]:
        tyro.cli(compare, args=arguments[1:])
    else:
        run(tyro.cli(AnswersConfig, description=__doc__, args=arguments))


if __name__ == "__main__":
    sys.exit(process.handled(lambda: main(sys.argv[1:])))
