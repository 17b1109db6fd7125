"""An adaptive softmax from the command line to the model's folder, and what it learns beside the full one."""

import json
from pathlib import Path

import numpy as np
import pytest

from rnnlm import Adam, Batches, LanguageModel, ModelConfig, evaluate, generate, load_model, save_model, score
from rnnlm.cli.main import main
from rnnlm.errors import ModelFileError
from rnnlm.experiments.plan import prepare
from rnnlm.experiments.settings import TrainConfig
from rnnlm.inference.mixture import Mixture
from rnnlm.models.tensor_file import pieces
from rnnlm.training.run import Run
from tests.cli.runs import SMALL
from tests.gradcheck import host

ADAPTIVE = ["--cutoffs", "4", "7", "--div-value", "2", "--unigram-bias", "--max-epoch", "1"]


@pytest.mark.long
def test_a_run_counts_words_and_leaves_a_model_that_others_take(treebank, capsys):
    assert main(["train", *SMALL, *ADAPTIVE, "--out", "run"]) == 0
    model, words = load_model("run/model")
    assert json.loads(Path("run/model/config.json").read_text())["cutoffs"] == [4, 7]
    assert TrainConfig.of_run(Path("run")).model.cutoffs == model.config.cutoffs == (4, 7)
    text = Path("data/ptb/ptb.train.txt").read_text().replace("\n", " <eos> ").split()
    counts = model.head.words.frequencies
    assert counts.tolist() == [text.count(word) for word in words]
    assert counts[model.head.words.order].tolist() == sorted(counts, reverse=True)
    capsys.readouterr()
    assert main(["info", "run"]) == 0
    assert "TimeAdaptiveSoftmaxWithLoss" in capsys.readouterr().out
    assert main(["eval", "run", "--corpus", "ptb"]) == 0
    assert main(["generate", "run", "--seed", "1", "--length", "8"]) == 0
    assert main(["train", "--resume", "run", "--max-epoch", "2"]) == 0
    again, _ = load_model("run/model")
    assert again.head.words.order.tolist() == model.head.words.order.tolist()
    capsys.readouterr()
    assert main(["train", "--resume", "run", "--cutoffs", "4"]) == 2
    assert "cutoffs of a run that goes on must be [4, 7], as before, got [4]" in capsys.readouterr().err


def test_unigram_biases_are_what_a_model_begins_with(treebank, capsys):
    """Where weights are 0 a model has the perplexity of frequencies, with an adaptive softmax as with a full one."""
    starts = []
    for cutoffs in ((), (4, 7)):
        config = TrainConfig.of({"recipe": "book-rnn", "corpus": "ptb", "unigram_bias": True, "hidden_size": 8, "wordvec_size": 6,
                                 "batch_size": 4, "time_size": 5, "cutoffs": cutoffs, "div_value": 2.0})  # fmt: skip
        plan = prepare(config)
        plan.begin_with_what_is_known()
        for name, p in zip(plan.model.names, plan.model.params):
            p[...] = p if name.endswith(".b") else 0
        starts.append(evaluate(plan.model, plan.corpus.train[:200]).nats)
    assert starts[0] == pytest.approx(starts[1], rel=1e-6)


@pytest.mark.parametrize("words", ["30 20", "2 12", "2 --tied", "0"])
def test_cutoffs_that_do_not_fit_are_refused_before_anything_is_written(treebank, capsys, words):
    sizes = ["--hidden-size", "6", "--div-value", "2", "--cutoffs"]
    assert main(["train", *SMALL, *sizes, *words.split(), "--out", "run"]) == 2
    assert "cutoffs" in capsys.readouterr().err
    assert not Path("run").exists()


def test_a_recipe_says_it_in_a_list(treebank, capsys):
    Path("mine.toml").write_text("[settings]\ncutoffs = [20, 30]\nhidden_size = 32\n")
    assert TrainConfig.from_recipe("mine.toml").model.cutoffs == (20, 30)
    Path("mine.toml").write_text("[settings]\ncutoffs = [20.5]\n")
    assert main(["train", "--recipe", "mine.toml"]) == 2
    assert "cutoffs must be a list of whole numbers, got [20.5]: write it as in" in capsys.readouterr().err


# ---------------------------------------------------------------- the library's own way


