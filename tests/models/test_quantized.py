import copy
import pickle
import tracemalloc

import numpy as np
import pytest

from rnnlm import (
    NNLM,
    SGD,
    AwdLstm,
    BetterRnnlm,
    LanguageModel,
    Rnnlm,
    RnnlmTrainer,
    SimpleRnnlm,
    evaluate,
    generate,
    quantize,
    story,
)
from rnnlm.backend import FUSED, NAME, xp
from rnnlm.errors import InputError
from rnnlm.inference.predictor import shared_copy_of
from rnnlm.layers.small_layers import SMALL_CELLS
from rnnlm.models.build import build_model
from rnnlm.models.config import ModelConfig
from rnnlm.models.quantized import QuantizedConfig, QuantizedModel
from rnnlm.training.run import Run
from tests.gradcheck import dev, host

V = 50
GENERAL = {"vocab_size": V, "wordvec_size": 12, "hidden_size": 12, "bias_range": 0.1, "seed": 3}
MODELS = {
    "SimpleRnnlm": lambda: SimpleRnnlm(V, 10, 12, bias_range=0.1),
    "Rnnlm": lambda: Rnnlm(V, 10, 12, bias_range=0.1),
    "BetterRnnlm": lambda: BetterRnnlm(V, 12, 12, bias_range=0.1),
    "AwdLstm": lambda: AwdLstm(V, 8, 12),
    "rnn relu": lambda: LanguageModel(ModelConfig(cell="rnn", activation="relu", layers=2, **GENERAL)),
    "gru": lambda: LanguageModel(ModelConfig(cell="gru", last_hidden_size=9, layers=3, **GENERAL)),
    "gru after": lambda: LanguageModel(ModelConfig(cell="gru", reset_after=True, tied=True, **GENERAL)),
    "lstm": lambda: LanguageModel(ModelConfig(cell="lstm", dropout_ratio=0.5, weight_drop=0.5, ar=2.0, tar=1.0, **GENERAL)),
}  # fmt: skip


def made(name):
    """A model whose scores tell words apart."""
    model = MODELS[name]()
    for p, own in zip(model.params, model.names):
        p *= 20 if own == "embed.W" else 1.5
    return model


def rounded(model, small):
    """The float32 model with the weights that the small one stands for."""
    arrays = small.state_dict()
    like = build_model(model.config)
    weights = {n: arrays[n].astype(np.float32) * arrays.get(f"{n}_scales", np.float32(1)) for n in model.names}
    like.load_state_dict(weights)
    return like


def expect_near(found, want):
    """Equal up to rounding of float32, which a few steps of a recurrence make larger."""
    np.testing.assert_allclose(found, want, rtol=0, atol=1e-5 * max(1, np.abs(want).max()))


@pytest.mark.parametrize("to", ["int8", "float16"])
@pytest.mark.parametrize("name", MODELS)
def test_it_says_what_the_rounded_model_says(name, to, rng):
    model = made(name)
    small = quantize(model, to)
    like = rounded(model, small)
    assert any((host(a) != host(b)).any() for a, b in zip(like.params, model.params))
    for T in (1, 7):  # the state goes on
        xs, ts = (rng.integers(0, V, (3, T)) for _ in range(2))
        ts[0, 0] = -1
        expect_near(host(small.losses(xs, ts)), host(like.losses(xs, ts)))
        expect_near(host(small.next_scores(xs)), host(like.next_scores(xs)))
        expect_near(host(small.predict(xs)), host(like.predict(xs)))
        loss = small.forward(xs, ts, train_flg=False)
        np.testing.assert_allclose(float(loss), float(like.forward(xs, ts, train_flg=False)), rtol=1e-5)
    for mine, its in zip(small.get_state(), like.get_state()):
        for a, b in zip(mine, its):
            expect_near(host(a), host(b))


def test_scores_are_taken_some_rows_at_a_time(rng, monkeypatch):
    small = quantize(made("lstm"))
    xs = rng.integers(0, V, (2, 9))
    at_once = host(small.losses(xs, xs))
    monkeypatch.setattr("rnnlm.layers.small_layers.ops.SCORES_ONCE", 16 * V)
    small.reset_state()
    np.testing.assert_allclose(host(small.losses(xs, xs)), at_once, rtol=1e-6)


