"""What is told before any work: help, recipes."""

import json
import re
import tomllib
from pathlib import Path

import pytest

from rnnlm.cli.main import main
from rnnlm.cli.options import parse
from rnnlm.experiments import recipes
from tests.cli.runs import SMALL, script

pytestmark = pytest.mark.long  # nothing is computed


def defaults(shown):
    """The defaults that a help text names, by option."""
    text = " ".join(re.sub("[│|]", " ", shown).split())
    return dict(re.findall(r"--(?!no-)([a-z-]+)(?:(?!--).)*?\(default: ([^)]*)\)", text))


@pytest.mark.parametrize(
    "train", [lambda words: main(["train", *words]), lambda words: script("train_ptb").main(words)]
)
def test_help_shows_the_defaults_of_the_recipe(train, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    assert train(["--recipe", "zaremba-small", "--help"]) == 0
    shown = defaults(capsys.readouterr().out)
    assert {name: shown[name] for name in ("hidden-size", "lr-rule", "lr-decay", "cell", "corpus")} == {
        "hidden-size": "200",
        "lr-rule": "step",
        "lr-decay": "2.0",
        "cell": "lstm",
        "corpus": "ptb",
    }


def test_help_of_the_script_shows_its_own_recipe(capsys):
    assert script("train_ptb").main(["--help"]) == 0
    assert defaults(capsys.readouterr().out)["recipe"] == "book-lstm"


def test_help_shows_the_settings_of_a_run(models, capsys):
    for option in ("--resume", "--recipe"):
        assert main(["train", option, str(models / "trained"), "--help"]) == 0
        assert defaults(capsys.readouterr().out)["hidden-size"] == "8"


@pytest.mark.parametrize("columns", ["1", "5", "20", "0", "x"])
def test_help_ends_in_few_columns(columns, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", columns)
    assert main(["train", "--help"]) == 0
    options = capsys.readouterr().out.partition("options  ")[2].partition("With every command")[0]
    assert max(map(len, options.splitlines())) <= (60 if columns in ("1", "5", "20") else 80)


def test_help_names_what_every_command_has(capsys):
    for words in (["--help"], ["eval", "-h"]):
        assert main(words) == 0
        assert "--log-file FILE" in capsys.readouterr().out


# ---------------------------------------------------------------- recipes


def test_all_recipes_are_listed_with_what_they_take(capsys):
    assert main(["recipes"]) == 0
    shown = capsys.readouterr().out
    for name in recipes.names():
        about = recipes.load(name)["about"]
        (line,) = re.findall(rf"^{name} .*\n.*\n.*$", shown, re.M)
        for told in (f"{about['parameters']:,} parameters", "at least", about["title"], about["expected"]):
            assert told in line


def test_recipes_for_programs(capsys):
    assert main(["recipes", "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["name"] for row in rows] == recipes.names()
    assert all(
        row["memory"] > 12 * row["parameters"] and row["settings"].get("corpus", "FILE") == row["corpus"]
        for row in rows
    )


def test_a_recipe_is_printed_as_it_is(capsys):
    assert main(["recipes", "better"]) == 0
    assert tomllib.loads(capsys.readouterr().out) == recipes.load("better")
    for words, said in ((["beter"], "did you mean better?"), (["better", "--json"], "leave out --json, or the name")):
        assert main(["recipes", *words]) == 2
        assert said in capsys.readouterr().err


def test_a_run_is_a_recipe(models, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    before = json.loads((models / "trained/settings.json").read_text())
    for number, recipe in enumerate([models / "trained", models / "trained/settings.json"], 1):
        assert main(["train", "--recipe", str(recipe), "--max-epoch", "1"]) == 0
        now = json.loads(Path(f"runs/text-{number:03d}/settings.json").read_text())
        assert now == {**before, "recipe": str(recipe), "max_epoch": 1, "out": None}
    for content in ("{", "[]", '{"lr": 1}'):
        Path("settings.json").write_text(content)
        assert main(["train", "--recipe", "settings.json"]) == 2
        assert "recipe settings.json must be the settings of a run" in capsys.readouterr().err


# ---------------------------------------------------------------- types in a file


WRONG = {
    "tied = 1": "tied must be true or false, got 1: write it as in tied = false",
    'evaluate = "no"': "evaluate must be true or false, got 'no'",
    'lr = "fast"': "lr must be a number, got 'fast': write it as in lr = 0.5",
    "lr = true": "lr must be a number, got True",
    "lr = nan": "lr must be a number, got nan",
    "hidden_size = 1.5": "hidden_size must be a whole number, got 1.5",
    "hidden_size = false": "hidden_size must be a whole number, got False",
    "corpus = 3": "corpus must be a text, got 3",
    "out = 1": "out must be a path, got 1",
    "leave_out = 'a'": "leave_out must be a list of texts, got 'a'",
    "leave_out = [[[1]]]": "leave_out must be a list of texts, got [[[1]]]",
    "lr_rule = 'cosin'": "lr_rule must be one of constant, plateau, halving, step, cosine, got 'cosin'",
    "units = ['word']": "units must be one of word, char, bpe, got ['word']",
    "lr = {a = 1}": "lr must be a number, got {'a': 1}",
    "lr = 1979-05-27": "lr must be a number, got datetime.date(1979, 5, 27)",
    "device = 'cpu'": "got 'device' in recipe mine.toml",
    'corpus = "a\0b"': "recipe mine.toml is not a TOML file",
    "lr = " + "[" * 400: "recipe mine.toml is not a TOML file",
    "lr = " + "[" * 400 + "]" * 400: "lr must be a number, got ",
    "a" + ".a" * 400 + " = 1": "got 'a' in recipe mine.toml",
    "#" * 30_000: "recipe mine.toml must have at most 20,000 bytes",
    "#" * 2_000: "recipe mine.toml is not a TOML file: a line must have at most 1,000 characters",
    "corpus = '\udcff'": "recipe mine.toml is not a TOML file",
}


@pytest.mark.parametrize("line", WRONG)
def test_what_a_recipe_says_must_be_of_its_type(line, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("mine.toml").write_bytes(f"[settings]\n{line}\n".encode(errors="surrogateescape"))
    assert main(["train", "--recipe", "mine.toml"]) == 2
    said = capsys.readouterr().err
    assert WRONG[line] in said
    assert "mine.toml" in said
    assert said.count("\n") == 1


def test_a_whole_number_is_a_number(tmp_path, monkeypatch, treebank, capsys):
    Path("mine.toml").write_text("[settings]\ncorpus = 'ptb'\nlr = 1\nleave_out = ['a b']\n")
    assert main(["train", *SMALL[2:], "--recipe", "mine.toml", "--dry-run"]) == 0
    assert "lr=1.0 " in capsys.readouterr().out


@pytest.mark.parametrize("command", ["train", "eval", "generate", "quantize", "data"])
def test_help_of_an_option_that_may_be_missing_names_its_kind_alone(command, capsys):
    assert main([command, "--help"]) == 0
    shown = capsys.readouterr().out
    assert "(default: none)" in " ".join(shown.replace("│", "").split())
    assert "None" not in shown


def test_none_takes_back_a_value_of_the_recipe():
    assert parse(["train", "--recipe", "seed-1000"]).max_tokens == 1_000
    assert parse(["train", "--recipe", "seed-1000", "--max-tokens", "None", "--precision", "None"]).max_tokens is None
    assert parse(["train", "--max-tokens", "7", "--precision", "tf32"]).precision == "tf32"
