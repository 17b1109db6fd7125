"""Whatever has a predictor's methods is evaluated, scored and made to write: the one that docs/predictors.md shows."""

import re
from pathlib import Path

import numpy as np
import pytest

from rnnlm import ModelConfig, build_model, evaluate, generate, generate_batch, score, token_nats
from rnnlm.inference.predictor import own_state
from tests.gradcheck import host

ROOT = Path(__file__).parent.parent.parent
CODE, _ = re.findall(
    r"```python\n(.*?)```", (ROOT / "docs" / "predictors.md").read_text(), re.S
)  # the other one is of threads
PROTOCOL = ("vocab_size", "losses", "next_scores", "reset_state", "get_state", "set_state")


@pytest.fixture
def shown(tmp_path, monkeypatch, capsys):
    """The names that the page defines, and what it prints."""
    (tmp_path / "README.md").write_text((ROOT / "README.md").read_text())
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(CODE, names)
    return names, capsys.readouterr().out.splitlines()


def test_the_page_runs(shown):
    names, lines = shown
    assert lines[0].startswith("perplexity ")
    assert float(lines[1]) < 0
    assert len(lines[2].split()) == 10
    definition = CODE[CODE.index("class Unigram") : CODE.index("\n\n\ncorpus, words")]
    assert len([line for line in definition.splitlines() if line]) <= 20
    assert all(hasattr(names["Unigram"], name) for name in PROTOCOL[1:])


def test_its_figures_are_those_of_the_counts(shown):
    names, _ = shown
    corpus, words, model = names["corpus"], names["words"], names["model"]
    p = (np.bincount(corpus, minlength=len(words)) + 1) / (len(corpus) + len(words))
    want = -np.log(p[corpus[1:]])
    assert evaluate(model, corpus).nats == pytest.approx(want.mean(), rel=1e-12)
    for lanes in (1, 3):  # nothing is remembered, so that lanes lose nothing
        np.testing.assert_allclose(token_nats(model, corpus, lanes), want, rtol=1e-12)
    sentence = words.encode("the same <eos>")
    np.testing.assert_allclose(score(model, [sentence])[0].tokens, np.log(p[sentence]), rtol=1e-12)
    assert generate(model, [0, 1], greedy=True, sample_size=5) == [0, 1, *[int(p.argmax())] * 3]
    texts = generate_batch(model, np.zeros(2000, int), 2, skip_ids=[0], seed=3)
    assert np.mean(texts[:, 1] == p.argmax()) == pytest.approx(p.max() / (1 - p[0]), abs=0.03)


def test_a_model_of_this_library_is_one():
    model = build_model(ModelConfig(vocab_size=9, wordvec_size=3, hidden_size=4))
    assert all(hasattr(model, name) for name in PROTOCOL)
    model.next_scores([[1, 2, 3]])
    before = [host(a) for a in model.get_state()[0]]
    with own_state(model):
        assert model.get_state() == [None]
        model.next_scores([[4]])
    np.testing.assert_array_equal(host(model.get_state()[0][0]), before[0])
