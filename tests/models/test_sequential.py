"""Layers by name over flat buffers, with a head and without one."""

import copy
import pickle

import numpy as np
import pytest

from rnnlm import (
    SGD,
    Concatenate,
    Dense,
    Embedding,
    InputError,
    Losses,
    MatMul,
    MeanSquaredError,
    RnnlmTrainer,
    Sequential,
    SoftmaxWithLoss,
    Split,
    Tanh,
    TimeActivationRegularization,
    TimeAffine,
    TimeAffineWithLoss,
    TimeBiLSTM,
    TimeDropout,
    TimeEmbedding,
    TimeLSTM,
    TimeSoftmaxWithLoss,
    Trainer,
    evaluate,
    generate,
    score,
)
from rnnlm.backend import xp
from tests.gradcheck import assert_gradients, dev, host

V, D, H = 7, 4, 5


def layers(rng, bidirectional=False):
    def w(*shape):
        return dev(0.5 * rng.standard_normal(shape))

    weights = [w(D, 4 * H), w(H, 4 * H), w(4 * H)]
    both = TimeBiLSTM(*weights, w(D, 4 * H), w(H, 4 * H), w(4 * H), stateful=True) if bidirectional else None
    recurrent = both or TimeLSTM(*weights, stateful=True)
    width = 2 * H if bidirectional else H
    return {"embed": TimeEmbedding(w(V, D)), "rnn": recurrent, "drop": TimeDropout(0.3)}, TimeAffine(w(width, V), w(V))


