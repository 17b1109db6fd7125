"""Ids, targets and lengths that can't be, given to layers by themselves: a negative one is no word from the end, and none is cut to 32 bits."""

import numpy as np
import pytest

from rnnlm.backend import NAME
from rnnlm.errors import InputError
from rnnlm.layers import (
    Embedding,
    EmbeddingDot,
    MeanOverTime,
    NegativeSamplingLoss,
    SoftmaxWithLoss,
    SparseCategoricalCrossEntropy,
    TimeAffine,
    TimeAffineWithLoss,
    TimeContextEmbedding,
    TimeEmbedding,
    TimeGRU,
    TimeSoftmaxWithLoss,
)
from rnnlm.wordvec import Word2vecOptions, train_word2vec
from tests.gradcheck import dev

V, D, N, T = 5, 3, 2, 4
on_the_host = pytest.mark.skipif(NAME != "numpy", reason="on a device a look at ids would wait for it")
wrong = pytest.mark.parametrize("wrong", [-1, V, 2**31, 2**32, 2**32 + 1, -(2**63)])


def words(wrong, *shape):
    ids = np.zeros(shape, np.int64)
    ids.reshape(-1)[1] = wrong
    return ids


def floats(*shape):
    return np.random.default_rng(0).standard_normal(shape).astype("float32")


@on_the_host
@wrong
@pytest.mark.parametrize("layer", [Embedding, TimeEmbedding, lambda W: TimeContextEmbedding(W, 2)])
def test_an_embedding_takes_words_alone(layer, wrong):
    with pytest.raises(InputError, match=rf"ids must hold ids in \[0, {V}\), got {wrong}"):
        layer(floats(V, D)).forward(words(wrong, N, T))


@on_the_host
@wrong
@pytest.mark.parametrize(
    ("head", "h", "shape"),
    [
        (TimeSoftmaxWithLoss, (N, T, V), (N, T)),
        (SoftmaxWithLoss, (N, V), (N,)),
        (SparseCategoricalCrossEntropy, (N, V), (N,)),
        (lambda: TimeAffineWithLoss(TimeAffine(floats(D, V), floats(V))), (N, T, D), (N, T)),
        (lambda: NegativeSamplingLoss(floats(V, D), np.arange(V)), (N, D), (N,)),
    ],
)
def test_a_head_takes_words_and_its_label_alone(head, h, shape, wrong):
    made = head()
    if wrong == -1 and not isinstance(made, (SparseCategoricalCrossEntropy, NegativeSamplingLoss)):
        wrong = -2  # -1 does not count
    with pytest.raises(InputError, match=rf"ts must hold ids in \[0, {V}\).*, got {wrong}"):
        made.loss(np.abs(floats(*h)), words(wrong, *shape))


@on_the_host
def test_a_label_of_one_s_own_is_let_through_and_no_other():
    head, ts = TimeSoftmaxWithLoss(), words(-1, N, T)
    head.ignore_label = 2**31 - 1
    with pytest.raises(InputError, match="or 2147483647, which does not count, got -1"):
        head.loss(floats(N, T, V), ts)
    ts[0, 1] = head.ignore_label
    assert np.isfinite(head.loss(floats(N, T, V), ts))
    with pytest.raises(InputError, match="ignore_label must be a whole number in"):
        head.ignore_label = 2**31


@on_the_host
@pytest.mark.parametrize("rows", [np.zeros((N, T, V)), np.ones((N, T, V))])
def test_one_hot_rows_have_one_entry(rows):
    with pytest.raises(InputError, match="one-hot ts must have one entry in each row that is not 0"):
        TimeSoftmaxWithLoss().loss(floats(N, T, V), rows)


@on_the_host
@wrong
def test_products_are_of_words(wrong):
    with pytest.raises(InputError, match=rf"idx must hold ids in \[0, {V}\), got {wrong}"):
        EmbeddingDot(floats(V, D)).forward(floats(N, D), words(wrong, N, T))


@on_the_host
@pytest.mark.parametrize("length", [-1, T + 1, 2**32])
@pytest.mark.parametrize("layer", [MeanOverTime, lambda: TimeGRU.of_size(D, D)])
def test_a_row_is_no_longer_than_its_window(layer, length):
    with pytest.raises(InputError, match=rf"lengths must be in \[0, {T}\], got {length}"):
        layer().forward(floats(N, T, D), np.array([1, length]))


@pytest.mark.parametrize("W", [np.ma.masked_array(floats(V, D), False), floats(V, D).view(np.matrix)])
def test_masked_arrays_and_matrices_are_no_weights(W):
    with pytest.raises(InputError, match="W must be an array of"):
        Embedding(W)


def test_rounding_leads_to_no_negative_loss():
    """Of a score that is far above all others, whose probability is 1."""
    W = np.zeros((1, 300), "float32")
    W[0, :2] = 20, 3
    head = TimeAffineWithLoss(TimeAffine(*(dev(a) for a in (W, np.zeros(300, "float32")))))
    for x in np.linspace(0.5, 1.5, 40, dtype="float32"):
        assert float(head.loss(dev(np.full((1, 1, 1), x)), dev(np.zeros((1, 1), int)), keep=False)) >= 0


def test_a_text_of_which_hardly_a_word_is_kept_can_be_trained_on():
    """Words with no other around them tell nothing; it was an IndexError."""
    vectors = train_word2vec(np.arange(24) % 6, 6, options=Word2vecOptions(size=4, window=2, subsample=1e-4, epochs=40))
    assert np.isfinite(vectors).all()
