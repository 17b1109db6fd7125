"""LanguageModel in all its variations, and the named models that are special cases of it."""

import copy
import json
from dataclasses import asdict, replace

import numpy as np
import pytest

from rnnlm.backend.host import on_host
from rnnlm.errors import InputError
from rnnlm.experiments.settings import TrainConfig
from rnnlm.layers import TimeAffine, TimeAffineWithLoss, TimeBiLSTM, TimeEmbedding, TimeLSTM
from rnnlm.models import (
    AwdLstm,
    BetterRnnlm,
    CbowLm,
    LanguageModel,
    Model,
    ModelConfig,
    Rnnlm,
    SimpleRnnlm,
    build_model,
)
from rnnlm.optim import SGD
from tests.gradcheck import assert_gradients, dev, host

V, D, H, N, T = 11, 5, 6, 3, 4
SMALL = {"vocab_size": V, "wordvec_size": D, "hidden_size": H, "dtype": "float64", "seed": 3, "bias_range": 0.3}
TORCH = {"init": "torch", "init_range": 0.5, "bias_range": 0.0}
VARIATIONS = {
    "rnn": {"cell": "rnn"},
    "lstm": {"cell": "lstm", "forget_bias": 1.0},
    "gru": {"cell": "gru"},
    "gru-after": {"cell": "gru", "reset_after": True, "forget_bias": 1.0},
    "deep": {"cell": "rnn", "layers": 3},
    "orthogonal": {"cell": "lstm", "init": "orthogonal"},
    "uniform": {"cell": "lstm", "init": "uniform", "bias_range": 0.0, "init_range": 0.5},
    "tied": {"cell": "gru", "tied": True, "hidden_size": D},
    "tied-last": {"cell": "lstm", "layers": 2, "tied": True, "last_hidden_size": D},
    "adaptive": {"cell": "lstm", "layers": 2, "last_hidden_size": 8, "cutoffs": (3, 7), "div_value": 2},
    "dropout": {"cell": "lstm", "layers": 2, "dropout_ratio": 0.4},
    "variational": {"cell": "rnn", "layers": 2, "dropout_ratio": 0.4, "variational": True},
    "embed": {"cell": "rnn", "embed_dropout": 0.4},
    "weight-drop": {"cell": "gru", "layers": 2, "weight_drop": 0.4},
    "relu": {"cell": "rnn", "activation": "relu", "layers": 2},
    "state-dropout": {"cell": "lstm", "layers": 2, "weight_drop": 0.2, "recurrent_dropout": 0.4},
    "ar": {"cell": "rnn", "ar": 2.0, "output_dropout": 0.3},
    "tar": {"cell": "rnn", "tar": 1.0, "output_dropout": 0.3},
    "better": {"cell": "lstm", "layers": 2, "tied": True, "hidden_size": D, "dropout_ratio": 0.5},
    "awd": {"cell": "lstm", "layers": 3, "last_hidden_size": D, "tied": True, "input_dropout": 0.4, "hidden_dropout": 0.25,
            "output_dropout": 0.4, "variational": True, "embed_dropout": 0.1, "weight_drop": 0.5, "ar": 2.0, "tar": 1.0, **TORCH},
}  # fmt: skip


def build(name, **options):
    return LanguageModel(ModelConfig(**(SMALL | VARIATIONS[name] | options)))


def window(rng, n=N, t=T):
    ids = rng.integers(0, V, (n, t + 1))
    return ids[:, :-1], ids[:, 1:]


def check_gradients(model, rng):
    """Loss and penalty, from a state and with the masks of one step, over all parameters and the states."""
    xs, ts = window(rng)
    model.forward(xs, ts)
    states = [[array.copy() for array in state] for state in model.get_state()]

    def loss():
        model.train_steps = 5
        model.set_state(states)
        return model.forward(xs, ts) + model.penalty

    loss()
    model.backward()
    arrays, grads = dict(zip(model.names, model.params)), dict(zip(model.names, [g.copy() for g in model.grads]))
    for k, (layer, state) in enumerate(zip(model.recurrent_layers, states)):
        for name, array in zip(layer.states, state):
            arrays[f"{name}{k}"], grads[f"{name}{k}"] = array, getattr(layer, f"d{name}").copy()
    assert_gradients(loss, arrays, grads, rng)


@pytest.mark.parametrize("name", VARIATIONS)
def test_backward_is_the_derivative(rng, name):
    check_gradients(build(name), rng)


