"""Sentences and units on the command line, and what is kept of them with the model."""

import json
from pathlib import Path

import pytest

from rnnlm.backend import NAME
from rnnlm.cli.main import main
from rnnlm.data.vocabulary import Vocabulary
from rnnlm.saving.model_folder import load_model, save_model
from tests.data.test_tokenizer import LINES

pytestmark = pytest.mark.skipif(NAME != "numpy", reason="trainings, minutes on the stand-in: runs on NumPy")
SHORT = ["--batch-size", "4", "--time-size", "20"]
SMALL = ["--hidden-size", "20", "--wordvec-size", "10"]
HEADLINES = [
    "Mayor opens “new” bridge!", "Council closes old bridge", "Mayor closes new school, again", "Unknown",
    "Council opens old school", "Storm closes new bridge", "Storm nears town",
]  # fmt: skip


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(capsys, *arguments):
    """What a command that succeeds prints."""
    assert main([str(a) for a in arguments]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_three_lines_are_given_back(here, capsys, cell):
    Path("lines.txt").write_text("\n".join(LINES) + "\n")
    options = ["--corpus", "lines.txt", "--sentences", "--out", "model", "--max-epoch", 300, "--cell", cell]
    shown = run(capsys, "train", *options)
    assert "lines.txt has too few lines to hold some out: all are trained on" in shown
    assert "17 tokens in 3 lines" in shown
    for line in filter(None, LINES):
        assert run(capsys, "generate", "model", "--prompt", line.split()[0], "--greedy") == f"{line}\n"


def test_headlines_of_a_csv_file(here, capsys):
    rows = [f'{number},"{line}"' for number, line in enumerate(HEADLINES * 30)]
    Path("news.csv").write_text("\n".join(["id,headline", *rows]))
    clean = ["--lower", "--strip-punctuation", "--ascii-only", "--leave-out", "Unknown"]
    options = ["--corpus", "news.csv", "--column", "headline", "--sentences", *clean]
    shown = run(capsys, "train", *SMALL, *options, *SHORT, "--max-epoch", 20, "--out", "model")
    assert "lines, each from a reset state" in shown
    _, words = load_model("model/model")
    assert "unknown" not in words
    assert {"mayor", "new", "again"} < set(words.words)
    text = run(capsys, "generate", "model", "--prompt", "Mayor, opens", "--greedy")
    assert text == "mayor opens new bridge\n"
    table = run(capsys, "eval", "model", "--corpus", "news.csv")
    assert "reset before each of 180 lines" in table
    assert "0 of " in table
    scored = run(capsys, "score", "model", "news.csv")
    assert [line.split("\t")[1] for line in scored.splitlines()[:2]] == [
        "mayor opens new bridge", "council closes old bridge",
    ]  # fmt: skip
    Path("plain.txt").write_text("MAYOR opens “new” bridge!\nUnknown\n")
    result = json.loads(run(capsys, "eval", "model", "--corpus", "plain.txt", "--json"))
    assert (result["tokens"], result["lines"], result["unknown"]) == (5, 1, 0)
    assert main(["eval", "model", "--corpus", "news.csv", "--column", "heading"]) == 3
    assert "no 'heading'" in capsys.readouterr().err


def test_units_are_compared_by_the_byte(here, capsys):
    text = "the cat sat\nthe dog sat\nthe bird sang\n" * 120
    Path("text").write_text(text)
    for units in ("word", "char", "bpe"):
        options = ["--corpus", "text", "--units", units, "--max-words", 280, "--cell", "lstm", *SHORT]
        run(capsys, "train", *SMALL, *options, "--max-epoch", 12, "--lr", 0.01, "--out", units)
        written = run(capsys, "generate", units, "--prompt", "the dog", "--greedy", "--length", 15)
        assert written == "the dog sat\n"
    Path("more").write_text("the dog sang\nthe cat sat\nthe bird sat\n")
    figures = json.loads(run(capsys, "compare", "char", "bpe", "--corpus", "more", "--json"))
    for name, first in (("first", "t"), ("second", "the")):  # which is not scored
        one, count = figures[name], 38 - len(first)
        total = one["nats"] * one["tokens"]
        for per in ("byte", "character"):
            assert one[f"bits_per_{per}"] == pytest.approx(total / 0.6931471805599453 / count, rel=1e-3)
    assert figures["unit"] == "line"
    assert figures["compared"] == 2
    shown = run(capsys, "compare", "word", "char", "--corpus", "more", "--top", 1)
    assert "bits per byte" in shown
    assert "nats a word, 2 lines compared" in shown


def test_two_models_of_the_same_words(here, capsys):
    Path("text").write_text("a b a c\nc b\n" * 100)
    for cell in ("rnn", "gru"):
        run(capsys, "train", *SMALL, "--corpus", "text", "--cell", cell, "--max-epoch", 2, *SHORT, "--out", cell)
    row = json.loads(run(capsys, "compare", "rnn", "gru", "--corpus", "text", "--json"))
    assert row["unit"] == "token"
    assert row["compared"] == 799
    assert row["difference"] == pytest.approx(row["second"]["nats"] - row["first"]["nats"])
    assert row["difference_stderr"] < row["first"]["stderr"]
    same = json.loads(run(capsys, "compare", "gru", "gru", "--corpus", "text", "--json"))
    assert (same["difference"], same["first_better"], same["second_better"]) == (0, 0, 0)


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--sentences", "--random-bptt"], 2, "random_bptt is for one long text"),
        (["--sentences", "--lr-rule", "halving"], 2, "too few lines in text to hold some out"),
        (["--units", "char", "--corpus", "story"], 2, "story is words already"),
        (
            ["--units", "bpe", "--max-words", "99"],
            2,
            "max_words of units bpe must be at least 257, a byte each and <eos>, got 99",
        ),
        (["--ascii-only", "--sentences"], 3, "has no text left once it is cleaned"),
        (["--column", "headline"], 3, "and no 'headline'"),
        (["--no-evaluate"], 0, ""),
    ],
)
def test_options_that_do_not_go_together(here, capsys, options, code, said):
    Path("text").write_text("말이 뛰고\n그의 말이\n")
    small = ["--batch-size", "1", "--time-size", "2"] if not said else []
    assert main(["train", "--corpus", "text", "--out", "model", "--max-epoch", "1", *small, *options]) == code
    assert said in capsys.readouterr().err
    assert not said or not Path("model").exists()


