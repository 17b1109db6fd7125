"""NumPy and CuPy train alike: the same seed, the same losses, and model folders that move both ways.

Runs on the stand-in (--strict-cupy), with the kernels on a CPU, and on a GPU. The NumPy side is a process of its own.
"""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from rnnlm.backend import NAME
from rnnlm.data import Sentences, Vocabulary, additions
from rnnlm.inference.evaluation import evaluate
from rnnlm.layers import Dense, Dropout, ReLU, SoftmaxWithLoss
from rnnlm.models import AttentionSeq2seq, ModelConfig, Sequential, build_model
from rnnlm.models.build import config_of
from rnnlm.optim import SGD
from rnnlm.saving.model_folder import load_model, save_model
from rnnlm.training.rnnlm_trainer import RnnlmTrainer
from rnnlm.training.trainer import Trainer
from rnnlm.wordvec import SkipGram, Word2vecOptions, create_contexts_target, train_word2vec
from tests.gradcheck import host

pytestmark = pytest.mark.skipif(NAME != "cupy", reason="compares CuPy with NumPy: RNNLM_DEVICE=cuda or --strict-cupy")
STEPS, N, T, RATE = 200, 8, 12, 0.1
SIZES = {"vocab_size": 60, "wordvec_size": 16, "hidden_size": 20, "seed": 5}
MODELS = {
    "SimpleRnnlm": {},
    "Rnnlm": {"cell": "lstm"},
    "BetterRnnlm": {"cell": "lstm", "layers": 2, "wordvec_size": 20, "tied": True, "dropout_ratio": 0.5},
    "gru": {"cell": "gru"},
    "gru, reset after": {"cell": "gru", "reset_after": True},
    "NNLM": {"context": 3},
    "awd": {"cell": "lstm", "layers": 2, "weight_drop": 0.3, "embed_dropout": 0.1, "dropout_ratio": 0.2, "variational": True,
            "ar": 2.0, "tar": 1.0},
}  # fmt: skip