def test_a_tied_matrix_is_one():
    small = quantize(made("BetterRnnlm"))
    assert [n for n in small.names if n.startswith(("embed", "affine"))] == ["embed.W", "embed.W_scales", "affine.b"]
    codes = small.params[0]
    codes[...] = 0
    assert (host(small.predict([[1, 2]])) == host(small.params[small.names.index("affine.b")])).all()


@pytest.mark.parametrize(("to", "share"), [("int8", 0.27), ("float16", 0.51)])
@pytest.mark.parametrize("tied", [False, True])
def test_it_is_small(to, share, tied):
    model = LanguageModel(ModelConfig(vocab_size=1000, wordvec_size=160, hidden_size=160, cell="lstm", tied=tied))
    small = quantize(model, to)
    assert sum(p.nbytes for p in small.params) <= share * sum(p.nbytes for p in model.params)
    assert {p.dtype.name for p in small.params} == {to, "float32"}
    assert all(p.ndim == 1 or p.size < 1000 * 2 for p in small.params if p.dtype == np.float32)


@pytest.mark.skipif(NAME != "numpy" or not FUSED, reason="looks at the memory that NumPy takes")
@pytest.mark.parametrize("to", ["int8", "float16"])
def test_the_large_matrices_never_stand_in_memory_as_float32(to):
    V, D = 20_000, 200
    config = QuantizedConfig(vocab_size=V, wordvec_size=D, hidden_size=D, cell="lstm", tied=True, weights=to)
    tracemalloc.start()
    try:
        small = QuantizedModel(config)
        held = sum(p.nbytes for p in small.params)
        small.losses([[1, 2, 3]], [[2, 3, 4]])
        small.next_scores([[1]])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak - held < 0.4 * 4 * V * D  # Wh, a block for each thread, a few rows of scores


def test_a_chain_of_its_own_can_be_copied_and_shared():
    stack = quantize(made("lstm"), "int8").stack
    ids = dev(np.array([[1, 2, 3]]))
    for twin in (copy.deepcopy(stack), pickle.loads(pickle.dumps(stack)), stack.shared_copy()):
        np.testing.assert_array_equal(host(twin.scores(ids)), host(stack.scores(ids)))
        stack.reset_state()


def test_the_model_is_left_as_it_is_and_the_state_begins_with_zeros(rng):
    model = made("lstm")
    model.predict(rng.integers(0, V, (1, 3)))
    before = host(model.flat_params)
    small = quantize(model)
    np.testing.assert_array_equal(host(model.flat_params), before)
    assert small.get_state() == [None]
    assert model.get_state() != [None]


def test_float64_is_rounded_to_float32_first():
    small = quantize(Rnnlm(V, 10, 12, dtype="float64"))
    assert small.config.dtype == "float32"
    assert small.predict([[1]]).dtype == np.float32


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m)), shared_copy_of])
def test_copies(copied, rng):
    small = quantize(made("gru"))
    twin = copied(small)
    twin.reset_state()
    xs = rng.integers(0, V, (2, 5))
    np.testing.assert_array_equal(host(twin.predict(xs)), host(small.predict(xs)))
    shared = copied is shared_copy_of
    assert all(bool(xp.may_share_memory(a, b)) == shared for a, b in zip(twin.params, small.params))
    assert twin.names == small.names


def test_it_writes_and_is_evaluated_like_any(rng):
    small = quantize(made("Rnnlm"))
    ids = rng.integers(0, V, 80)
    like = rounded(made("Rnnlm"), small)
    assert evaluate(small, ids).nats == pytest.approx(evaluate(like, ids).nats, rel=1e-5)
    assert generate(small, [1], sample_size=12, seed=1) == generate(like, [1], sample_size=12, seed=1)


@pytest.mark.long
def test_perplexity_is_nearly_that_of_float32():
    words, ids = story.vocabulary(), story.load_data("train")[0][:15_000]
    model = Rnnlm(len(words), 40, 60)
    RnnlmTrainer(model, SGD(20.0)).fit(ids[:-1], ids[1:], 1, 10, 15, 0.25, None, verbose=0)
    test = ids[:3_000]
    whole = evaluate(model, test).perplexity
    assert whole < len(words) / 4
    for to, room in (("int8", 0.005), ("float16", 0.0005)):
        assert abs(evaluate(quantize(model, to), test).perplexity / whole - 1) < room