@pytest.mark.parametrize("name", VARIATIONS)
def test_the_parameters_are_as_many_as_the_configuration_says(name):
    model = build(name)
    assert model.config.parameters == sum(p.size for p in model.params)
    assert [g.shape for g in model.grads] == [p.shape for p in model.params]


@pytest.mark.parametrize("name", ["dropout", "variational", "embed", "weight-drop", "ar", "awd"])
def test_nothing_is_dropped_while_evaluating(rng, name):
    """The model gives what one without dropout gives, and takes no masks."""
    model = build(name)
    plain = LanguageModel(replace(model.config, **dict.fromkeys(
        ["dropout_ratio", "input_dropout", "hidden_dropout", "output_dropout", "embed_dropout", "weight_drop", "ar", "tar"], 0.0
    )))  # fmt: skip
    plain.load_state_dict(model.state_dict())
    xs, ts = window(rng)
    want = host(plain.predict(xs))
    np.testing.assert_array_equal(host(model.predict(xs)), want)
    model.reset_state()
    plain.reset_state()
    assert float(model.forward(xs, ts, train_flg=False)) == float(plain.forward(xs, ts))
    assert float(model.penalty) == 0
    model.reset_state()
    assert not np.array_equal(host(model.predict(xs, train_flg=True)), want)
    assert model.train_steps == 1


def test_masks_are_numbered_by_training_steps(rng):
    """An evaluation in between changes nothing, and a copy goes on with the same masks."""
    xs, ts = window(rng)
    model, other = build("awd"), build("awd")
    for _ in range(3):
        a = float(model.forward(xs, ts))
        b = float(other.forward(xs, ts))
        assert a == b
        state = other.get_state()
        other.predict(xs)
        other.set_state(state)
        other = copy.deepcopy(other)
    assert float(build("awd", seed=4).forward(xs, ts)) != float(build("awd").forward(xs, ts))


@pytest.mark.parametrize("name", ["tied", "better", "awd"])
def test_a_tied_weight_is_one(rng, name):
    model = build(name)
    embed, affine = model.layers["embed"], model.layers["affine"]
    assert "affine.W" not in model.names
    assert "affine.b" in model.names
    SGD(0.5).update([model.flat_params], [model.flat_params.copy()])
    np.testing.assert_array_equal(host(affine.params[0]), host(embed.params[0]).T)
    xs, ts = window(rng)
    for _ in range(2):  # the gradient of a window does not grow from the one before
        model.train_steps = 0
        model.reset_state()
        model.forward(xs, ts)
        model.backward()
        grads = [host(g) for g in model.grads]
        assert np.abs(grads[0]).sum() > 0
    model.train_steps = 0
    model.reset_state()
    model.forward(xs, ts)
    model.backward()
    for a, b in zip(grads, model.grads):
        np.testing.assert_array_equal(a, host(b))


def same(named, general, rng):
    """Two models with equal weights and losses, dropout and all."""
    assert list(named.layers) == list(general.layers)
    assert named.names == general.names
    np.testing.assert_array_equal(host(named.flat_params), host(general.flat_params))
    for _ in range(2):
        xs, ts = window(rng)
        assert float(named.forward(xs, ts)) == float(general.forward(xs, ts))
        named.backward()
        general.backward()
        np.testing.assert_array_equal(host(named.flat_grads), host(general.flat_grads))


def test_the_named_models_are_special_cases(rng):
    options = {"dtype": "float64", "seed": 3}
    for model in (
        SimpleRnnlm(V, D, H, bias_range=0.3, **options),
        Rnnlm(V, D, H, forget_bias=1.0, **options),
        BetterRnnlm(V, D, D, 0.3, init="orthogonal", **options),
        AwdLstm(V, D, H, **options),
    ):
        same(model, LanguageModel(replace(model.config, model="LanguageModel")), rng)
        again = build_model(model.config)
        assert type(again) is type(model)
        same(again, build_model(model.config), rng)
        assert copy.deepcopy(model).config == model.config


def test_the_books_sizes():
    assert [Rnnlm().config.parameters, BetterRnnlm().config.parameters] == [2_090_400, 13_275_200]
    model = BetterRnnlm()
    assert model.names == ["embed.W", "lstm1.Wx", "lstm1.Wh", "lstm1.b", "lstm2.Wx", "lstm2.Wh", "lstm2.b", "affine.b"]
    assert AwdLstm().config.parameters == 24_210_800


