import io
import json
import subprocess
import sys
from pathlib import Path
from threading import Timer

import numpy as np
import pytest

import rnnlm
from rnnlm.cli.commands import score as command
from rnnlm.cli.main import main
from rnnlm.progress import passing_bar
from rnnlm.saving.model_folder import load_model


def test_score(models, treebank, capsys, monkeypatch):
    folder = str(models / "trained")
    model, words = load_model(models / "trained" / "model")
    Path("lines").write_text("the cat sat on the x\n\na dog sat\n")
    want = rnnlm.score(model, [words.encode(f"{line} <eos>") for line in ("the cat sat on the x", "", "a dog sat")])
    assert main(["score", folder, "lines"]) == 0
    streams = capsys.readouterr()
    lines = [line.split("\t") for line in streams.out.splitlines()]
    assert [float(a) for a, _ in lines] == [round(one.logprob, 6) for one in want]
    assert [b for _, b in lines] == ["the cat sat on the x", "", "a dog sat"]
    nats = -sum(one.logprob for one in want) / 12
    assert (
        f"12 tokens, of which 0 are not among the model's words, each line by itself; perplexity {np.exp(nats):.2f}"
        in streams.err
    )
    assert main(["score", folder, "lines", "--words"]) == 0
    blocks = capsys.readouterr().out.split("\n\n")
    assert [line.split("\t")[1] for line in blocks[0].splitlines()] == ["the", "cat", "sat", "on", "the", "x", "<eos>"]
    assert [float(line.split("\t")[0]) for line in blocks[2].splitlines()] == [round(p, 6) for p in want[2].tokens]
    assert main(["score", folder, "lines", "--json"]) == 0
    objects = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [o["logprob"] for o in objects] == [one.logprob for one in want]
    tokens = want[1].tokens.tolist()
    assert objects[1] == {"logprob": want[1].logprob, "unknown": 0, "words": ["<eos>"], "logprobs": tokens}
    Path("strange").write_text("the zebra sat\n")
    assert main(["score", folder, "strange", "--json"]) == 0
    streams = capsys.readouterr()
    assert json.loads(streams.out)["unknown"] == 1
    assert "4 tokens, of which 1 are not among the model's words" in streams.err
    Path("empty").touch()
    assert main(["score", folder, "empty"]) == 0
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["-", "/dev/stdin"])
def test_score_reads_a_pipe(models, clean_env, name):
    command = [sys.executable, "-m", "rnnlm", "score", str(models / "trained"), name]
    done = subprocess.run(command, input=b"the cat sat\n" * 1500, capture_output=True, env=clean_env, check=True)
    lines = done.stdout.decode().splitlines()
    assert len(lines) == 1500
    values = {float(line.split("\t")[0]) for line in lines}
    assert max(values) - min(values) < 1e-4  # the same sentence, alone or among others


def refused(capsys, *arguments):
    """What is printed, and what is said of the line that ends it."""
    capsys.readouterr()
    assert main(list(arguments)) == 3
    return capsys.readouterr()


def test_a_line_that_cannot_be_scored_is_told_before_anything_is_printed(models, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(command, "LINES", 2)  # a thousand in truth: the third line is of the second block
    Path("lines").write_text("the cat\na dog\nthe <eos> cat\n")
    said = "rnnlm: lines, line 3: <eos> is the end of a line, and must not be a word of it\n"
    assert refused(capsys, "score", str(models / "trained"), "lines") == ("", said)
    Path("strange").write_text("the visitor\nthe\nthe zebra\n")  # of words that have no <unk>
    out, err = refused(capsys, "score", str(models / "storyish"), "strange")
    assert out == ""
    assert "strange, line 3: 'zebra' is not among the 102 words" in err
    Path("bytes").write_bytes(b"the cat\na dog\n\xff\n")
    assert refused(capsys, "score", str(models / "trained"), "bytes").out == ""


def test_words_and_json_go_together(models, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("lines").write_text("the zebra\n\n")
    rows = []
    for options in (["--json"], ["--words", "--json"]):
        assert main(["score", str(models / "trained"), "lines", *options]) == 0
        rows.append([json.loads(line) for line in capsys.readouterr().out.splitlines()])
    for sentence, told in zip(*rows):
        assert [(one["word"], one["logprob"]) for one in told["tokens"]] == list(
            zip(sentence["words"], sentence["logprobs"])
        )
        assert (told["logprob"], told["unknown"]) == (sentence["logprob"], sentence["unknown"])
    assert [one["unknown"] for one in rows[1][0]["tokens"]] == [False, True, False]


def test_files_with_odd_names(models, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for name, words in (("-", ["./-"]), ("-odd", ["--", "-odd"]), ("--", ["--", "--"])):
        Path(name).write_text(f"the cat\nname {name}\n")
        assert main(["score", str(models / "trained"), *words]) == 0
        assert f"\tname {name}\n" in capsys.readouterr().out


def test_lines_that_training_leaves_out_are_scored(tmp_path, monkeypatch, capsys):
    """Each line has its score: whoever puts them side by side counts on it."""
    monkeypatch.chdir(tmp_path)
    Path("text").write_text("the cat\nUnknown\na dog\n")
    assert main(["ngram", "train", "--corpus", "text", "--leave-out", "Unknown", "--order", "2", "--out", "lm"]) == 0
    capsys.readouterr()
    assert main(["score", "lm", "text"]) == 0
    assert [line.split("\t")[1] for line in capsys.readouterr().out.splitlines()] == ["the cat", "Unknown", "a dog"]


def test_standard_input_is_answered_line_by_line(models, clean_env):
    """Whoever writes waits for each answer before the next line."""
    arguments = [sys.executable, "-m", "rnnlm", "score", str(models / "trained"), "-"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(arguments, env=clean_env, text=True, bufsize=1, **pipes) as process:
        answers, deadline = [], Timer(60, process.kill)  # for one that would wait for ever
        deadline.daemon = True
        deadline.start()
        for line in ("the cat sat\n", "a dog\n", "\n", "the cat sat\n", "a <eos> dog\n"):
            process.stdin.write(line)
            process.stdin.flush()
            answers.append(process.stdout.readline())
        _, err = process.communicate()
        deadline.cancel()
    assert answers[0] == answers[3] != answers[1]
    assert answers[0].endswith("\tthe cat sat\n")
    assert answers[4] == ""
    assert "/dev/stdin, line 5: <eos> is the end of a line" in err
    assert process.returncode == 3


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("out", ["file", "terminal"])
def test_how_far_it_is_is_told_on_a_terminal(models, tmp_path, monkeypatch, out):
    """Where the lines go to a terminal they say it themselves."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdout", Terminal() if out == "terminal" else io.StringIO())
    monkeypatch.setattr(sys, "stderr", Terminal())
    made = []
    monkeypatch.setattr(command, "passing_bar", lambda *given: made.append(passing_bar(*given)) or made[-1])
    Path("lines").write_text("the cat\na dog\n")
    assert main(["score", str(models / "trained"), "lines"]) == 0
    (bar,) = made
    assert (bar.n, bar.total) == (0 if out == "terminal" else 14, 14)
