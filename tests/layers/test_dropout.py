import numpy as np
import pytest

from rnnlm.backend import xp
from rnnlm.book.layers import Dropout as BooksDropout
from rnnlm.errors import InputError
from rnnlm.layers import TimeDropout, TimeEmbedding
from rnnlm.layers.dropout import DropoutMask
from rnnlm.models import Sequential
from tests.gradcheck import assert_gradients, dev, host

KINDS = [False, True]  # variational or not


def build(rng, variational, ratio=0.4, dtype=np.float64):
    layer = TimeDropout(ratio, variational)
    layer.mask.seed(7, 3)
    return layer, dev(rng.standard_normal((3, 5, 4)), dtype)


def run(layer, xs):
    layer.mask.step = 0
    return layer.forward(xs)


def test_the_bits_of_a_mask_are_these():
    """Philox4x64-10 of NumPy, word by word, in lanes of 16 bits: what a kernel would have to give."""
    mask = DropoutMask(0.3)
    mask.seed(5, 2)
    mask.step = 9
    words = np.random.Philox(
        key=np.array([5, 2**62 + 2], np.uint64), counter=np.array([0, 0, 9, 0], np.uint64)
    ).random_raw(3)
    lanes = [(int(word) >> shift) & 0xFFFF for word in words for shift in (0, 16, 32, 48)]
    want = [0 if lane < 19661 else 65536 / (65536 - 19661) for lane in lanes[:10]]  # round(0.3 * 65536) = 19661
    np.testing.assert_array_equal(host(mask.draw((2, 5), np.float64)).ravel(), want)
    assert mask.step == 10


def test_masks_differ_by_step_layer_and_seed():
    def draw(seed, layer, step):
        mask = DropoutMask(0.5)
        mask.seed(seed, layer)
        mask.step = step
        return host(mask.draw((100,), np.float32)).tolist()

    masks = [draw(1, 2, 3), draw(2, 2, 3), draw(1, 3, 3), draw(1, 2, 4), draw(1, 2, 2**40)]
    assert masks[0] == draw(1, 2, 3)
    assert len({tuple(mask) for mask in masks}) == 5
    assert (
        host(DropoutMask(0.5).draw((100,), np.float32)).tolist()
        != host(DropoutMask(0.5).draw((100,), np.float32)).tolist()
    )


@pytest.mark.parametrize("ratio", [0.1, 0.5, 0.65])
def test_a_mask_keeps_the_expected_value(ratio):
    """Over a million entries the share of zeros has a standard deviation of at most 0.0005."""
    mask = DropoutMask(ratio)
    mask.seed(0, 0)
    m = host(mask.draw((1000, 1000), np.float64))
    assert abs((m == 0).mean() - ratio) < 0.0025
    assert abs(m.mean() - 1) < 0.01
    assert np.unique(m).size == 2


@pytest.mark.parametrize("variational", KINDS)
def test_forward_is_a_product_with_the_mask(rng, variational):
    layer, xs = build(rng, variational)
    ys = host(run(layer, xs))
    layer.mask.step = 0
    shape = (1, 3, 4) if variational else (5, 3, 4)
    mask = host(layer.mask.draw(shape, np.float64)).swapaxes(0, 1)
    np.testing.assert_array_equal(ys, host(xs) * mask)
    dropped = ys == 0
    assert dropped.any()
    assert not dropped.all()
    assert (dropped == dropped[:, :1]).all() == variational


@pytest.mark.parametrize("variational", KINDS)
def test_backward_is_the_derivative(rng, variational):
    layer, xs = build(rng, variational)
    dys = dev(rng.standard_normal(xs.shape))

    def loss():
        return (run(layer, xs) * dys).sum()

    loss()
    assert_gradients(loss, {"xs": xs}, {"xs": layer.backward(dys).copy()}, rng)


@pytest.mark.parametrize("variational", KINDS)
def test_nothing_happens_while_evaluating_or_for_ratio_0(rng, variational):
    layer, xs = build(rng, variational)
    layer.train_flg = False
    for one in (layer, TimeDropout(0.0, variational)):
        np.testing.assert_array_equal(host(one.forward(xs)), host(xs))
        np.testing.assert_array_equal(host(one.backward(xs)), host(xs))
    assert layer.mask.step == 0


