"""What a model, its layers, and what trains it look like to a reader."""

import re

import numpy as np
import pytest

from rnnlm import (
    NNLM,
    SGD,
    Adam,
    AwdLstm,
    Batches,
    Cosine,
    Dense,
    InputError,
    MeanSquaredError,
    Mixture,
    RnnlmTrainer,
    Seq2seq,
    Sequential,
    Sigmoid,
    SimpleRnnlm,
    Tanh,
    Trainer,
    maximum_likelihood,
)
from rnnlm.layers.base import Layer
from tests.gradcheck import dev

SIMPLE = """\
layer   class               output shape  weights                       parameters
embed   TimeEmbedding       (N, T, 3)     W (7, 3)                              21
rnn     TimeRNN             (N, T, 4)     Wx (3, 4), Wh (4, 4), b (4,)          32
affine  TimeAffineWithLoss  (N, T, 7)     W (4, 7), b (7,)                      35
total                                                                           88
"""


def test_the_summary_of_a_language_model(capsys):
    SimpleRnnlm(7, 3, 4).summary()
    assert capsys.readouterr().out == SIMPLE


MODELS = [
    lambda: AwdLstm(9, 4, 5),
    lambda: NNLM(9, 4, 5),
    lambda: Seq2seq(9, 4, 6, bidirectional=True),
    lambda: Sequential([Dense(4, 8), Tanh(), Dense(8, 1)], head=MeanSquaredError()),
]


@pytest.mark.parametrize("make", MODELS)
def test_all_parameters_are_counted_once_in_each_view(make, capsys):
    model = make()
    total = sum(p.size for p in model.params)
    model.summary()
    shown = capsys.readouterr().out
    for table in (shown, repr(model)):
        rows = [line for line in table.splitlines() if re.search(r"  +[\d,]+$", line)]
        *parts, last = [int(row.split()[-1].replace(",", "")) for row in rows if not row.startswith(" ")]
        assert sum(parts) == last == total
    assert repr(model).startswith(f"{type(model).__name__}: {total:,} parameters, float32\nlayer ")


def test_tied_weights_and_dropout_are_told():
    shown = repr(AwdLstm(9, 4, 5))
    assert "W (4, 9) tied, b (9,)" in shown
    assert "TimeLSTM, weight_drop 0.5" in shown
    assert "TimeDropout, dropout_ratio 0.4, variational" in shown


def test_a_notebook_gets_a_table_in_which_names_are_no_html():
    shown = Sequential({"<script>&": Dense(2, 1)})._repr_html_()
    assert "&lt;script&gt;&amp;" in shown
    assert "<script>" not in shown
    assert shown.count("<tr>") == 3
    assert "3 parameters" in SimpleRnnlm(7, 3, 4)._repr_html_().replace("88", "3")


def test_what_trains_says_what_it_is():
    assert repr(Adam(0.02)).startswith("Adam(lr=0.02, ")
    assert repr(Cosine(0.1, 20)) == "Cosine(lr=0.1, first=0.1, epochs=0, finished=False, steps=20, warmup=0)"
    trainer = RnnlmTrainer(SimpleRnnlm(7, 3, 4), SGD(0.1))
    assert repr(trainer) == f"<RnnlmTrainer of a SimpleRnnlm by {SGD(0.1)!r}: 0 epochs done>"
    network = Trainer(Sequential([Dense(2, 1)], head=MeanSquaredError()), SGD(0.1))
    network.fit(np.ones((4, 2)), np.ones((4, 1)), 2, verbose=0)
    assert re.search(r"2 epochs done, last loss [\d.e-]+>$", repr(network))
    assert repr(Batches(range(21), range(21), 2, 5)) == "<Batches of 21 tokens: 2 windows (2, 5) in an epoch>"


def test_ngrams_and_mixtures(capsys):
    ngram = maximum_likelihood([1, 2, 0, 1, 3, 0], 7, 0, 2)
    ngram.summary()
    assert capsys.readouterr().out.splitlines()[0].split() == ["1-grams", "8"]
    assert (
        repr(Mixture([SimpleRnnlm(7, 3, 4), ngram], [0.25, 0.75])) == "<Mixture, linear: 0.25 SimpleRnnlm, 0.75 NGram>"
    )


# ---------------------------------------------------------------- layers of one's own


class Scale(Layer):
    """y = w x + v, as a user writes it: without names."""

    def __init__(self):
        super().__init__(dev(np.ones(2)), dev(np.zeros(2)))

    def forward(self, xs):
        self.save_for_backward(xs)
        return xs * self.params[0] + self.params[1]

    def backward(self, dys):
        (xs,) = self.saved_values()
        self.clear_saved_values()
        self.grads[0][...], self.grads[1][...] = (xs * dys).sum(axis=0), dys.sum(axis=0)
        return dys * self.params[0]


class Named(Scale):
    names = ("w", "v")


class HalfNamed(Scale):
    names = ("w",)


class Twice(Scale):
    names = ("w", "w")


class Careless(Scale):
    def __init__(self):
        self.w = np.ones(2)


def test_a_layer_without_names_has_some():
    net = Sequential([Scale(), Dense(2, 1)], head=MeanSquaredError(), dtype="float64")
    assert net.names == ["scale1.W0", "scale1.W1", "dense1.W", "dense1.b"]
    assert Sequential([Named()], dtype="float64").names == ["named1.w", "named1.v"]
    assert repr(net.layers["scale1"]) == "<Scale: W0 (2,), W1 (2,)>"
    before = net.state_dict()["scale1.W0"]
    Trainer(net, SGD(0.1)).fit(np.ones((4, 2)), np.zeros((4, 1)), 1, verbose=0)
    assert (net.state_dict()["scale1.W0"] != before).all()


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (HalfNamed, r"names of HalfNamed must differ and be one for each of its 2 params, got w: set names = "),
        (Twice, r"names of Twice must differ and be one for each of its 2 params, got w, w: "),
        (Careless, r"layer 1 has no params: the constructor of Careless must call super\(\).__init__\(\*params\)"),
    ],
)
def test_a_layer_that_is_not_done_is_named(layer, message):
    with pytest.raises(InputError, match=message):
        Sequential([layer()], dtype="float64")


def test_a_layer_is_no_model():
    layer = Sequential([Sigmoid(), Dense(2, 1)]).layers["dense1"]
    with pytest.raises(InputError, match=r"model must be a model, not a layer, got <Dense: W \(2, 1\), b \(1,\)>: Seq"):
        RnnlmTrainer(layer, SGD(0.1)).fit(np.ones(20, int), np.ones(20, int), 1, 2, 5)