@pytest.mark.parametrize("head", ["affine", "scores", "none"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_backward_is_the_derivative(rng, head, bidirectional):
    """With the output layer in the head, with a head over scores, and driven from outside."""
    chain, affine = layers(rng, bidirectional)
    if head == "affine":
        net = Sequential(chain, TimeAffineWithLoss(affine), "float64", seed=3)
        assert list(net.layers) == ["embed", "rnn", "drop", "affine"]
    else:
        net = Sequential({**chain, "affine": affine}, TimeSoftmaxWithLoss() if head == "scores" else None, "float64", 3)
        assert list(net.layers) == ["embed", "rnn", "drop", "affine", *(["loss"] if head == "scores" else [])]
    xs, ts, dys = (
        (dev(rng.integers(0, V, (3, 6)), np.int32) for _ in range(2)),
        None,
        dev(rng.standard_normal((3, 6, V))),
    )
    xs, ts = xs

    def loss():
        net.train_steps = 0
        net.reset_state()
        return (net.forward(xs) * dys).sum() if head == "none" else net.loss(xs, ts)

    loss()
    net.backward(*([dys] if head == "none" else []))
    grads = {name: g.copy() for name, g in zip(net.names, net.grads)}
    assert all(float(abs(g).max()) > 0 for g in grads.values())  # what is not learned would pass the rest
    assert_gradients(loss, dict(zip(net.names, net.params)), grads, rng)


def test_the_flat_buffers_are_the_parameters(rng):
    chain, affine = layers(rng)
    net = Sequential(chain, TimeAffineWithLoss(affine), "float64")
    for flat, arrays in ((net.flat_params, net.params), (net.flat_grads, net.grads)):
        flat[...] = 2
        assert all((host(a) == 2).all() for a in arrays)
    assert sum(p.size for p in net.params) == V * D + 4 * H * (D + H + 1) + H * V + V
    assert net.names == ["embed.W", "rnn.Wx", "rnn.Wh", "rnn.b", "affine.W", "affine.b"]


def test_a_chain_without_a_head_has_no_loss(rng):
    chain, _ = layers(rng)
    net = Sequential(chain, dtype="float64")
    ids = dev(np.zeros((2, 3)), np.int32)
    for use in (lambda: net.loss(ids, ids), lambda: net.scores(ids), lambda: net.next_scores(ids)):
        with pytest.raises(InputError, match="a loss and scores need a head, and these layers have none"):
            use()


@pytest.mark.parametrize("bidirectional", [False, True])
def test_states_go_on_and_can_be_given_back(rng, bidirectional):
    chain, _ = layers(rng, bidirectional)
    net = Sequential(chain, dtype="float64")
    ids = dev(rng.integers(0, V, (2, 3)), np.int32)
    net.forward(ids, train_flg=False)
    state = net.get_state()
    assert [len(entry) for entry in state] == ([2, 2] if bidirectional else [2])
    after = host(net.forward(ids, train_flg=False))
    net.set_state(state)
    np.testing.assert_array_equal(host(net.forward(ids, train_flg=False)), after)
    net.reset_state()
    assert set(net.get_state()) == {None}
    with pytest.raises(InputError, match="state must have . entries, one for each recurrent layer, got 3 entries"):
        net.set_state([None] * 3)
    net.set_state([None] * len(state))
    net.set_state([tuple(xp.zeros((4, H)) for _ in entry) for entry in state])
    with pytest.raises(InputError, match="reset_state"):
        net.forward(ids)


def test_a_layer_without_a_state_takes_none():
    layer = TimeDropout(0.5)
    layer.set_state(None)
    with pytest.raises(InputError, match="TimeDropout has no state to set"):
        layer.set_state(xp.zeros((2, 3)))


@pytest.mark.parametrize("kind", ["affine", "scores"])
def test_scores_give_up_what_the_loss_kept(rng, kind):
    chain, affine = layers(rng)
    head = TimeAffineWithLoss(affine) if kind == "affine" else TimeSoftmaxWithLoss()
    net = Sequential(chain if kind == "affine" else {**chain, "affine": affine}, head, "float64")
    ids = dev(rng.integers(0, V, (2, 3)), np.int32)
    for scores in (net.scores, net.next_scores):
        net.loss(ids, ids)
        shown = host(scores(ids))
        assert shown.shape == ((2, 3, V) if scores == net.scores else (2, V))
        with pytest.raises(InputError, match="backward needs a forward of its own"):
            net.backward()


@pytest.mark.parametrize("way", [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))], ids=["copy", "pickle"])
def test_a_copy_is_whole_and_its_own(rng, way):
    """With tied weights, a state and a layer that reads back; trained by its flat buffers, apart from the first."""
    chain, _ = layers(rng, bidirectional=True)
    E = chain["embed"].params[0]
    chain["down"] = TimeAffine(dev(0.5 * rng.standard_normal((2 * H, D))), dev(np.zeros(D)))
    net = Sequential(chain, TimeAffineWithLoss(TimeAffine(E.T, dev(np.zeros(V)))), "float64", seed=3)
    xs, ts = (dev(rng.integers(0, V, (3, 6)), np.int32) for _ in range(2))
    net.forward(xs)
    twin = way(net)
    assert twin.names == net.names
    assert "affine.W" not in twin.names
    before = host(net.flat_params)
    for _ in range(2):
        a, b = float(net.loss(xs, ts)), float(twin.loss(xs, ts))
        assert a == b
        twin.backward()
        net.backward()
        np.testing.assert_array_equal(host(twin.flat_grads), host(net.flat_grads))
    twin.flat_params[...] -= 0.1 * twin.flat_grads
    np.testing.assert_array_equal(host(net.flat_params), before)
    assert float(twin.loss(xs, ts)) != float(net.loss(xs, ts))
    np.testing.assert_array_equal(host(twin.layers["affine"].params[0]), host(twin.layers["embed"].params[0]).T)


def test_a_layer_is_of_one_network():
    """Another one would take its weights out of the first one's buffers."""
    inner = [Dense(6, 3), Tanh()]
    whole = Sequential([*inner, Dense(3, 6)], head=MeanSquaredError(), seed=0)
    before = host(whole.flat_params).copy()
    with pytest.raises(InputError, match="dense1 must not be in another network, too"):
        Sequential(inner)
    assert (host(whole.flat_params) == before).all()
    of_a_copy = list(copy.deepcopy(whole).layers.values())
    assert Sequential(of_a_copy[:2]).predict(np.zeros((2, 6))).shape == (2, 3)


class Alike(Dense):
    """Equal to all of its kind, and not to be a key."""

    def __eq__(self, other):
        return isinstance(other, Alike)


def test_what_has_no_weights_and_what_is_deleted_binds_nothing():
    tanh, loss, dense, alike, drop = Tanh(), MeanSquaredError(), Dense(3, 3), Alike(3, 3), TimeDropout(0.5)
    first = Sequential([dense, tanh, drop], head=loss)
    Sequential([Dense(3, 3), tanh], head=loss)
    with pytest.raises(InputError, match="timedropout1 must not be in another network, too"):
        Sequential([drop])  # it would take its masks
    both = Sequential([alike]), Sequential([Alike(3, 3)])
    first.circle = first
    del first
    assert Sequential([dense]).names == ["dense1.W", "dense1.b"]
    with pytest.raises(InputError, match="alike1 must not be in another network"):
        Sequential(both[0].layers)