# ---------------------------------------------------------------- what is refused

TRAINED = {
    "forward": lambda m: m.forward([[1]], [[2]]),
    "predict": lambda m: m.predict([[1]], train_flg=True),
    "backward": lambda m: m.backward(),
    "backward of its stack": lambda m: m.stack.backward(dev(np.zeros((1, 1, 12), np.float32))),
    "gradients": lambda m: m.gradients(),
    "fit": lambda m: RnnlmTrainer(m, SGD(1.0)).fit(np.arange(40), np.arange(40), 1, 2, 5),
    "fit that is kept": lambda m: RnnlmTrainer(m, SGD(1.0)).fit(np.arange(40), np.arange(40), 1, 2, 5, save_to="kept"),
}


@pytest.mark.parametrize("how", TRAINED)
def test_it_is_not_trained(how, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    small = quantize(made("Rnnlm"))
    with pytest.raises(
        InputError, match="quantized model can't be trained.*Train the float32 model .* quantize that again"
    ):
        TRAINED[how](small)
    assert not list(tmp_path.iterdir())


def with_one(value):
    model = made("Rnnlm")
    model.params[1][0, 0] = value
    return model


class Own(Rnnlm):
    """A class of one's own."""


REFUSED = [
    (lambda: quantize(made("Rnnlm"), "int4"), "to must be one of int8, float16, got 'int4'"),
    (lambda: quantize(quantize(made("Rnnlm"))), "model must not have small weights already, got int8"),
    (lambda: quantize(NNLM(V, 4, 5)), "model must be one of LanguageModel, SimpleRnnlm, .* got NNLM"),
    (lambda: quantize(Own(V, 4, 5)), "model must be one of LanguageModel, .* got Own"),
    (lambda: quantize("m"), "model must be a Model"),
    (lambda: quantize(with_one(np.nan)), "weights must be finite to be quantized, and lstm.Wx is not"),
    (lambda: quantize(with_one(-np.inf), "float16"), "weights must be finite to be quantized, and lstm.Wx is not"),
    (lambda: quantize(with_one(7e4), "float16"), "lstm.Wx must be within 65,504"),
    (lambda: QuantizedConfig(weights="int4"), "weights must be one of int8, float16, got 'int4'"),
    (lambda: QuantizedConfig(source="NNLM"), "source must be one of LanguageModel, .* got 'NNLM'"),
    (lambda: QuantizedConfig(dtype="float64"), "dtype of activations must be one of float32, got 'float64'"),
    (lambda: QuantizedModel(ModelConfig()), "config must be a QuantizedConfig"),
]


@pytest.mark.parametrize(("make", "message"), REFUSED)
def test_what_is_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()


def test_a_cell_without_a_small_layer_is_refused_by_name(monkeypatch):
    monkeypatch.delitem(SMALL_CELLS, "gru")
    with pytest.raises(InputError, match="cell must be one of rnn, lstm to have small weights, got 'gru'"):
        quantize(made("gru"))


def test_a_weight_that_there_is_no_small_one_for_is_refused_by_name():
    model = made("Rnnlm")
    model.names[-1] = "affine.more"
    with pytest.raises(InputError, match=r"affine.more \(50,\) of this Rnnlm has no small weights"):
        quantize(model)


def test_a_run_of_it_is_refused_before_its_first_step():
    from rnnlm import Batches

    with pytest.raises(InputError, match="can't be trained"):
        Run(quantize(made("Rnnlm")), SGD(1.0), Batches(np.arange(40), np.arange(40), 2, 5))


def test_it_is_shown_as_what_it_is():
    small = quantize(made("BetterRnnlm"))
    shown = repr(small)
    assert shown.startswith("QuantizedModel of BetterRnnlm: ")
    assert ", int8\n" in shown
    assert "W_scales (50, 1)" in shown


def test_the_label_of_targets_that_do_not_count_stays():
    model = LanguageModel(ModelConfig(cell="lstm", vocab_size=9, wordvec_size=5, hidden_size=6))
    model.head.ignore_label = 3
    assert quantize(model).head.ignore_label == 3