def test_a_new_mask_for_each_window_and_one_backward_for_each(rng):
    layer, xs = build(rng, False)
    first = host(layer.forward(xs))
    assert not np.array_equal(host(layer.forward(xs)), first)
    layer.backward(xs)
    with pytest.raises(InputError, match="backward needs a forward"):
        layer.backward(xs)
    layer.forward(xs)
    with pytest.raises(InputError, match=r"dys must have shape \(3, 5, 4\), got \(3, 4, 4\)"):
        layer.backward(xs[:, 1:])


def test_inputs_are_left_untouched_and_float32_stays(rng):
    layer, xs = build(rng, False, dtype=np.float32)
    before = host(xs)
    ys = layer.forward(xs)
    dxs = layer.backward(xs)
    np.testing.assert_array_equal(host(xs), before)
    assert ys.dtype == dxs.dtype == np.float32


@pytest.mark.parametrize("ratio", [-0.1, 1, 1.5, float("nan"), None, "0.5", True])
def test_a_ratio_outside_0_to_1_is_refused(ratio):
    with pytest.raises(InputError, match=r"dropout_ratio must be in \[0, 1\), got"):
        TimeDropout(ratio)


def test_a_ratio_close_to_1_leaves_something():
    mask = DropoutMask(0.999999)
    mask.seed(0, 0)
    assert 0 < (host(mask.draw((1000, 1000), np.float64)) > 0).mean() < 1e-4


def embedding(rng, dtype=np.float64):
    layer = TimeEmbedding(dev(rng.standard_normal((8, 3)), dtype), dropout_ratio=0.5)
    layer.mask.seed(1, 0)
    return layer, dev(np.array([[0, 1, 2, 3, 0], [4, 5, 6, 7, 4], [0, 4, 1, 5, 2]]))


def test_embedding_dropout_drops_whole_words(rng):
    layer, ids = embedding(rng)
    vectors = host(layer.forward(ids))
    W, ids_, dropped = host(layer.params[0]), host(ids), (vectors == 0).all(axis=2)
    assert 0 < dropped.sum() < dropped.size
    for word in range(8):
        assert len(set(dropped[ids_ == word])) == 1  # everywhere or nowhere
    np.testing.assert_allclose(vectors, np.where(dropped[..., None], 0, 2 * W[ids_]), rtol=1e-15)
    layer.train_flg = False
    np.testing.assert_array_equal(host(layer.forward(ids)), W[ids_])


def test_embedding_dropout_backward_is_the_derivative(rng):
    layer, ids = embedding(rng)
    dxs = dev(rng.standard_normal((3, 5, 3)))

    def loss():
        layer.mask.step = 0
        return (layer.forward(ids) * dxs).sum()

    for _ in range(2):  # the second one over the rows of the first
        loss()
        layer.backward(dxs)
    assert_gradients(loss, {"W": layer.params[0]}, {"W": layer.grads[0].copy()}, rng)


def test_an_embedding_may_add_to_a_gradient(rng):
    layer, ids = embedding(rng)
    layer.mask.step = 0
    layer.forward(ids)
    layer.backward(xp.ones((3, 5, 3)))
    want = host(layer.grads[0]) + 1
    layer.add_to_gradient = True
    layer.grads[0][...] = 1
    layer.mask.step = 0
    layer.forward(ids)
    layer.backward(xp.ones((3, 5, 3)))
    np.testing.assert_allclose(host(layer.grads[0]), want, rtol=1e-15)


def test_the_books_dropout_drops_nothing_where_a_network_evaluates():
    net = Sequential([BooksDropout(0.5)])
    assert net.predict(np.ones((1, 50))).all()
    assert not host(net.forward(dev(np.ones((1, 50), np.float32)))).all()
    assert host(BooksDropout(0.5).forward(dev(np.ones((1, 50))), train_flg=False)).all()