def losses_of(name):
    """The loss after each of 200 steps of SGD at rate 0.1 on a fixed corpus, and the weights in the end."""
    named = name if name.lower().endswith("nlm") else "LanguageModel"
    model = build_model(config_of({"model": named, **SIZES, **MODELS[name]}))
    corpus = np.minimum(np.random.default_rng(0).geometric(0.08, STEPS * N * T // 3), SIZES["vocab_size"]) - 1
    trainer = RnnlmTrainer(model, SGD(RATE))
    trainer.fit(corpus[:-1], corpus[1:], 4, N, T, 0.25, 1, lambda *_: len(trainer.ppl_list) == STEPS)
    return np.log(trainer.ppl_list), host(model.flat_params)


def losses_of_sentences():
    """The perplexity after each of 10 epochs over lines of different lengths, with AR and dropout, and the weights."""
    rng = np.random.default_rng(0)
    lines = Sentences.of([rng.integers(1, 60, n) for n in rng.integers(1, 30, 80)], 0)
    model = build_model(ModelConfig(cell="lstm", dropout_ratio=0.2, ar=2.0, tar=1.0, **SIZES))
    trainer = RnnlmTrainer(model, SGD(RATE))
    trainer.fit(lines, None, 10, 4, 10, 0.25, None)
    return np.log(trainer.ppl_list), host(model.flat_params)


def test_sentences_train_alike():
    losses, weights = losses_of_sentences()
    want, others = on_numpy(
        "losses, weights = losses_of_sentences()\nprint(json.dumps([losses.tolist(), weights.tolist()]))"
    )
    np.testing.assert_allclose(losses, want, atol=1e-4)
    np.testing.assert_allclose(weights, others, atol=1e-4)
    assert losses[-1] < losses[0]


def on_numpy(code, *arguments):
    """What a process with the NumPy backend prints, as JSON."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("RNNLM_")}
    command = [sys.executable, "-c", f"import json\nfrom tests.test_parity import *\n{code}", *map(str, arguments)]
    result = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


@pytest.mark.parametrize("name", MODELS)
def test_training_gives_the_losses_of_numpy(name):
    """Rounding alone tells them apart: 1e-4 of the loss over 200 steps in float32."""
    losses, weights = losses_of(name)
    want, want_weights = on_numpy(f"print(json.dumps([a.tolist() for a in losses_of({name!r})]))")
    assert len(losses) == STEPS
    assert want[0] - want[-1] > 0.3  # it learns
    np.testing.assert_allclose(losses, want, rtol=1e-4)
    np.testing.assert_allclose(weights, want_weights, atol=2e-3)


def network_losses():
    """A network with dropout, 60 steps; weights in the end."""
    rng = np.random.default_rng(2)
    x = rng.standard_normal((80, 6))
    t = x[:, :3].argmax(axis=1)
    net = Sequential([Dense(6, 16), ReLU(), Dropout(0.3), Dense(16, 3)], SoftmaxWithLoss(), seed=3)
    trainer = Trainer(net, SGD(RATE))
    trainer.fit(x, t, max_epoch=6, batch_size=8, eval_interval=1, max_grad=1.0, verbose=0)
    return np.array(trainer.loss_list), host(net.flat_params)


def vector_losses():
    """Skip-gram by negative sampling, as a model, and vectors of a text, the fast way."""
    ids = np.minimum(np.random.default_rng(4).geometric(0.1, 3000), 40) - 1
    model = SkipGram(40, 8, 2, ids, seed=5)
    trainer = Trainer(model, SGD(1.0))
    trainer.fit(*create_contexts_target(ids[:500], 2), max_epoch=2, batch_size=20, eval_interval=1, verbose=0)
    vectors = [train_word2vec(ids, 40, method, Word2vecOptions(size=8, epochs=1)) for method in ("skip-gram", "cbow")]
    return np.array(trainer.loss_list), np.concatenate([model.word_vecs, *vectors])


def answer_losses():
    """Additions, read both ways by their lengths, with attention; what it answers is among what is compared."""
    pairs = additions(200, seed=3)
    model = AttentionSeq2seq(len(pairs.characters), 8, 16, bidirectional=True, seed=5)
    trainer = Trainer(model, SGD(1.0))
    inputs = pairs.questions, pairs.lengths
    trainer.fit(inputs, pairs.answers, 8, 16, 1.0, eval_interval=1, verbose=0)
    said = [model.answers(inputs, int(pairs.answers[0, 0]), 4, beams) for beams in (1, 3)]
    return np.array(trainer.loss_list), np.concatenate(
        [host(model.flat_params), 1e-4 * np.concatenate(said).reshape(-1)]
    )


@pytest.mark.parametrize("function", ["network_losses", "vector_losses", "answer_losses"])
def test_networks_and_word_vectors_are_those_of_numpy(function):
    losses, weights = globals()[function]()
    want, want_weights = on_numpy(f"print(json.dumps([a.tolist() for a in {function}()]))")
    assert len(losses) > 40
    assert want[0] - want[-1] > 0.1
    np.testing.assert_allclose(losses, want, rtol=1e-4)
    np.testing.assert_allclose(weights, want_weights, atol=1e-4)


def test_a_model_folder_moves_both_ways(tmp_path):
    words = Vocabulary([*(f"w{i}" for i in range(59)), "<eos>"])
    ids = np.random.default_rng(1).integers(0, 60, 500)
    model = build_model(ModelConfig("BetterRnnlm", **(SIZES | MODELS["BetterRnnlm"])))
    save_model(tmp_path / "here", model, words)
    code = """
import sys
model, words = load_model(sys.argv[1])
save_model(sys.argv[2], model, words)
print(json.dumps(evaluate(model, json.loads(sys.argv[3])).nats))
"""
    nats = on_numpy(code, tmp_path / "here", tmp_path / "there", json.dumps(ids.tolist()))
    again, _ = load_model(tmp_path / "there")
    for one in (model, again):
        np.testing.assert_allclose(evaluate(one, ids).nats, nats, rtol=1e-6)
    np.testing.assert_array_equal(host(again.flat_params), host(model.flat_params))
