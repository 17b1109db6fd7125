"""Language models that see the last words alone."""

import copy

import numpy as np
import pytest

from rnnlm import (
    NNLM,
    CbowLm,
    ModelConfig,
    build_model,
    evaluate,
    generate,
    generate_batch,
    load_model,
    save_model,
    score,
)
from rnnlm.data import Vocabulary
from rnnlm.errors import InputError
from rnnlm.models.build import config_for
from rnnlm.models.config import ModelOptions
from rnnlm.optim import SGD
from rnnlm.training.rnnlm_trainer import RnnlmTrainer
from tests import reference
from tests.gradcheck import assert_gradients, dev, host

V, D, H, n = 11, 5, 6, 4
OPTIONS = {"dtype": "float64", "seed": 3, "bias_range": 0.3}
KINDS = {
    "nnlm": lambda **more: NNLM(V, D, H, n, **(OPTIONS | more)),
    "nnlm-tied": lambda **more: NNLM(V, D, D, n, tied=True, dropout_ratio=0.3, **(OPTIONS | more)),
    "cbow": lambda **more: CbowLm(V, D, n, **(OPTIONS | more)),
    "cbow-tied": lambda **more: CbowLm(V, D, n, tied=True, input_dropout=0.3, **(OPTIONS | more)),
}
kinds = pytest.mark.parametrize("kind", KINDS)


def windows(rng, N=3, T=4):
    ids = rng.integers(0, V, (N, T + 1))
    return ids[:, :-1], ids[:, 1:]


def check_gradients(model, rng):
    (before, _), (xs, ts) = windows(rng, T=2), windows(rng)

    def loss():
        model.train_steps = 0
        model.reset_state()
        model.predict(before)
        return model.forward(xs, ts)

    loss()
    model.backward()
    grads = {name: g.copy() for name, g in zip(model.names, model.grads)}
    assert all(float(abs(g).max()) > 0 for g in grads.values())
    assert_gradients(loss, dict(zip(model.names, model.params)), grads, rng)


@kinds
def test_backward_is_the_derivative(rng, kind):
    check_gradients(KINDS[kind](), rng)


@kinds
def test_the_parameters_are_as_many_as_the_configuration_says(kind):
    model = KINDS[kind]()
    assert model.config.parameters == sum(p.size for p in model.params)
    again = build_model(model.config)
    assert type(again) is type(model)
    np.testing.assert_array_equal(host(again.flat_params), host(model.flat_params))


def test_the_forward_of_the_equations(rng):
    model, (xs, ts) = KINDS["nnlm"](), windows(rng)
    E, Wh, bh, Wy, by = map(host, model.params)
    x = reference.contexts(xs, E, n).reshape(3, 4, n * D)
    scores = np.tanh(x @ Wh + bh) @ Wy + by
    np.testing.assert_allclose(host(model.predict(xs)), scores, rtol=1e-12)
    model.reset_state()
    assert float(model.forward(xs, ts)) == pytest.approx(reference.cross_entropy(scores, ts), rel=1e-12)


def test_an_nnlm_of_seven_words():
    """ "what will the fat cat sit on": four words, vectors of 5, side by side (20,), no direct connections."""
    words = Vocabulary(["what", "will", "the", "fat", "cat", "sit", "on"])
    model = NNLM(len(words), wordvec_size=5, hidden_size=8, context=4, seed=1)
    shapes = dict(zip(model.names, (p.shape for p in model.params)))
    assert shapes == {"embed.W": (7, 5), "hidden.W": (20, 8), "hidden.b": (8,), "affine.W": (8, 7), "affine.b": (7,)}
    ids = words.encode("what will the fat cat sit on")
    x = host(model.layers["embed"].forward(dev(ids[None, :4])))
    E = host(model.params[0])
    np.testing.assert_array_equal(x[0, 3], np.concatenate([E[i] for i in ids[:4]]))
    model.reset_state()
    trainer = RnnlmTrainer(model, SGD(1.0))
    text = np.tile(ids, 30)
    trainer.fit(text[:-1], text[1:], max_epoch=20, batch_size=2, time_size=7, eval_interval=None)
    assert trainer.ppl_list[-1] < 1.1
    assert words.decode(generate(model, ids[:4].tolist(), sample_size=7, greedy=True)) == words.words


