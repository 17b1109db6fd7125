"""The folder in which odd command lines are tried: a text, models of it, and rubbish."""

import os
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

from rnnlm.cli.main import main
from tests.odd_commands.lines import TRAIN

__all__ = ["furnish"]

TEXT = "the cat sat on the mat\na dog saw the cat\n" * 40


def furnish(folder: Path) -> None:
    """Make what the command lines name; raises where one of them fails that is to work."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        Path("text").write_text(TEXT)
        Path("lists.csv").write_text("utterance,acoustic,text\nu1,-1,the cat sat\nu1,-2,a cat sat\nu2,-3,a dog\n")
        Path("right").write_text("u1 the cat sat\nu2 the dog\n")
        Path("empty").touch()
        Path("binary").write_bytes(bytes(range(256)) * 4)
        Path("folder").mkdir()
        Path("loop").symlink_to("loop")
        Path("gone").symlink_to("nowhere")
        Path("own.toml").write_text('[settings]\ncorpus = "text"\nmax_epoch = 1\nbatch_size = 2\ntime_size = 4\n')
        Path("bad.toml").write_text('[settings]\nhidden_size = "many"\ntied = 1\n')
        Path("bad.json").write_text('{"a": 1, "a": 2}')
        with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
            for words in (
                [*TRAIN[:-1], "run"],
                ["data", "encode", "text"],
                ["ngram", "train", "--corpus", "text", "--out", "lm.arpa", "--order", "2"],
                ["vectors", "train", "--corpus", "text", "--out", "vectors.txt", "--method", "svd", "--size", "3"],
            ):
                assert main(words) == 0, words
    finally:
        os.chdir(before)