def test_the_places_of_awd_lstm():
    """Each kind of dropout where the paper has it, TAR before and AR after the last one."""
    model = AwdLstm(V, D, H)
    assert list(model.layers) == ["embed", "input_dropout", "lstm1", "hidden_dropout1", "lstm2", "hidden_dropout2", "lstm3",
                                  "tar", "output_dropout", "ar", "affine"]  # fmt: skip
    ratios = {name: layer.mask.dropout_ratio for name, layer in model.layers.items() if layer.mask is not None}
    assert ratios == {"embed": 0.1, "input_dropout": 0.4, "lstm1": 0.5, "hidden_dropout1": 0.25, "lstm2": 0.5,
                      "hidden_dropout2": 0.25, "lstm3": 0.5, "output_dropout": 0.4}  # fmt: skip
    assert (model.layers["tar"].tar, model.layers["tar"].ar) == (1, 0)
    assert (model.layers["ar"].tar, model.layers["ar"].ar) == (0, 2)
    dropouts = [layer for name, layer in model.layers.items() if "_dropout" in name]
    assert [layer.variational for layer in dropouts] == [True] * 4
    assert [len(layer.params[1]) for layer in model.recurrent_layers] == [H, H, D]


def test_dropout_is_not_carried_over_time(rng):
    """The carried state is whole; only what goes up is dropped."""
    model = build("dropout")
    model.forward(*window(rng))
    assert all((host(array) != 0).all() for state in model.get_state() for array in state)


def test_an_adaptive_softmax_has_layers_of_its_own():
    model = build("adaptive")
    assert model.names[-8:] == ["adaptive.first.W", "adaptive.first.b", "adaptive.projection1.W", "adaptive.cluster1.W", "adaptive.cluster1.b",
                                "adaptive.projection2.W", "adaptive.cluster2.W", "adaptive.cluster2.b"]  # fmt: skip
    assert [p.shape for p in model.params[-8:]] == [(8, 5), (5,), (8, 4), (4, 4), (4,), (8, 2), (2, 4), (4,)]
    config = json.loads(json.dumps(asdict(model.config)))
    assert ModelConfig(**config) == model.config
    assert "cutoffs" not in CbowLm(V, D).state_dict()
    assert ModelConfig(cutoffs=(3,), div_value=1).clusters == [(100, 9_997)]  # as many units as there are
    assert CbowLm(V, 8, cutoffs=[3]).config.parameters == V * 8 + 9 * 4 + 8 * 2 + 3 * 8


def test_how_frequent_words_are_goes_with_the_weights(rng):
    """Into a copy, one that shares the weights, and out of `state_dict` and `progress`."""
    model = build("adaptive")
    model.head.set_frequencies(rng.permutation(V))
    (xs, _), other, third = window(rng), build("adaptive"), build("adaptive")
    want = host(model.predict(xs))
    other.load_state_dict(model.state_dict())
    third.load_progress({**on_host(model.progress()), "state": [None, None]})
    for one in (copy.deepcopy(model), model.shared_copy(), model.stack.shared_copy(), other, third):
        one.reset_state()
        got = one.predict(xs) if isinstance(one, Model) else one.scores(dev(xs))
        np.testing.assert_array_equal(host(got), want)


def test_numbers_of_numpy_become_plain_ones():
    model = BetterRnnlm(np.int64(V), np.int32(D), D, np.float32(0.5), seed=np.uint64(3))
    assert json.loads(json.dumps(asdict(model.config)))["dropout_ratio"] == 0.5


@pytest.mark.parametrize("cls", [SimpleRnnlm, Rnnlm, BetterRnnlm])
@pytest.mark.parametrize(
    "option", ["tied", "layers", "variational", "weight_drop", "cell", "last_hidden_size", "nonsense"]
)
def test_named_models_have_no_other_options(cls, option):
    message = f"options of {cls.__name__} are bias_range, .*, got '{option}': LanguageModel takes any"
    with pytest.raises(InputError, match=message):
        cls(V, D, D, **{option: 1})


def test_a_general_model_is_what_it_says():
    model = LanguageModel(replace(Rnnlm(V, D, H).config, layers=2))
    assert model.config.model == "LanguageModel"
    with pytest.raises(InputError, match="config must be a ModelConfig, got 'lstm'"):
        LanguageModel("lstm")


def test_the_recipe_of_awd_lstm_is_the_class():
    config = TrainConfig.from_recipe("awd-lstm").model_config(10_000)
    assert replace(AwdLstm(50).config, model="LanguageModel", vocab_size=10_000) == config


