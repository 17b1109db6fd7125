"""Whatever has a predictor's methods is evaluated, scored and made to write: the one that docs/predictors.md shows."""

import re
from pathlib import Path

import numpy as np
import pytest

from rnnlm import ModelConfig, build_model, evaluate, generate, generate_batch, score, token_nats
from rnnlm.backend import ops
from rnnlm.errors import InputError
from rnnlm.inference.predictor import (
    expect_predictor,
    leaves_of,
    one_thread,
    own_state,
    rows_of,
    shared_copy_of,
    start_of,
)
from tests.gradcheck import host

ROOT = Path(__file__).parent.parent.parent
CODE, _ = re.findall(
    r"```python\n(.*?)```", (ROOT / "docs" / "predictors.md").read_text(), re.S
)  # the other one is of threads
PROTOCOL = ("vocab_size", "losses", "next_scores", "reset_state", "get_state", "set_state")


@pytest.fixture
def shown(capsys):
    """The names that the page defines, and what it prints."""
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
    sentence = words.encode("the dogs sing <eos>")
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


class Reader:
    """A predictor of three words that notes what is asked of it; its state is what it has read."""

    vocab_size = 3

    def __init__(self, **more):
        self.read, self.calls = [], []
        vars(self).update(more)

    def losses(self, xs, ts):
        raise NotImplementedError

    def next_scores(self, xs):
        self.read += xs
        return np.zeros((1, 3))

    def reset_state(self):
        self.read = []

    def get_state(self):
        return [*self.read]

    def set_state(self, state):
        self.read = state


def test_a_predictor_has_all_methods_and_a_number_of_words():
    assert expect_predictor("model", Reader()) == 3
    for method in PROTOCOL[1:]:
        for wrong in (None, 7):
            with pytest.raises(InputError, match="^model must be a language model, with vocab_size and the methods "):
                expect_predictor("model", Reader(**{method: wrong}))
    with pytest.raises(
        InputError, match="model must read a text word by word and score each next word, and this Reader"
    ):
        expect_predictor("model", Reader(vocab_size=None))
    for wrong in (0, 2.5):
        with pytest.raises(InputError, match="^vocab_size of model must be a whole number of at least 1, got"):
            expect_predictor("model", Reader(vocab_size=wrong))


def test_what_a_predictor_may_have_beside():
    plain, own = Reader(), Reader(start_id=0, rows=7, shared_copy=lambda: "copy")
    assert (start_of(plain), rows_of(plain), rows_of(plain, 9), rows_of(own), rows_of(own, 9)) == (None, 512, 9, 7, 7)
    assert (start_of(own), shared_copy_of(own)) == (0, "copy")
    with pytest.raises(InputError, match="^Reader has no shared_copy, by which other threads could use it, too$"):
        shared_copy_of(plain)


class Noted:
    """A context that says when it is entered and left."""

    def __init__(self, name, notes):
        self.name, self.notes = name, notes

    def __enter__(self):
        self.notes.append(f"in {self.name}")

    def __exit__(self, *_):
        self.notes.append(f"out {self.name}")


def test_those_that_are_asked_in_the_end_are_kept_for_one_thread(monkeypatch):
    notes = []
    monkeypatch.setattr(ops, "one_blas_thread", Noted("blas", notes))
    a, b, c = (Reader(one_thread=Noted(name, notes)) for name in "abc")
    mixture = Reader(predictors=[a, Reader(predictors=[b, Reader()]), c])
    assert leaves_of(mixture)[:2] == [a, b]
    assert leaves_of(mixture)[3:] == [c]
    assert leaves_of(a) == [a]
    with one_thread(mixture):
        assert notes == ["in a", "in b", "in c", "in blas"]
    assert notes[4:] == ["out blas", "out c", "out b", "out a"]
    notes.clear()

    def fails():
        with own_state(a):
            assert notes == ["in a", "in blas"]
            raise KeyError

    with pytest.raises(KeyError):
        fails()
    assert notes[2:] == ["out blas", "out a"]


def test_a_state_of_ones_own_begins_with_nothing_and_is_given_up_for_the_one_before():
    model = Reader()
    model.next_scores([1, 2])

    def fails():
        with own_state(model):
            assert model.read == []
            model.next_scores([0])
            raise KeyError

    with pytest.raises(KeyError):
        fails()
    assert model.read == [1, 2]


@pytest.mark.parametrize(
    ("method", "returned", "message"),
    [
        (
            "losses",
            lambda nats: -nats,
            "losses of Unigram must be at least 0, negative logarithms of probabilities, got -",
        ),
        ("losses", lambda nats: nats[..., None], r"losses of Unigram must be an array of the shape \(.*\) of ts, got"),
        ("losses", lambda nats: nats.T, r"losses of Unigram must be an array of the shape \(.*\) of ts, got"),
        ("losses", lambda nats: nats.sum(), "losses of Unigram must be an array"),
        ("losses", lambda nats: None, "losses of Unigram must be an array .* got None"),
        ("next_scores", lambda scores: scores[:, 1:], r"next_scores of Unigram must be an array of shape \(1, 102\)"),
        ("next_scores", lambda scores: scores[0], r"next_scores of Unigram must be an array of shape \(1, 102\)"),
    ],
)
def test_what_a_predictor_returns_is_checked(method, returned, message, shown):
    names, _ = shown
    model, was = names["model"], getattr(names["model"], method)
    setattr(model, method, lambda *given: returned(was(*given)))
    asked = [lambda: generate(model, 0, sample_size=3)]
    if method == "losses":
        asked = [lambda: evaluate(model, names["corpus"][:9]), lambda: score(model, [[5, 6, 2, 0], [7, 0]])]
    for ask in asked:
        with pytest.raises(InputError, match=message):
            ask()
