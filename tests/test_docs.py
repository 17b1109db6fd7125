"""Every block of Python and every command on the pages of docs/ that teach."""

import re
import shlex
import shutil
from pathlib import Path

import pytest

from rnnlm.backend import NAME
from rnnlm.cli.main import main
from rnnlm.data.corpora import story

DOCS = Path(__file__).parent.parent / "docs"
SMALL = "--max-epoch 1 --hidden-size 20 --no-evaluate"  # than docs/ngrams.md has it
SHORTER = "tokens, epochs = 1_000_000, 8", "tokens, epochs, test = 60_000, 1, test[:20_000]"  # than the page has it


@pytest.mark.skipif(NAME != "numpy", reason="the pages give arrays of NumPy to layers: runs on NumPy")
@pytest.mark.parametrize(
    ("page", "said"),
    [
        (
            "networks.md",
            ["XOR [0. 1. 1. 0.]", "accuracy 1.0", "dense1.b [0.3]", "0.0239719", "0.0232363", "valid accuracy 0.9"],
        ),
        ("word-vectors.md", ["('goodbye', 0.7"]),
        ("from-counts-to-lstm.md", ["NNLM, 4 words", "LSTM", "nats above the floor"]),
        ("predictors.md", ["nats a token", ", -2"]),
        ("training.md", ["training SimpleRnnlm\nepoch 1: ", "valid perplexities ["]),
        ("answers.md", ["right: 0.", "-> ", "(4, 1, 7)"]),
    ],
)
def test_its_code_runs(page, said, tmp_path, monkeypatch, capsys):
    pytest.importorskip("matplotlib", reason="needs the extra 'plot'")
    shutil.copy(DOCS.parent / "README.md", tmp_path)
    monkeypatch.chdir(tmp_path)
    names = {}
    for code in re.findall(r"```python\n(.*?)```", (DOCS / page).read_text(), re.S):
        exec(code.replace(*SHORTER), names)
    shown = capsys.readouterr().out
    assert not [words for words in said if words not in shown]


@pytest.mark.skipif(NAME != "numpy", reason="minutes on the stand-in: runs on NumPy")
def test_sentences_from_a_file_to_what_it_writes(tmp_path, monkeypatch, capsys):
    """The blocks of Python and the commands of docs/sentences.md, in their order."""
    pytest.importorskip("tokenizers", reason="needs the extra 'bpe'")
    monkeypatch.chdir(tmp_path)
    names = {}
    for kind, block in re.findall(r"```(python|sh)\n(.*?)```", (DOCS / "sentences.md").read_text(), re.S):
        if kind == "python":
            exec(block.replace("count, epochs = 20_000, 6", "count, epochs = 1_000, 2"), names)
            continue
        for line in block.splitlines():
            program, *arguments = shlex.split(line, comments=True)
            assert (program, main(arguments)) == ("rnnlm", 0), line
    shown = capsys.readouterr().out
    said = [
        "\nschool board ", "reset before each of", "bits per byte", "accuracy 1.0", "경마장에 있는 말이 뛰고 있다\n",
        "1,892", "3 lines, each from a reset state", "best possible 1.0", "lines compared",
    ]  # fmt: skip
    assert not [words for words in said if words not in shown]


@pytest.mark.skipif(NAME != "numpy", reason="trains on the stories, minutes on the stand-in: runs on NumPy")
def test_ngrams_beside_a_network(tmp_path, monkeypatch, capsys):
    """The commands and the code of docs/ngrams.md, on shorter stories."""
    monkeypatch.chdir(tmp_path)
    whole = story._words
    monkeypatch.setattr(story, "_words", lambda part: whole(part)[: 20_000 if part == "train" else 5_000])
    names = {}
    for kind, block in re.findall(r"```(python|sh)\n(.*?)```", (DOCS / "ngrams.md").read_text(), re.S):
        if kind == "python":
            exec(block, names)
            continue
        for line in block.splitlines():
            program, *arguments = shlex.split(line.replace("--max-epoch 1", SMALL), comments=True)
            if program == "echo":
                Path(arguments[-1]).write_text(f"{arguments[0]}\n")
            else:
                assert (program, main(arguments)) == ("rnnlm", 0), line
    shown = capsys.readouterr().out
    said = [
        "story-lm: 102 words",
        '"perplexity": ',
        "tokens compared",
        "mixed: 0.9000 runs/rnn, 0.1000 story-lm",
        "\tthe",
    ]
    assert not [words for words in said if words not in shown]


@pytest.mark.skipif(NAME != "numpy", reason="a million words, which take minutes on the stand-in: runs on NumPy")
@pytest.mark.parametrize("page", ["word-vectors.md"])
def test_its_commands_run(page, tmp_path, monkeypatch, capsys):
    pytest.importorskip("sklearn", reason="needs the extra 'vectors'")
    pytest.importorskip("matplotlib", reason="needs the extra 'plot'")
    monkeypatch.chdir(tmp_path)
    for block in re.findall(r"```sh\n(.*?)```", (DOCS / page).read_text(), re.S):
        for line in block.splitlines():
            program, *arguments = shlex.split(line, comments=True)
            assert (program, main(arguments)) == ("rnnlm", 0), line
    shown = capsys.readouterr().out
    (answer,) = re.findall(r"dog : dogs = bird : \?: (\w+)", shown)
    assert answer in ["bells", "birds", "clocks", "clouds", "dogs", "horses", "lamps", "trees"]
    assert "102 of 102 words begin with vectors of story.vec" in shown
    assert (tmp_path / "words.png").stat().st_size > 5_000


def test_a_training_that_is_kept_goes_on(tmp_path, monkeypatch, capsys):
    """The program of docs/trust.md, begun twice: what is done is not done again."""
    shutil.copy(DOCS.parent / "README.md", tmp_path)
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"```python\n(.*?)```", (DOCS / "trust.md").read_text(), re.S)
    exec(code, first := {})
    assert "going on" not in capsys.readouterr().out
    exec(code, second := {})
    assert f"going on after {len(first['trainer'].ppl_list)} reports" in capsys.readouterr().out
    assert second["trainer"].ppl_list == first["trainer"].ppl_list