def bigrams(rng, V, tokens):
    """A text in which each word is followed by one of three, of all words the frequent ones more often."""
    next_words = rng.choice(V, (V, 3), p=(1 / np.arange(1, V + 1)) / (1 / np.arange(1, V + 1)).sum())
    ids, draws = [0], rng.integers(0, 3, tokens)
    for draw in draws:
        ids.append(int(next_words[ids[-1], draw]) if draw or rng.random() < 0.8 else int(rng.integers(V)))
    return np.array(ids)


def trained(ids, V, **options):
    config = ModelConfig(vocab_size=V, cell="lstm", hidden_size=32, wordvec_size=32, **options)
    model = LanguageModel(config)
    model.head.set_frequencies(np.bincount(ids, minlength=V))
    run = Run(model, Adam(0.01), Batches(ids[:-1], ids[1:], 20, 10), 1.0)
    for _ in range(2 * len(run.batches)):
        run.step()
    return model


@pytest.mark.long
def test_it_learns_what_the_full_softmax_learns(rng):
    V, ids = 300, bigrams(rng, 300, 16_000)
    ids = rng.permutation(V)[ids]  # of which the low ids are not the frequent ones
    full, adaptive = (trained(ids[:14_000], V, cutoffs=cutoffs) for cutoffs in ((), (40, 120)))
    nats = [evaluate(model, ids[14_000:]).nats for model in (full, adaptive)]
    shares = np.bincount(ids, minlength=V) / len(ids)
    entropy = -(shares * np.log(np.maximum(shares, 1e-9))).sum()
    assert nats[0] < 0.8 * entropy
    assert nats[1] < nats[0] + 0.1
    assert adaptive.config.parameters < full.config.parameters


def small(seed=1):
    model = LanguageModel(ModelConfig(vocab_size=12, cutoffs=(4, 7), hidden_size=8, div_value=2, dtype="float64", bias_range=0.5, seed=seed))  # fmt: skip
    model.head.set_frequencies(np.arange(12) * 5 % 12)
    return model


def test_all_that_asks_a_model_takes_it(rng):
    model, sentence = small(), [3, 5, 11, 0]
    logps = host(model.predict([[0, *sentence[:-1]]]))[0]
    model.reset_state()
    (one,) = score(model, [sentence], eos_id=0)
    np.testing.assert_allclose(one.tokens, logps[np.arange(4), sentence], rtol=1e-12)
    ids = rng.integers(0, 12, 50)
    assert evaluate(model, ids).nats == pytest.approx(evaluate(model, ids, window=7).nats, rel=1e-12)
    assert evaluate(Mixture([model, small()], [0.3, 0.7]), ids).nats == pytest.approx(
        evaluate(model, ids).nats, rel=1e-9
    )
    assert len(generate(model, 3, sample_size=9)) == 9


def test_it_comes_back_from_its_folder(tmp_path, rng):
    from rnnlm import Vocabulary

    model, words = small(), Vocabulary([f"w{i}" for i in range(12)])
    want = host(model.predict([[1, 2, 3]]))
    save_model(tmp_path / "m", model, words)
    again, _ = load_model(tmp_path / "m")
    np.testing.assert_array_equal(host(again.predict([[1, 2, 3]])), want)
    model.save_params(tmp_path / "p")
    other = small(seed=2)
    other.head.set_frequencies(np.zeros(12))
    other.load_params(tmp_path / "p")
    np.testing.assert_array_equal(host(other.predict([[1, 2, 3]])), want)


@pytest.mark.parametrize("content", [np.full(12, np.nan), -np.ones(12)])
def test_frequencies_that_are_none_in_a_strangers_file_do_no_harm(tmp_path, content):
    """Any numbers put words in an order: the probabilities are still some that sum to 1."""
    model = small()
    with open(tmp_path / "p", "wb") as file:
        file.writelines(pieces({**model.written(), "adaptive.frequencies": content}))
    model.load_params(tmp_path / "p")
    np.testing.assert_allclose(np.exp(host(model.predict([[1, 2, 3]]))).sum(axis=2), 1)
    with open(tmp_path / "p", "wb") as file:
        file.writelines(pieces({**model.written(), "adaptive.frequencies": content[1:]}))
    with pytest.raises(ModelFileError, match=r"adaptive.frequencies must be float64 \(12,\)"):
        model.load_params(tmp_path / "p")