def test_a_folder_keeps_how_a_text_is_read(here, capsys):
    Path("text").write_text("the thesis\nthe theme\n" * 60)
    options = ["--units", "bpe", "--max-words", 270, "--sentences", "--lower"]
    run(capsys, "train", *SMALL, "--corpus", "text", *options, "--max-epoch", 1, "--out", "run")
    model, words = load_model("run/model")
    assert words.reading.options.units == "bpe"
    assert words.reading.options.sentences
    save_model("copy", model, words)
    for name in ("text.json", "tokenizer.json", "vocab.txt"):
        assert Path("copy", name).read_bytes() == Path("run/model", name).read_bytes()
    other = [*words.words[:-1], "another"]
    Vocabulary(other).save("copy/vocab.txt")
    Path("copy/manifest.json").unlink()  # which would see that first
    assert main(["generate", "copy"]) == 3
    assert "tokenizer.json has other units than vocab.txt: it is another model's" in capsys.readouterr().err
    Path("copy/tokenizer.json").unlink()
    assert main(["generate", "copy"]) == 3
    assert "tokenizer.json is missing" in capsys.readouterr().err
    for content in ("[]", "{", '{"units": "syllable"}', '{"unit": "word"}', '{"lower": 3}'):
        Path("copy/text.json").write_text(content)
        assert main(["generate", "copy"]) == 3
        assert "text.json does not say how a text is read" in capsys.readouterr().err
    Path("copy/text.json").unlink()  # a folder of a version that knew words alone
    assert main(["eval", "copy", "--corpus", "text"]) == 3
    assert "is not among the" in capsys.readouterr().err


def test_a_text_encoded_in_the_units_of_a_model(here, capsys):
    Path("text").write_text("the cat sat\nthe dog sat\n" * 60)
    run(capsys, "train", *SMALL, *SHORT, "--corpus", "text", "--units", "char", "--max-epoch", 1, "--out", "run")
    run(capsys, "data", "encode", "text", "--vocab", "run")
    figures = [json.loads(run(capsys, "eval", "run", "--corpus", name, "--json")) for name in ("text", "text.ids")]
    assert figures[0]["nats"] == figures[1]["nats"]
    assert figures[0]["tokens"] == 60 * 24 - 1
    assert "bits_per_byte" not in figures[1]
    assert "reads            characters" in run(capsys, "info", "run")


def test_texts_that_two_models_read_differently(here, capsys):
    Path("text").write_text("The cat sat!\n   \n\t\nthe dog ran\n" * 40)
    for name, options in {"char": ["--units", "char"], "word": [], "low": ["--lower"]}.items():
        run(capsys, "train", *SMALL, *SHORT, "--corpus", "text", *options, "--max-epoch", 1, "--out", name)
    row = json.loads(run(capsys, "compare", "char", "word", "--corpus", "text", "--json"))
    assert (row["unit"], row["compared"]) == (
        "line",
        159,
    )  # blank ones, too, which both have read; the first one is not whole
    assert main(["compare", "word", "low", "--corpus", "text"]) == 2
    assert "both models must read one text, and lower is False of the first" in capsys.readouterr().err
    Path("one").write_text("The cat sat!\n")
    assert main(["compare", "char", "word", "--corpus", "one"]) == 2
    assert "must have more than one line" in capsys.readouterr().err


def test_a_limit_holds_where_nothing_is_held_out(here, capsys):
    Path("text").write_text("".join(f"a{n} b c d e f\n" for n in range(12)))
    shown = run(
        capsys,
        "train",
        *SMALL,
        "--corpus",
        "text",
        "--sentences",
        "--max-tokens",
        10,
        "--max-epoch",
        1,
        "--no-evaluate",
        "--out",
        "one",
    )
    assert "7 tokens in 1 lines" in shown
    Path("few").write_text("".join(f"a{n} b c d e f\n" for n in range(4)))
    shown = run(
        capsys, "train", *SMALL, "--corpus", "few", "--sentences", "--max-tokens", 15, "--max-epoch", 1, "--out", "two"
    )
    assert "14 tokens in 2 lines" in shown
    assert main(["train", "--corpus", "few", "--sentences", "--max-tokens", "5", "--out", "three"]) == 3
    assert "few must have a line with at least one word, and has none in its first 5 tokens" in capsys.readouterr().err


def test_what_words_are_unknown_is_told_apart(here, capsys):
    Path("text").write_text("the <unk> dog\n" * 40)
    run(capsys, "train", *SMALL, *SHORT, "--corpus", "text", "--max-epoch", 1, "--out", "run")
    Path("other").write_text("the <unk> dog\nzebra dog\n")
    found = json.loads(run(capsys, "eval", "run", "--corpus", "other", "--json"))
    assert (found["unknown"], found["unk_tokens"]) == (
        1,
        2,
    )  # not among the words; read as <unk>, which the text has too