@pytest.mark.long
@pytest.mark.parametrize("name", ["better", "zaremba-medium", "awd-lstm"])
def test_the_first_windows_of_the_large_recipes(rng, name):
    """Real sizes, windows of 20 steps: the loss falls on a window that comes again, and all stays finite."""
    settings = TrainConfig.from_recipe(name)
    model, optimizer = build_model(settings.model_config(10_000)), settings.make_optimizer()
    ids = rng.integers(0, 200, (settings.batch_size, 21))
    losses = []
    for _ in range(3):
        model.reset_state()
        losses.append(float(model.forward(ids[:, :-1], ids[:, 1:])))
        model.backward()
        optimizer.lr = 1.0
        optimizer.update([model.flat_params], [model.flat_grads])
    assert 9.0 < losses[0] < 9.5  # log(10,000) = 9.21
    assert losses[0] > losses[1] > losses[2]


def test_initial_weights():
    config = ModelConfig(**(SMALL | {"hidden_size": 200, "vocab_size": 500, "wordvec_size": 50, "bias_range": 0.0}))
    book = LanguageModel(replace(config, cell="lstm", forget_bias=1.0)).state_dict()
    assert abs(book["embed.W"].std() - 0.01) < 0.0005
    assert abs(book["lstm.Wx"].std() - 50**-0.5) < 0.005
    assert abs(book["lstm.Wh"].std() - 200**-0.5) < 0.002
    assert book["lstm.b"].tolist() == [1.0] * 200 + [0.0] * 600
    gru = LanguageModel(replace(config, cell="gru", reset_after=True, forget_bias=1.0)).state_dict()["gru.b"]
    assert gru.tolist() == [[-1.0] * 200 + [0.0] * 400, [0.0] * 600]
    orthogonal = LanguageModel(replace(config, cell="gru", init="orthogonal")).state_dict()["gru.Wh"]
    for k in range(3):
        block = orthogonal[:, k * 200 : (k + 1) * 200]
        np.testing.assert_allclose(block.T @ block, np.eye(200), atol=1e-12)
    for name, w in LanguageModel(replace(config, init="uniform", init_range=0.05)).state_dict().items():
        assert 0.045 < np.abs(w).max() <= 0.05, name
    torch = LanguageModel(replace(config, cell="lstm", init="torch")).state_dict()
    assert 0.06 < np.abs(torch["lstm.Wh"]).max() <= 200**-0.5
    assert 0.06 < np.abs(torch["lstm.b"]).max() <= 200**-0.5
    assert 0.09 < np.abs(torch["embed.W"]).max() <= 0.1
    assert not torch["affine.b"].any()


BAD = {
    "cell must be one of rnn, lstm, gru, got 'lsmt'; did you mean lstm?": {"cell": "lsmt"},
    "cell must be one of rnn, lstm, gru, got 'GRU'; did you mean gru?": {"cell": "GRU"},
    "cell must not be bidirectional, got 'bilstm'": {"cell": "bilstm"},
    "tied needs word vectors as long as the last hidden state, got wordvec_size 5 and 6 hidden units": {"tied": True},
    "layers must be a whole number in [1, 1001), got 0": {"layers": 0},
    "cell must be one of rnn, lstm, gru, got ['lstm']": {"cell": ["lstm"]},
    "cell must not be bidirectional, got 'TimeBiLSTM'": {"cell": "TimeBiLSTM"},
    "tied must be True or False, got 'no'": {"tied": "no"},
    "forget_bias must be in [-100, 100], got '1'": {"cell": "lstm", "forget_bias": "1"},
    "dropout_ratio must be in [0, 1), got 1.5": {"dropout_ratio": 1.5},
    "hidden_dropout must be in [0, 1), got -0.1": {"hidden_dropout": -0.1},
    "embed_dropout must be in [0, 1), got 1": {"embed_dropout": 1},
    "weight_drop must be in [0, 1), got nan": {"weight_drop": float("nan")},
    "ar must be at least 0 and finite, got -1": {"ar": -1},
    "reset_after is for cell gru, got cell rnn": {"reset_after": True},
    "forget_bias is for cells with gates, lstm and gru, got cell rnn": {"forget_bias": 1.0},
    "forget_bias must be in [-100, 100], got nan": {"cell": "lstm", "forget_bias": float("nan")},
    "init must be one of book, uniform, orthogonal, torch, got 'xavier'": {"init": "xavier"},
    "init_range must be positive and at most 100, got 0": {"init_range": 0},
    "bias_range is for init book or orthogonal": {"init": "uniform"},
    "last_hidden_size must be a whole number of at least 1, got 0": {"last_hidden_size": 0},
    "cutoffs must be increasing numbers, no more than 100 of them, got (5, 5)": {"cutoffs": (5, 5)},
    "cutoffs must be below vocab_size 11, got (3, 11): take smaller ones": {"cutoffs": (3, 11)},
    "each of cutoffs must be a whole number of at least 1, got 0": {"cutoffs": (0, 3)},
    "each of cutoffs must be a whole number of at least 1, got 2.5": {"cutoffs": (2.5,)},
    "cutoffs must be a list of whole numbers, got 3": {"cutoffs": 3},
    "div_value must be at least 1, got 0.5": {"div_value": 0.5},
    "div_value must leave each cluster at least 1 of 6 hidden units, got 4 for 2 clusters": {"cutoffs": (3, 7)},
    "tied needs one softmax over all words, got cutoffs (3,)": {"cutoffs": (3,), "tied": True, "hidden_size": 5},
}