@pytest.mark.parametrize("shared", ["tanh1", "loss"])
def test_a_layer_that_another_network_used_in_between_is_told(shared):
    """Its backward would be that of the other's inputs."""
    tanh, loss, x = Tanh(), MeanSquaredError(), dev(np.ones((2, 3), np.float32))
    first = Sequential([Dense(3, 3), tanh], head=loss, seed=1)
    other = Sequential([Dense(3, 3), tanh if shared == "tanh1" else Tanh()], head=loss if shared == "loss" else None)
    for net in (first, other, first):  # in turns all is well
        net.forward(x) if net.head is None else net.loss(x, x)
        net.backward(*[] if net.head is not None else [x])
    first.loss(x, x)
    other.forward(x) if shared == "tanh1" else other.loss(x, x)
    with pytest.raises(InputError, match=f"{shared} was used by another network after this one's forward"):
        first.backward()


@pytest.mark.parametrize("kind", ["params", "grads"])
@pytest.mark.parametrize("where", ["layer", "network"])
def test_arrays_that_were_replaced_are_told(where, kind):
    """They would be neither trained nor saved."""
    net = Sequential([Dense(3, 4), Tanh(), Dense(4, 2)], head=MeanSquaredError(), seed=1)
    arrays = getattr(net.layers["dense2"] if where == "layer" else net, kind)
    arrays[0] = dev(np.ones(arrays[0].shape, np.float32))
    for use in (
        lambda: Trainer(net, SGD(0.1)).fit(np.ones((4, 3)), np.ones((4, 2)), verbose=0),
        net.state_dict,
        lambda: net.save_params("never"),
    ):
        with pytest.raises(InputError, match=rf"{kind}\[0\]( of the network)? was replaced by another array"):
            use()


def test_a_copy_learns_and_so_does_what_it_was_copied_from():
    x, t = dev(np.ones((2, 3), np.float32)), dev(np.zeros((2, 4), np.float32))
    net = Sequential([Dense(3, 4)], head=MeanSquaredError(), seed=0)
    twin, losses = copy.copy(net), []
    for one in (net, twin):
        for _ in range(50):
            losses.append(float(one.loss(x, t)))
            one.backward()
            SGD(0.1).update(one.params, one.grads)
    assert losses[0] == losses[50] > 1e3 * losses[49]


@pytest.mark.parametrize("turned", [False, True])
def test_a_weight_of_two_layers_is_refused(turned):
    W = dev(np.eye(4, dtype=np.float32))
    with pytest.raises(InputError, match="matmul2.W must not be matmul1.W again, or its transpose"):
        Sequential([MatMul(W), Tanh(), MatMul(W.T if turned else W)])


def test_a_square_matrix_itself_is_not_its_transpose():
    W = dev(np.arange(9, dtype=np.float32).reshape(3, 3))
    with pytest.raises(InputError, match=r"head.W must not be embed.W again"):
        Sequential({"embed": TimeEmbedding(W), "head": TimeAffine(W, dev(np.zeros(3, np.float32)))})
    net = Sequential({"embed": TimeEmbedding(W), "head": TimeAffine(W.T, dev(np.zeros(3, np.float32)))})
    assert net.names == ["embed.W", "head.b"]


def tied(case, rng):
    """Networks in which an embedding's weights are shared, transposed, in ways other than by one layer after it."""
    E, F = (dev(rng.standard_normal((5, 4))) for _ in range(2))
    square, b = dev(rng.standard_normal((5, 5))), lambda: dev(np.zeros(5))
    if case == "two heads":
        heads = Split([TimeAffine(E.T, b())], [TimeAffine(E.T, b())])
        return [TimeEmbedding(E), heads], Losses(SoftmaxWithLoss(), SoftmaxWithLoss())
    if case == "in a branch before":
        layers = [Split([TimeEmbedding(F), TimeAffine(E.T, b())], [TimeEmbedding(E)]), Concatenate([], [])]
    elif case == "two embeddings":
        layers = [Split([TimeEmbedding(square)], [TimeEmbedding(square.T)]), Concatenate([], [])]
    else:
        layers = [Split([TimeEmbedding(E)], [TimeEmbedding(F), TimeAffine(E.T, b())]), Concatenate([], [])]
    W = dev(rng.standard_normal((10 if case == "two embeddings" else 9, 5)))
    return [*layers, TimeAffine(W, b())], TimeSoftmaxWithLoss()


