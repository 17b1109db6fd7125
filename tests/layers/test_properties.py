"""Whatever the sizes, the dtype and the memory: a layer is its equation, and its way back the derivative of that.

Layers and their equations are in `subjects.py`.
"""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from rnnlm.errors import InputError
from rnnlm.layers import Split, TimeSoftmaxWithLoss
from rnnlm.layers.chain import gather
from tests import reference
from tests.gradcheck import assert_gradients, dev, host
from tests.layers.subjects import HEADS, LAYERS, Sizes

sizes = st.builds(
    Sizes, N=st.integers(1, 4), T=st.integers(1, 4), D=st.integers(1, 4), H=st.integers(1, 4), V=st.integers(1, 5)
)
seeds = st.integers(0, 2**32 - 1)
dtypes = st.sampled_from(["float32", "float64"])
kinds = st.sampled_from(["plain", "gaps", "backwards", "turned"])
id_dtypes = st.sampled_from(["int8", "uint8", "int16", "int32", "int64", "uint64"])
TOLERANCE = {
    "float32": {"rtol": 1e-4, "atol": 1e-5},
    "float64": {"rtol": 1e-10, "atol": 1e-12},
}  # of sums of few numbers


# ---------------------------------------------------------------- arrays


def in_memory(array, kind):
    """An array of the backend, in memory of one kind or another."""
    if kind == "gaps":
        both = dev(np.stack([array, array], axis=-1))
        return both[..., 0]
    if kind == "backwards" and array.ndim:
        return dev(array[::-1].copy())[::-1]
    if kind == "turned" and array.ndim > 1:
        return dev(array.swapaxes(0, 1).copy()).swapaxes(0, 1)
    return dev(array)


class Example:
    """A layer, and inputs for it, of some sizes, dtype and memory."""

    def __init__(self, subject, s, seed, dtype="float64", kind="plain", ids="int64"):
        self.subject, self.rng = subject, np.random.default_rng(seed)
        self.layer = subject.make(lambda *shape: in_memory(self.rng.standard_normal(shape).astype(dtype), kind), s)
        gather({"it": self.layer})
        self.dtype, self.kind, self.ids = dtype, kind, ids
        self.given = {name: self._cast(value) for name, value in subject.inputs(self.rng, s).items()}
        self.inputs = {name: self._put(value) for name, value in self.given.items()}

    def _cast(self, value):
        if isinstance(value, tuple):
            return tuple(map(self._cast, value))
        if value.dtype.kind == "f":
            return value.astype(self.dtype)
        return value.astype(self.ids if value.min() >= 0 or self.ids[0] == "i" else "int64")

    def _put(self, value):
        return tuple(map(self._put, value)) if isinstance(value, tuple) else in_memory(value, self.kind)

    def want(self):
        """What the equation says, in float64."""
        params = [host(p).astype(float) for p in self.layer.params]
        wide = {name: self._wide(value) for name, value in self.given.items()}
        return listed(self.subject.equation(params, *wide.values()))

    def _wide(self, value):
        if isinstance(value, tuple):
            return tuple(map(self._wide, value))
        return value.astype(float if value.dtype.kind == "f" else int)

    def row(self, n):
        """The inputs of one row."""
        return {
            name: tuple(one[n : n + 1] for one in value) if isinstance(value, tuple) else value[n : n + 1]
            for name, value in self.inputs.items()
        }

    def arrays(self):
        """All inputs that are numbers, by name: those that have a gradient."""
        flat = {}
        for name, value in self.inputs.items():
            parts = {f"{name}[{i}]": one for i, one in enumerate(value)} if isinstance(value, tuple) else {name: value}
            flat |= {key: one for key, one in parts.items() if one.dtype.kind == "f" and name != "ts"}
        return flat


def listed(value):
    return list(value) if isinstance(value, (list, tuple)) else [value]


def back(layer, dys):
    """The gradients of the inputs."""
    return layer.backward(tuple(dys)) if isinstance(layer, Split) else layer.backward(*dys)


def assert_untouched(example):
    for name, value in example.given.items():
        for was, now in zip(listed(value), listed(example.inputs[name])):
            np.testing.assert_array_equal(host(now), was)


# ---------------------------------------------------------------- layers


