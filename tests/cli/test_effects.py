"""Options of `train` that do nothing beside the others are refused by name; those of a recipe are not asked about."""

from dataclasses import replace
from pathlib import Path

import pytest

from rnnlm.cli.effects import TRAINING, expect_effect
from rnnlm.cli.main import main
from rnnlm.data import encode_corpus
from rnnlm.experiments.settings import TrainConfig, known_settings
from tests.cli.runs import SMALL, script

ALWAYS = {  # which do something with whatever else is said, or are refused where they don't go with it
    "recipe", "corpus", "out", "resume", "save_every", "max_tokens", "init_embedding", "optimizer", "lr",
    "weight_decay", "lr_rule", "batch_size", "time_size", "random_bptt", "max_epoch", "max_grad", "tensorboard",
    "unigram_bias", "cutoffs",
    "evaluate", "device", "precision", "sentences", "units", "column", "leave_out", "lower", "strip_punctuation",
    "ascii_only", "model", "wordvec_size", "tied", "input_dropout", "output_dropout", "init", "dtype", "seed",
    "last_hidden_size", "reset_after", "embed_dropout", "weight_drop", "recurrent_dropout", "ar", "tar", "forget_bias",
    "bias_range",
}  # fmt: skip

WITHOUT = {
    "--warmup 3 --lr-rule constant": "--warmup 3 has an effect only with --lr-rule cosine; leave out --warmup",
    "--lr-epochs 2": "--lr-epochs 2 has an effect only with --lr-rule step",
    "--lr-decay 3 --lr-rule constant": "--lr-decay 3.0 has an effect only with --lr-rule plateau, halving or step",
    "--lr-decay 3": "--lr-decay 3.0 has an effect only",
    "--lr-decay=3 --lr-rule plateau --no-evaluate": "only with valid perplexities",
    "--hidden-dropout 0.1": "--hidden-dropout 0.1 has an effect only between layers",
    "--max_words 300": "--max-words 300 has an effect only where words are counted",
    "--max-words 300 --corpus ptb": "--max-words 300 has an effect only where words are counted",
    "--max-words 300 --corpus text.ids": "--max-words 300 has an effect only where words are counted",
    "--patience 2 --no-evaluate": "--patience 2 has an effect only where there are valid perplexities to wait for",
    "--unk-rate 0.1": "--unk-rate 0.1 has an effect only on a text file of one's own",
    "--unk-rate 0.1 --corpus text.ids": "--unk-rate 0.1 has an effect only on a text file of one's own",
    "--unk-rate 0.1 --corpus text --sentences": "--unk-rate 0.1 has an effect only on a text file of one's own",
    "--data-dir data": "--data-dir data has an effect only with --corpus ptb",
    "--context 4": "--context 4 has an effect only with --model nnlm or cbow-lm",
    "--model nnlm --layers 1": "--layers 1 has an effect only with --model recurrent",
    "--model nnlm --cell rnn": "--cell rnn has an effect only with --model recurrent",
    "--model cbow-lm --hidden-size 100": "--hidden-size 100 has an effect only where there is a hidden layer",
    "--hidden-size 9 --last-hidden-size 5": "--hidden-size 9 has an effect only with more than one layer",
    "--dropout-ratio 0.1 --input-dropout 0.2 --output-dropout 0": "--dropout-ratio 0.1 has an effect only where",
    "--div-value 2": "--div-value 2.0 has an effect only with --cutoffs",
    "--variational": "--variational True has an effect only with --dropout-ratio",
    "--activation tanh --cell lstm": "--activation tanh has an effect only with --cell rnn",
    "--init-range 0.1": "--init-range 0.1 has an effect only with --init uniform or torch",
}
WITH = [
    "--warmup 3", "--warmup 0 --lr-rule constant", "--lr-epochs 2 --lr-rule step", "--lr-decay 3 --lr-rule plateau",
    "--hidden-dropout 0.1 --layers 2", "--hidden-dropout 0", "--max-words 300 --corpus text", "--no-variational",
    "--max-words 300 --corpus ptb --lower", "--data-dir data --corpus ptb", "--context 4 --model nnlm",
    "--hidden-size 9 --last-hidden-size 5 --layers 2", "--last-hidden-size 5", "--variational --input-dropout 0.1",
    "--dropout-ratio 0.1 --layers 2 --input-dropout 0.2 --output-dropout 0", "--activation tanh", "--bias-range 0.1", "--div-value 2 --cutoffs 20 50",
    "--unk-rate 0.1 --corpus text", "--patience 2", "--init-range 0.1 --init torch", "--reset-after --cell gru", "--forget-bias 1 --cell lstm", "--max-words 9 --corpus nowhere",
]  # fmt: skip