@pytest.mark.parametrize(
    ("case", "message"),
    [
        (
            "two heads",
            "split1.1.timeaffine1 and split1.2.timeaffine1 must not both share the weights of timeembedding1",
        ),
        ("in a branch before", "split1.1.timeaffine1 must come after split1.2.timeembedding1, whose weights it shares"),
        ("two embeddings", "split1.1.timeembedding1 must not share the weights of split1.2.timeembedding1, transposed"),
    ],
)
def test_a_tie_that_would_give_wrong_gradients_is_refused(case, message, rng):
    layers, head = tied(case, rng)
    with pytest.raises(InputError, match=message):
        Sequential(layers, head, dtype="float64")


def test_an_embedding_is_tied_to_a_layer_of_a_later_branch(rng):
    layers, head = tied("in a branch after", rng)
    net = Sequential(layers, head, dtype="float64")
    ids, ts = (dev(rng.integers(0, 5, (2, 3))) for _ in range(2))
    net.loss(ids, ts)
    net.backward()
    weights, grads = dict(zip(net.names, net.params)), {n: g.copy() for n, g in zip(net.names, net.grads)}
    assert_gradients(lambda: net.loss(ids, ts, keep=False), weights, grads, rng)


def test_a_network_with_branches_reads_word_by_word(rng):
    lstm = TimeLSTM.of_size(D, H, stateful=True)
    net = Sequential(
        [Embedding.of_size(V, D), Split([lstm, Tanh()], []), Concatenate([], [Dense(D, 3)]), Dense(H + 3, V)],
        head=SoftmaxWithLoss(), dtype="float64", seed=1,
    )  # fmt: skip
    ids = rng.integers(0, V, (2, 6))
    whole = host(net.scores(dev(ids, np.int32)))
    net.reset_state()
    single = [host(net.next_scores(ids[:, t : t + 1])).copy() for t in range(6)]
    np.testing.assert_allclose(np.stack(single, axis=1), whole, rtol=1e-12)
    assert len(generate(net, 0, sample_size=5, seed=1)) == 5


def test_pads_are_not_regularised(rng):
    """Rows that are padded more have the same loss, penalty and gradients."""
    found = []
    for pads in (0, 1, 4):
        net = Sequential(
            [Embedding.of_size(6, 3), TimeLSTM.of_size(3, 4), TimeActivationRegularization(1.0, 1.0),
             TimeLSTM.of_size(4, 4, return_sequences=False), Dense(4, 2)],
            head=SoftmaxWithLoss(), mask_zero=True, seed=1, dtype="float64",
        )  # fmt: skip
        loss = net.loss(dev(np.array([[1, 2, 3] + [0] * pads])), dev(np.array([1])))
        net.backward()
        found.append([float(loss), float(net.penalty), *host(net.flat_grads)])
        assert float(net.penalty) > 0
    np.testing.assert_allclose(found[1:], [found[0]] * 2, rtol=1e-12, atol=1e-16)


@pytest.mark.parametrize("ask", ["forward", "predict", "scores", "next_scores"])
def test_what_is_asked_between_a_loss_and_its_backward_is_told(rng, ask):
    net = Sequential([Dense(3, 5), Tanh(), Dense(5, 2)], head=SoftmaxWithLoss(), dtype="float64", seed=0)
    a, b = (dev(rng.standard_normal((4, 3))) for _ in range(2))
    net.loss(a, dev(np.array([0, 1, 1, 0])))
    getattr(net, ask)(b if ask != "next_scores" else b[:, None])
    with pytest.raises(InputError, match="needs a forward of its own first"):
        net.backward()


@pytest.mark.parametrize("dtype", ["int32", "bool", "complex64"])
def test_weights_are_floating_point(dtype):
    with pytest.raises(InputError, match="dtype must be"):
        Sequential([Dense(2, 2)], dtype=dtype)


