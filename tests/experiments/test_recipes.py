import json
from dataclasses import fields
from pathlib import Path

import pytest

from rnnlm.cli.main import main
from rnnlm.experiments import recipes
from rnnlm.experiments.settings import TrainConfig
from rnnlm.models import ModelConfig
from tests.cli.runs import SMALL


def test_a_recipe_sets_and_an_option_overrides(treebank):
    assert main(["train", "--recipe=seed-1000", "--max-epoch", "1", "--max-tokens", "60", "--out", "out"]) == 0
    settings = json.loads(Path("out/settings.json").read_text())
    assert (settings["lr"], settings["batch_size"], settings["max_epoch"]) == (0.1, 10, 1)


@pytest.mark.parametrize("name", recipes.names())
def test_every_recipe_is_a_configuration(name, treebank):
    about = recipes.load(name)["about"]
    config = TrainConfig.from_recipe(name)
    config.check()
    size = {"story": 102, "story-lstm": 102, "seed-1000": 418}.get(name, 10_000)
    assert config.model_config(size).parameters == about["parameters"]
    assert about["title"]
    assert about["source"]


def test_a_recipe_of_ones_own(treebank, capsys):
    Path("mine.toml").write_text("[settings]\ncorpus = 'ptb'\nhidden_size = 9\nevaluate = false\nmax_grad = inf\n")
    assert main(["train", *SMALL[2:], "--recipe", "mine.toml", "--hidden-size", "7"]) == 0
    settings = json.loads(Path("runs/mine-001/settings.json").read_text())
    assert (settings["hidden_size"], settings["corpus"], settings["max_grad"]) == (7, "ptb", None)
    assert "hidden_size=7" in capsys.readouterr().out


def test_every_part_of_a_models_configuration_can_be_set(capsys):
    names = {field.name for field in fields(ModelConfig)} - {"model", "vocab_size"}
    assert names <= TrainConfig().flat().keys()
    assert main(["train", "--help"]) == 0
    said = capsys.readouterr().out
    assert not [name for name in names if f"--{name.replace('_', '-')}" not in said]
    assert "--vocab-size" not in said


def test_an_option_stands_in_one_place():
    own = {field.name for field in fields(TrainConfig)}
    assert not own & {field.name for field in fields(ModelConfig)} - {"model"}


def test_the_defaults_are_the_default_recipes():
    assert TrainConfig() == TrainConfig.from_recipe(TrainConfig.recipe)


def test_a_recipe_names_no_other(treebank, capsys):
    Path("mine.toml").write_text("[settings]\nrecipe = 'seed-1000'\n")
    assert main(["train", "--recipe", "mine.toml"]) == 2
    assert "got 'recipe' in recipe mine.toml" in capsys.readouterr().err