@pytest.mark.parametrize("name", LAYERS)
@given(s=sizes, seed=seeds, dtype=dtypes, kind=kinds, ids=id_dtypes)
def test_a_layer_is_its_equation_in_any_memory(name, s, seed, dtype, kind, ids):
    one = Example(LAYERS[name], s, seed, dtype, kind, ids)
    ys, wanted = [host(y) for y in listed(one.layer.forward(**one.inputs))], one.want()
    meant = [~np.isnan(want) for want in wanted]  # not what is after the end of a row
    for got, want, which in zip(ys, wanted, meant, strict=True):
        assert got.dtype == dtype
        np.testing.assert_allclose(got[which], want[which], **TOLERANCE[dtype])
    dys = [in_memory(one.rng.standard_normal(y.shape).astype(dtype), kind) for y in ys]
    before = [host(dy) for dy in dys]
    back(one.layer, dys)
    for dy, was in zip(dys, before):
        np.testing.assert_array_equal(host(dy), was)
    assert_untouched(one)
    with pytest.raises(InputError, match="needs a forward"):
        back(one.layer, dys)
    n = int(one.rng.integers(s.N))  # a row by itself gives what it gives among others
    one.layer.reset_state()
    for got, among, which in zip(listed(one.layer.forward(**one.row(n))), ys, meant):
        np.testing.assert_allclose(host(got)[0][which[n]], among[n][which[n]], **TOLERANCE[dtype])


@pytest.mark.parametrize("name", LAYERS)
@given(s=sizes, seed=seeds)
def test_backward_is_the_derivative(name, s, seed):
    one = Example(LAYERS[name], s, seed)
    meant = [~np.isnan(want) for want in one.want()]
    dys = [dev(np.where(which, one.rng.standard_normal(which.shape), 0)) for which in meant]

    def loss():
        one.layer.reset_state()
        total = sum((y * dy).sum() for y, dy in zip(listed(one.layer.forward(**one.inputs)), dys))
        return total + one.layer.penalty

    loss()
    dxs, arrays = back(one.layer, dys), one.arrays()
    names = [f"parameter {i}" for i in range(len(one.layer.params))]
    grads = {key: dx.copy() for key, dx in zip(arrays, listed(dxs)) if dx is not None}
    grads |= {key: g.copy() for key, g in zip(names, one.layer.grads)}
    assert grads.keys() == {*arrays, *names}
    assert_gradients(loss, arrays | dict(zip(names, one.layer.params)), grads, one.rng)


# ---------------------------------------------------------------- heads


@pytest.mark.parametrize("name", HEADS)
@given(s=sizes, seed=seeds, dtype=dtypes, kind=kinds, ids=id_dtypes)
def test_a_loss_is_its_equation_and_never_negative(name, s, seed, dtype, kind, ids):
    one = Example(HEADS[name], s, seed, dtype, kind, ids)
    loss = one.layer.loss(**one.inputs)
    assert loss.dtype == np.float64
    (want,) = one.want()
    np.testing.assert_allclose(float(loss), want, **TOLERANCE[dtype])
    assert float(loss) >= 0
    assert_untouched(one)
    one.layer.backward()
    assert_untouched(one)
    with pytest.raises(InputError, match="needs a forward"):
        one.layer.backward()
    np.testing.assert_allclose(float(one.layer.loss(**one.inputs, keep=False)), float(loss), **TOLERANCE[dtype])
    with pytest.raises(InputError, match="needs a forward"):
        one.layer.backward()


@pytest.mark.parametrize("name", HEADS)
@given(s=sizes, seed=seeds, dout=st.sampled_from([1, 0.5, -2, 0]))
def test_a_loss_goes_back_by_its_derivative(name, s, seed, dout):
    one = Example(HEADS[name], s, seed)
    head, arrays = one.layer, one.arrays()
    head.loss(**one.inputs)
    dhs = listed(head.backward(dout))
    names = [f"parameter {i}" for i in range(len(head.params))]
    grads = dict(zip(arrays, (dh.copy() for dh in dhs))) | {key: g.copy() for key, g in zip(names, head.grads)}
    assert_gradients(lambda: dout * head.loss(**one.inputs), arrays | dict(zip(names, head.params)), grads, one.rng)


@given(s=sizes, seed=seeds, scale=st.sampled_from([1, 30, 1e4, 1e30]))
def test_large_scores_of_float32_have_a_finite_loss(s, seed, scale):
    rng = np.random.default_rng(seed)
    h, ts = (scale * rng.standard_normal((s.N, s.T, s.V))).astype("float32"), rng.integers(0, s.V, (s.N, s.T))
    loss = float(TimeSoftmaxWithLoss().loss(dev(h), dev(ts)))
    np.testing.assert_allclose(loss, reference.cross_entropy(h.astype(float), ts), rtol=1e-5, atol=1e-5)
