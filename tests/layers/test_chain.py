"""Layers one after another: their names, what they are made of, and whether they fit."""

import numpy as np
import pytest

from rnnlm.backend import xp
from rnnlm.errors import InputError
from rnnlm.layers import (
    Affine,
    Concatenate,
    Dense,
    Dropout,
    Embedding,
    MeanOverTime,
    MeanSquaredError,
    Sigmoid,
    Split,
    Tanh,
    TimeBiLSTM,
    TimeGRU,
)
from rnnlm.layers.base import Layer
from rnnlm.layers.chain import everything, expect_masked, gather, leaves, named, through
from rnnlm.models import Sequential
from tests.gradcheck import dev, host


class Last(Layer):
    """The last step of a window, whatever it is."""

    def output_shape(self, shape):
        return shape[0], *shape[2:]


def of_two():
    return Split([Dense(4, 3), Tanh()], Concatenate([Dense(2, 2)], Sigmoid()))


def test_names_are_those_of_the_class_and_a_number():
    layers = [Dense(4, 3), Tanh(), Dense(3, 3), Tanh()]
    assert list(named(layers)) == ["dense1", "tanh1", "dense2", "tanh2"]
    assert list(named(layers).values()) == layers
    given = {"a": layers[0]}
    assert named(given) == given
    assert named(given) is not given
    with pytest.raises(InputError, match="layer 2 must be a layer, got str"):
        named([layers[0], "tanh"])
    with pytest.raises(InputError, match="layer 2 must not be one that came before: make a second Dense"):
        named([layers[0], layers[0]])


def test_what_layers_are_made_of():
    layers = {"first": Tanh(), "both": of_two()}
    assert list(leaves(layers)) == [
        "first",
        "both.1.dense1",
        "both.1.tanh1",
        "both.2.concatenate1.1.dense1",
        "both.2.concatenate1.2.sigmoid1",
    ]
    assert leaves(layers)["first"] is layers["first"]
    assert list(everything(layers))[:3] == ["first", "both", "both.1.dense1"]
    assert "both.2.concatenate1" in everything(layers)
    assert len(everything(layers)) == 7


def test_parameters_that_were_moved_are_gathered():
    layers = {"both": of_two()}
    for layer in leaves(layers).values():
        layer.params[:] = [p + 1 for p in layer.params]
        layer.grads[:] = [g + 2 for g in layer.grads]
    gather(layers)
    inner = [p for layer in leaves(layers).values() for p in layer.params]
    assert all(mine is its for mine, its in zip(layers["both"].params, inner))
    assert len(layers["both"].params) == len(inner) == 4
    assert all((host(g) == 2).all() for g in layers["both"].grads)


def test_shapes_go_through():
    layers = {"words": Embedding.of_size(9, 4), "out": Dense(4, 3), "sigmoid": Sigmoid()}
    assert through(layers, ("N", "T")) == ("N", "T", 3)
    assert through({"sigmoid": Sigmoid(), "out": Dense(4, 3)}, ("N", "D")) == ("N", 3)
    with pytest.raises(InputError, match="next must be given rows of 5 numbers, got 3 from sigmoid"):
        through({**layers, "next": Affine(xp.zeros((5, 2)), xp.zeros(2))}, ("N", "T"))
    with pytest.raises(InputError, match="out must be given rows of 4 numbers, got 5 from the input"):
        through({"out": Dense(4, 3)}, ("N", 5))


def test_pads_can_be_left_out_where_all_that_goes_over_time_knows_lengths():
    words, last = Embedding.of_size(9, 4), TimeGRU.of_size(4, 3, return_sequences=False)
    every = TimeBiLSTM.of_size(4, 2)
    for layers in ([words, last], [words, MeanOverTime()], [words, every, last], [words, Sigmoid(), last, Dense(3, 2)]):
        expect_masked({str(i): layer for i, layer in enumerate(layers)})
    for layers, message in (
        ([last], "mask_zero needs ids for inputs, one array of them: the first layer must be an embedding"),
        ([words, Last()], "mask_zero needs layers that take the lengths of rows, and 1 does not"),
        ([words, Concatenate([every], Sigmoid())], "and 1 does not"),
        ([words, TimeGRU.of_size(4, 3, return_sequences=False, stateful=True)], "1 must not be stateful"),
        ([Concatenate(words, Embedding.of_size(9, 4)), last], "one array of them"),
        ([words, every], "the last layer over time must not return sequences"),
    ):
        with pytest.raises(InputError, match=message):
            expect_masked({str(i): layer for i, layer in enumerate(layers)})


def test_ids_of_branches_are_of_as_many_words_as_the_smallest_has(rng):
    nets = [Split(Embedding.of_size(9, 4), Embedding.of_size(7, 4), Sigmoid()), Split([], Sigmoid())]
    assert [net.takes_ids for net in nets] == [7, 0]
    both = Concatenate(Embedding.of_size(9, 4), Sigmoid(), [])
    assert both.takes_ids == (9, 0, 0)
    xs = (dev(rng.integers(0, 9, (2, 3))), *(dev(np.ones((2, 3, 1), np.float32)) for _ in range(2)))
    assert both.forward(xs).shape == (2, 3, 6)


def test_what_most_layers_are():
    """Nothing is carried, nothing dropped, nothing asked for."""
    layer = Sigmoid()
    assert (layer.takes, layer.takes_ids, layer.masks, layer.parts(), layer.get_state()) == (None, 0, (), {}, None)
    assert (layer.penalty, layer.causal, layer.takes_lengths, layer.train_flg) == (0.0, True, False, True)
    layer.set_state(None)
    layer.reset_state()
    layer.check_batch(3)
    with pytest.raises(InputError, match="Sigmoid has no state to set"):
        layer.set_state(xp.zeros((2, 3)))
    dropout = Dropout(0.5)
    assert dropout.masks == (dropout.mask,)
    assert Embedding.of_size(9, 4).takes_ids == 9


def test_names_that_would_hide_a_layer_are_refused():
    """One of the same name as the head's would run, but be neither trained nor saved."""
    with pytest.raises(InputError, match="no layer must be called loss, as the head is"):
        Sequential({"hidden": Dense(4, 8), "loss": Dense(8, 1)}, MeanSquaredError())
    for names in (["bi", "bi.ahead"], [1, "1"], ["", "b"]):
        with pytest.raises(InputError, match="the name of a layer must be a text without dots, got"):
            named({name: Dense(2, 2) for name in names})