@pytest.fixture
def texts(treebank):
    Path("text").write_text("a b c d\n" * 400)
    encode_corpus("text", "text.ids")


@pytest.mark.parametrize("words", WITHOUT)
def test_an_option_without_effect_is_refused_by_name(texts, capsys, words):
    assert main(["train", *words.split()]) == 2
    assert WITHOUT[words] in capsys.readouterr().err
    assert not Path("runs").exists()


@pytest.mark.parametrize("words", WITH)
def test_one_with_an_effect_is_not(texts, capsys, words):
    main(["train", *words.split(), "--dry-run"])
    assert "has an effect" not in capsys.readouterr().err


def test_every_option_is_in_the_table_or_does_something_always():
    listed = {name for effect in TRAINING for name in effect.options}
    assert listed | ALWAYS == set(known_settings())
    assert not listed & ALWAYS


def test_every_entry_of_the_table_refuses_something():
    said = [refused.partition("only ")[2].split(";")[0] for refused in WITHOUT.values()]
    silent = {e.options[0] for e in TRAINING if not any(words and e.where.startswith(words) for words in said)}
    assert not silent


def test_what_a_recipe_sets_is_not_asked_about(treebank, capsys):
    Path("mine.toml").write_text("[settings]\ncorpus = 'ptb'\nwarmup = 5\nlr_rule = 'constant'\nhidden_dropout = 0.1\n")
    words = ["train", *SMALL[2:], "--recipe", "mine.toml", "--dry-run"]
    assert main(words) == 0
    assert main([*words, "--warmup", "5"]) == 2


def test_a_configuration_of_the_library_is_not_asked_about():
    expect_effect(replace(TrainConfig(), lr_epochs=3), TRAINING, [])


def test_the_script_without_its_corpus_needs_no_folder_for_it(tmp_path, monkeypatch, no_cache, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RNNLM_DATA", raising=False)
    assert script("train_ptb").main(["--data-dir", "nowhere", "--max-tokens", "3000", "--dry-run"]) == 0
    assert "training on the built-in corpus instead" in capsys.readouterr().err


OTHERS = {
    "ngram train --corpus text --data-dir data": "--data-dir data has an effect only with --corpus ptb",
    "ngram train --max-words 50": "--max-words 50 has an effect only where words are counted",
    "ngram train --corpus text --vocab text.ids --max-words 50": "--max-words 50 has an effect only where words are",
    "vectors train --corpus text --data-dir data": "--data-dir data has an effect only with --corpus ptb",
    "vectors train --max-words 50": "--max-words 50 has an effect only on a text file",
    "vectors train --method svd --epochs 2": "--epochs 2 has an effect only with --method skip-gram or cbow",
    "data encode text --vocab text.ids --max-words 50": "--max-words 50 has an effect only without --vocab",
}


@pytest.mark.parametrize("words", OTHERS)
def test_one_of_another_command_is_refused_too(texts, capsys, words):
    assert main([*words.split(), "--out", "new"]) == 2
    assert OTHERS[words] in capsys.readouterr().err
    assert not Path("new").exists()
