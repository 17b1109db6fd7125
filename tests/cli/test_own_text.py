"""What a model is evaluated on: what its run held out, or a text or a part of one that is named."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from rnnlm import Sentences, evaluate, load_corpus
from rnnlm.backend import NAME
from rnnlm.cli.main import main
from rnnlm.errors import DataError
from rnnlm.experiments.own_text import OwnText
from rnnlm.saving.model_folder import load_model

pytestmark = pytest.mark.skipif(NAME != "numpy", reason="says which text it is, on any backend: runs on NumPy")
LINES = [" ".join(["the", "cat", "sat", "on", "the", "zebra"][: 1 + i % 6]) + "\n" for i in range(97)]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Runs on one text, as a stream, by lines, without an evaluation and on part of it, one on another text, and both
    texts."""
    folder = tmp_path_factory.mktemp("runs")
    (folder / "text").write_text("".join(LINES))
    (folder / "other").write_text("".join(reversed(LINES)))
    small = ["--batch-size", "2", "--time-size", "4", "--hidden-size", "4", "--wordvec-size", "3", "--max-epoch", "1"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rnnlm.plotting.save_perplexity", lambda *given: None)  # pictures take most of the time
        for name, corpus, options in (
            ("stream", "text", []),
            ("lines", "text", ["--sentences"]),
            ("unheld", "text", ["--no-evaluate"]),
            ("beginning", "text", ["--max-tokens", "60"]),
            ("letters", "text", ["--units", "char"]),
            ("another", "other", []),
        ):
            given = ["--corpus", str(folder / corpus), "--out", str(folder / name)]
            assert main(["train", *given, *small, *options]) == 0
    return folder


@pytest.fixture
def here(runs, tmp_path, monkeypatch):
    """A place where the text may be changed, and the runs are still those of the text."""
    monkeypatch.chdir(tmp_path)
    return runs


def shown(capsys, *arguments, code=0):
    capsys.readouterr()
    assert main([str(a) for a in arguments]) == code
    streams = capsys.readouterr()
    return streams.err if code else streams.out


def figures(capsys, *arguments):
    return json.loads(shown(capsys, *arguments, "--json"))


def last(folder, part):
    """The final figures of a run."""
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return next(row for row in rows if row.get("part") == part)


@pytest.mark.parametrize("run", ["stream", "lines"])
def test_a_run_is_evaluated_on_what_it_held_out(here, capsys, run):
    for part, options in (("test", []), ("valid", ["--part", "valid"])):
        found = figures(capsys, "eval", here / run, *options)
        want = last(here / run, part)
        assert (found["nats"], found["tokens"]) == (pytest.approx(want["nats"], rel=1e-6), want["tokens"])
        assert (found["corpus"], found["part"]) == (str(here / "text"), part)
    text = f"text: test part of {here / 'text'}, held out by {here / run}\n"
    assert shown(capsys, "eval", here / run).startswith(text)


def test_what_a_run_was_trained_on(here, capsys):
    assert figures(capsys, "eval", here / "beginning", "--part", "train")["tokens"] == 59
    found = shown(capsys, "eval", here / "unheld", "--part", "train")
    assert found.startswith(f"text: train part of {here / 'text'}, of {here / 'unheld'}\n")


def test_what_was_held_out_and_not_evaluated_is_there_to_evaluate(here, capsys):
    held_out = len((here / "text").read_text().split("\n")) // 20  # a twentieth of the lines, about
    assert figures(capsys, "eval", here / "unheld")["tokens"] > held_out
    assert figures(capsys, "eval", here / "unheld", "--part", "valid")["tokens"] > held_out


def test_a_model_without_a_run_is_told_the_text(here, models, capsys):
    for path in (here / "stream" / "model", models / "storyish"):
        assert "corpus must be named, --corpus with" in shown(capsys, "eval", path, code=2)
        assert "corpus must be named, --corpus with" in shown(capsys, "compare", path, path, code=2)


def test_a_text_that_has_changed_or_is_gone_is_not_evaluated(here, capsys):
    shutil.copytree(here / "stream", "run")
    text, content = here / "text", "".join(LINES)
    name = f"--corpus {text} --part test"
    try:
        text.write_text(f"{content}the cat\n")
        found = shown(capsys, "eval", "run", code=3)
        assert f"the test part of {text} has changed since run was trained" in found
        assert name in found
        figures(capsys, "eval", "run", "--corpus", text, "--part", "test")
        text.unlink()
        found = shown(capsys, "eval", "run", code=3)
        assert f"{text}, which run was trained on, is not there any more: name it, {name}" in found
    finally:
        text.write_text(content)
    shutil.rmtree("run/checkpoints")
    assert "no checkpoint of run is left to say which text it was trained" in shown(capsys, "eval", "run", code=2)
    Path("run/settings.json").write_text('{"corpus": 3, "max_grad": 1}')
    assert "settings.json does not say which text it was: corpus must be a string" in shown(
        capsys, "eval", "run", code=3
    )


def test_a_run_on_a_relative_path_is_found_from_other_folders(tmp_path, monkeypatch, capsys):
    small = ["--batch-size", "2", "--time-size", "4", "--hidden-size", "4", "--wordvec-size", "3", "--max-epoch", "1"]
    (tmp_path / "project").mkdir()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    monkeypatch.setattr("rnnlm.plotting.save_perplexity", lambda *given: None)
    Path("text").write_text("".join(LINES))
    train = ["train", "--corpus", "text", "--out", "runs/one", "--lr-rule", "constant"]
    assert main([*train, *small]) == 0
    want = figures(capsys, "eval", "runs/one")
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert figures(capsys, "eval", "../project/runs/one")["nats"] == want["nats"]
    assert main(["train", "--resume", "../project/runs/one", "--max-epoch", "2"]) == 0
    capsys.readouterr()
    monkeypatch.chdir(tmp_path / "project")
    again = figures(capsys, "eval", "runs/one")
    assert again["tokens"] == want["tokens"]
    assert again["nats"] != want["nats"]


def test_a_path_from_another_folder_is_told(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = OwnText(Path("runs/book"), "book.txt", None, None, None, True, {"test": "digest"})
    with pytest.raises(
        DataError, match=f"book.txt, which runs/book was trained on, is not in {tmp_path}: name it, --corpus"
    ):
        run.expect_there("test")


@pytest.mark.parametrize("run", ["stream", "lines", "letters"])
def test_a_part_of_a_file_is_cut_as_for_a_training(here, capsys, run):
    text = str(here / "text")
    model, words = load_model(here / run / "model")
    corpus = load_corpus(text, options=words.reading.options)
    lines = 0
    for part in ("train", "valid", "test"):
        ids = getattr(corpus, part)
        want = evaluate(model, Sentences(ids, words.eos_id) if run == "lines" else ids)
        found = figures(capsys, "eval", here / run, "--corpus", text, "--part", part)
        assert (found["nats"], found["tokens"], found["unknown"]) == (want.nats, want.tokens, 0)
        content = words.text(ids)
        size = (
            len(content) - {"stream": 4, "lines": 0, "letters": 1}[run]
        )  # of the first unit, and the blank after a word
        assert found["bits_per_byte"] == pytest.approx(want.nats * want.tokens / np.log(2) / size)
        lines += content.count("\n")
    assert lines == len(LINES)


def test_a_part_of_an_encoded_file(here, capsys):
    shown(capsys, "data", "encode", here / "text", "--vocab", here / "stream", "--out", "text.ids")
    for options in (["--part", "test"], []):
        one, other = (
            figures(capsys, "eval", here / "stream", "--corpus", c, *options) for c in (here / "text", "text.ids")
        )
        assert (one["nats"], one["tokens"], one["unknown"]) == (other["nats"], other["tokens"], other["unknown"])
    Path("more").write_text("a quagga\n" + "".join(LINES))
    shown(capsys, "data", "encode", "more", "--vocab", here / "stream", "--out", "more.ids")
    assert figures(capsys, "eval", here / "stream", "--corpus", "more.ids")["unknown"] == 2
    assert figures(capsys, "eval", here / "stream", "--corpus", "more.ids", "--part", "test")["unknown"] is None
    assert "are not among" not in shown(capsys, "eval", here / "stream", "--corpus", "more.ids", "--part", "test")


def test_unknown_words_are_those_of_the_part(here, capsys):
    Path("text").write_text("a quagga\n" + "".join(LINES) + "quagga sat on a quagga\n")
    found = [
        figures(capsys, "eval", here / "stream", "--corpus", "text", *options)["unknown"]
        for options in ([], ["--part", "train"], ["--part", "valid"], ["--part", "test"])
    ]
    assert found == [5, 2, 0, 3]


def test_two_runs_are_compared_on_what_both_held_out(here, capsys):
    found = figures(capsys, "compare", here / "stream", here / "beginning")
    assert (found["corpus"], found["part"]) == (str(here / "text"), "test")
    assert found["first"]["nats"] == pytest.approx(last(here / "stream", "test")["nats"], rel=1e-6)
    assert shown(capsys, "compare", here / "stream", here / "stream" / "model").startswith("text: test part of")
    refused = shown(capsys, "compare", here / "stream", here / "another", code=2)
    assert "corpus must be named" in refused
    assert f"{here / 'another'} on {here / 'other'}" in refused
    refused = shown(capsys, "compare", here / "stream", here / "letters", code=2)
    assert "must be the same for both models, and they cut it into other units (word and char)" in refused


def test_weights_are_tuned_on_the_valid_part(here, capsys):
    shown(capsys, "ngram", "train", "--corpus", here / "text", "--vocab", here / "stream", "--out", "lm", "--order", 2)
    own = figures(capsys, "eval", here / "stream", "--mix", "lm")
    text = figures(capsys, "eval", here / "stream", "--mix", "lm", "--corpus", here / "text", "--part", "test")
    assert own == text
    assert own["weights"] != [1]
    refused = shown(capsys, "eval", here / "stream", "--mix", "lm", "--part", "valid", code=2)
    assert "weights must be tuned on another text than the one evaluated" in refused


@pytest.mark.parametrize("command", ["eval", "compare"])
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--data-dir", "."], "data_dir is for corpus ptb, and has no effect on"),
        (["--corpus", "story", "--data-dir", "."], "data_dir is for corpus ptb, and has no effect on story"),
        (["--corpus", "story", "--column", "text"], "column is for a text file, and has no effect on story"),
    ],
)
def test_options_without_effect_are_refused(here, capsys, command, options, said):
    models = [here / "stream"] * (1 + (command == "compare"))
    assert said in shown(capsys, command, *models, *options, code=2)


def test_lanes_of_sentences_are_refused(here, capsys):
    assert "lanes and window are for a stream" in shown(capsys, "eval", here / "lines", "--lanes", 2, code=2)


def test_a_run_that_held_nothing_out_was_trained_on_all(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("ten").write_text("".join(f"{word}\n" for word in "abcdefghij"))
    small = ["--max-epoch", "1", "--hidden-size", "4", "--wordvec-size", "4"]
    assert main(["train", "--corpus", "ten", "--sentences", "--out", "run", *small]) == 0
    assert "text: train part of ten, of run" in shown(capsys, "eval", "run", "--part", "train")
    assert "run held nothing out of ten" in shown(capsys, "eval", "run", code=2)