def test_branches_over_ids_have_gradients_of_their_own(rng):
    net = Sequential(
        [Split([Embedding.of_size(5, 3)], [Embedding.of_size(5, 2)])],
        head=Losses(SoftmaxWithLoss(), SoftmaxWithLoss()), dtype="float64", seed=1,
    )  # fmt: skip
    ids, ts = dev(np.array([1, 2, 1])), tuple(dev(np.array(t)) for t in ([0, 1, 2], [1, 1, 0]))
    net.loss(ids, ts)
    assert net.backward() is None
    weights, grads = dict(zip(net.names, net.params)), {n: g.copy() for n, g in zip(net.names, net.grads)}
    assert_gradients(lambda: net.loss(ids, ts, keep=False), weights, grads, rng)


def reader(**options):
    lstm = TimeLSTM.of_size(D, H, **({"stateful": True} | options))
    return Sequential([TimeEmbedding.of_size(V, D), lstm, Dense(H, V)], head=TimeSoftmaxWithLoss(), seed=3)


def test_a_network_that_reads_a_text_is_a_predictor(rng):
    """What it evaluates, scores and writes is what it says of each next word."""
    net, corpus = reader(), np.append(V - 1, rng.integers(0, V - 1, 39))
    assert net.vocab_size == V
    scores = host(net.predict(corpus[None, :-1]))[0].astype(np.float64)
    net.reset_state()
    scores -= np.log(np.exp(scores).sum(axis=1, keepdims=True))
    nats = -scores[np.arange(39), corpus[1:]]
    for window in (None, 1, 7):
        assert evaluate(net, corpus, window=window).nats == pytest.approx(nats.mean(), rel=1e-5)
    scored = score(net, [corpus[1:6].tolist()], V - 1)[0]  # begins after <eos>, and ends with it
    np.testing.assert_allclose(scored.tokens[:5], -nats[:5], rtol=1e-4)
    written = generate(net, int(corpus[0]), sample_size=12, seed=4)
    assert list(written) == list(generate(net.shared_copy(), int(corpus[0]), sample_size=12, seed=4))
    net.head.ignore_label = 3  # of a training: here all words count
    assert evaluate(net, corpus).nats == pytest.approx(nats.mean(), rel=1e-5)
    with pytest.raises(InputError, match="valid"):
        RnnlmTrainer(Plain(), SGD(0.1)).fit(corpus, max_epoch=1, batch_size=2, time_size=3, valid=corpus)
    RnnlmTrainer(net, SGD(0.1)).fit(corpus, max_epoch=2, batch_size=2, time_size=3, valid=corpus, eval_interval=None)


class Plain:
    """A model that can't be evaluated."""

    params, grads, forward, backward = [], [], print, print


@pytest.mark.parametrize(
    ("layer", "width", "message"),
    [
        (lambda: TimeBiLSTM.of_size(D, H, stateful=True), 2 * H, "timebilstm1 must not be bidirectional"),
        (lambda: TimeLSTM.of_size(D, H), H, "timelstm1 must be stateful"),
    ],
)
def test_a_trainer_of_language_models_trains_no_other_network(layer, width, message):
    """One that sees the words to be predicted, or forgets, would end with a perplexity that means nothing."""
    net = Sequential([TimeEmbedding.of_size(V, D), layer(), Dense(width, V)], head=TimeSoftmaxWithLoss(), seed=3)
    trainer = RnnlmTrainer(net, SGD(0.1))
    with pytest.raises(InputError, match=message):
        trainer.fit(np.arange(70) % V, max_epoch=1, batch_size=2, time_size=5)
    assert trainer.ppl_list == []


def test_networks_that_are_none_say_why():
    corpus = np.arange(V)
    for net, why in (
        (reader(stateful=False), "timelstm1 must be stateful for a text"),
        (Sequential([Dense(3, 4)], head=MeanSquaredError()), "model must read a text"),
        (Sequential([TimeEmbedding.of_size(V, D)], head=MeanSquaredError()), "model must read a text"),
        (Sequential([TimeEmbedding.of_size(V, D)]), "model must read a text"),
    ):
        with pytest.raises(InputError, match=why):
            evaluate(net, corpus)
    with pytest.raises(InputError, match="losses of a text need a network whose first layer takes word ids"):
        Sequential([Dense(3, 4)], head=MeanSquaredError()).losses([[1]], [[1]])