@pytest.mark.parametrize("message", BAD)
def test_bad_configurations_are_refused(message):
    with pytest.raises(InputError) as error:
        ModelConfig(**(SMALL | BAD[message]))
    assert message in str(error.value)


def test_a_configuration_that_a_named_model_can_not_be():
    with pytest.raises(InputError, match="layers of Rnnlm must be 1, got 2: LanguageModel takes any"):
        build_model(ModelConfig("Rnnlm", V, cell="lstm", layers=2))
    with pytest.raises(InputError, match="cell of Rnnlm must be 'lstm', got 'rnn'"):
        build_model(ModelConfig("Rnnlm", V))
    with pytest.raises(InputError, match="model must be one of LanguageModel, SimpleRnnlm"):
        build_model(ModelConfig("Transformer", V))
    with pytest.raises(InputError, match="tied needs word vectors"):
        BetterRnnlm(V, D, H)


def test_a_bidirectional_layer_is_refused(rng):
    class Cheat(Model):
        def __init__(self):
            super().__init__(ModelConfig(**SMALL))
            weights = [dev(rng.standard_normal(shape)) for shape in ((D, 12), (3, 12), (12,)) * 2]
            embed = TimeEmbedding(dev(rng.standard_normal((V, D))))
            affine = TimeAffine(dev(rng.standard_normal((6, V))), dev(np.zeros(V)))
            self.set_layers({"embed": embed, "lstm": TimeBiLSTM(*weights)}, head=TimeAffineWithLoss(affine))

    with pytest.raises(InputError, match="lstm must not be bidirectional: it would see the words"):
        Cheat()


def test_a_layer_that_forgets_is_refused(rng):
    class Forgetful(Model):
        def __init__(self):
            super().__init__(ModelConfig(**SMALL))
            embed = TimeEmbedding(dev(rng.standard_normal((V, D))))
            affine = TimeAffine(dev(rng.standard_normal((3, V))), dev(np.zeros(V)))
            self.set_layers({"embed": embed, "lstm": TimeLSTM.of_size(D, 3)}, head=TimeAffineWithLoss(affine))

    with pytest.raises(InputError, match="lstm must be stateful for a text, which is read window by window"):
        Forgetful()


def test_states_that_do_not_fit_leave_all_as_it_was(rng):
    model = build("tied-last")
    xs, _ = window(rng)
    model.predict(xs)
    state = model.get_state()
    (h1, c1), (h2, c2) = state
    for bad, message in (
        ([(h1, c1)], "state must have 2 entries, one for each recurrent layer, got 1 entries"),
        ([(h1, c1), (h2, c2), (h2, c2)], "got 3 entries"),
        (None, "state must have 2 entries, one for each recurrent layer, got NoneType"),
        ([(h2, c2), (h1, c1)], r"h must have shape \(N, 6\), got \(3, 5\)"),
        ([(h1, c1), (h2, c1)], r"c must have shape \(3, 5\), got \(3, 6\)"),
        ([(h1, c1), (h2[:2], c2[:2])], "the states of all layers must be of one batch size"),
        ([(h1, c1, c1), (h2, c2)], "a state of TimeLSTM is h, c, got 3 arrays"),
        ([5, (h2, c2)], "an entry of a state must be a tuple of arrays or None, got int"),
    ):
        with pytest.raises(InputError, match=message):
            model.set_state(bad)
        for mine, its in zip(model.get_state(), state):
            for a, b in zip(mine, its):
                np.testing.assert_array_equal(host(a), host(b))
    with pytest.raises(InputError, match=r"h, the carried state, must be \(2, 6\), got \(3, 6\): reset_state"):
        model.predict(xs[:2])
    model.set_state([(), (h2, c2)])
    with pytest.raises(InputError, match=r"h, the carried state, must be \(2, 5\), got \(3, 5\)"):
        model.predict(xs[:2])
    assert model.get_state()[0] is None  # refused before the first layer ran