@kinds
def test_it_is_a_predictor(rng, kind):
    """Perplexity as one stream, whatever the windows; scores and texts; the state is given back."""
    model, ids = KINDS[kind](), rng.integers(0, V, 60)
    whole = evaluate(model, ids, window=59)
    for window in (1, 2, 7):
        assert evaluate(model, ids, window=window).nats == pytest.approx(whole.nats, rel=1e-12)
    nats = host(model.losses(ids[None, :-1], ids[None, 1:]))
    assert nats.mean() == pytest.approx(whole.nats, rel=1e-12)
    model.reset_state()
    alone = [score(model, [row], eos_id=0)[0].logprob for row in ([3, 4, 5, 6, 7, 8], [9])]
    assert [s.logprob for s in score(model, [[3, 4, 5, 6, 7, 8], [9]], eos_id=0)] == pytest.approx(alone)
    text = generate(model, [1, 2], sample_size=12, seed=5)
    assert generate_batch(model, [[1, 2]], sample_size=12, seed=5)[0].tolist() == text


def test_it_sees_its_context_and_nothing_else(rng):
    model, ids = KINDS["nnlm"](), rng.integers(0, V, (1, 9))
    other = ids.copy()
    other[0, :5] = (other[0, :5] + 1) % V
    want = host(model.predict(ids))[0, -1]
    model.reset_state()
    np.testing.assert_array_equal(host(model.predict(other))[0, -1], want)
    other[0, 5] = (other[0, 5] + 1) % V
    model.reset_state()
    assert not np.array_equal(host(model.predict(other))[0, -1], want)


@kinds
def test_it_is_saved_and_copied(rng, kind, tmp_path):
    model, (xs, ts) = KINDS[kind](), windows(rng)
    save_model(tmp_path, model, Vocabulary([f"w{i}" for i in range(V)]))
    again, _ = load_model(tmp_path)
    assert again.config == model.config
    model.predict(xs)
    twin = copy.deepcopy(model)  # in the midst of a text
    a, b = (host(one.predict(ts)) for one in (model, twin))
    np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(host(again.flat_params), host(model.flat_params))


def test_a_training_goes_on_where_it_was(rng):
    """State and weights of a run, taken apart in the midst of a text."""
    ids = rng.integers(0, V, 200)
    from rnnlm.data.batches import Batches
    from rnnlm.training.run import Run

    def run():
        return Run(KINDS["nnlm-tied"](), SGD(0.5), Batches(ids[:-1], ids[1:], 3, 5))

    one, other = run(), run()
    for _ in range(4):
        one.step()
    other.load_state_dict(one.state_dict())
    for _ in range(3):
        one.step()
        other.step()
    np.testing.assert_array_equal(host(one.model.flat_params), host(other.model.flat_params))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model": "nnlm", "cell": "lstm"}, "cell is not an option of NNLM and must be left at 'rnn', got 'lstm'"),
        ({"model": "nnlm", "layers": 2}, "layers is not an option of NNLM and must be left at 1, got 2"),
        ({"model": "cbow-lm", "hidden_size": 50}, "hidden_size is not an option of CbowLm and must be left at 100"),
        ({"model": "cbow-lm", "weight_drop": 0.5}, "weight_drop is not an option of CbowLm"),
        ({"model": "nnlm", "context": 0}, "context must be a whole number in [1, 1001), got 0"),
        ({"model": "nnlm", "context": 1.5}, "context must be a whole number"),
        ({"model": "nnlm", "tied": True, "hidden_size": 50}, "tied needs word vectors as long as"),
        ({"context": 5}, "context is for models nnlm and cbow-lm, got 5: LanguageModel sees all words"),
        ({"model": "nnml"}, "model must be one of recurrent, nnlm, cbow-lm, got 'nnml'; did you mean nnlm?"),
    ],
)
def test_options_that_do_not_fit_are_refused(options, message):
    with pytest.raises(InputError) as caught:
        config_for(ModelOptions(**options), 100)
    assert message in str(caught.value)


def test_a_recurrent_configuration_builds_none():
    with pytest.raises(InputError, match="unexpected|must be"):
        build_model(ModelConfig("NNLM", V, cell="lstm"))
