import json
import subprocess
import sys
from pathlib import Path

import numpy as np

import rnnlm
from rnnlm.cli.main import main
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


def test_score_reads_a_pipe(models, clean_env):
    command = [sys.executable, "-m", "rnnlm", "score", str(models / "trained"), "-"]
    done = subprocess.run(command, input=b"the cat sat\n" * 2500, capture_output=True, env=clean_env, check=True)
    lines = done.stdout.decode().splitlines()
    assert len(lines) == 2500
    values = {float(line.split("\t")[0]) for line in lines}
    assert max(values) - min(values) < 1e-4  # the same sentence, in groups of several sizes
