"""What recurrent layers carry on, in any order of calls, against a model that is a list of arrays; and windows cut in two."""

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from rnnlm.backend import xp
from rnnlm.errors import InputError
from rnnlm.layers import TimeContextEmbedding, TimeGRU, TimeRNN
from tests.gradcheck import dev, host
from tests.layers.test_properties import seeds
from tests.layers.test_recurrent import KINDS, build

D, H, V = 2, 3, 5
kinds = st.sampled_from(sorted(KINDS))


def machine(kind):
    """Calls of a layer of one kind, and what they should come to by its equation."""

    class Calls(RuleBasedStateMachine):
        def __init__(self):
            super().__init__()
            self.rng = np.random.default_rng(0)
            self.layer, _, _ = build(self.rng, kind, 1, 1, D, H)
            self.params = [host(p) for p in self.layer.params]
            self.state = None  # arrays (N, H), or None for zeros
            self.pending = None  # shape of the gradient that a backward may be given

        def equation(self, xs):
            zeros = [np.zeros((len(xs), H)) for _ in self.layer.states]
            return KINDS[kind][2](xs, *(self.state or zeros), *self.params)

        @rule(N=st.integers(1, 3), T=st.integers(1, 3))
        def forward(self, N, T):
            xs = self.rng.standard_normal((N, T, D))
            if self.state is not None and len(self.state[0]) != N:
                with pytest.raises(InputError, match="the carried state, must be"):
                    self.layer.forward(dev(xs))
                return
            want, *last = self.equation(xs)
            np.testing.assert_allclose(host(self.layer.forward(dev(xs))), want, rtol=1e-10, atol=1e-13)
            self.state, self.pending = last, want.shape

        @rule()
        def backward(self):
            if self.pending is None:
                with pytest.raises(InputError, match="needs a forward of its own first"):
                    self.layer.backward(dev(np.zeros((1, 1, H))))
                return
            with pytest.raises(InputError, match="dhs must have shape"):
                self.layer.backward(dev(np.zeros((9, 9, H))))
            dxs = host(self.layer.backward(dev(self.rng.standard_normal(self.pending))))
            assert dxs.shape == (*self.pending[:2], D)
            assert np.isfinite(dxs).all()
            self.pending = None

        @rule(N=st.integers(1, 3))
        def set_state(self, N):
            self.state = [self.rng.standard_normal((N, H)) for _ in self.layer.states]
            given = [dev(array) for array in self.state]
            self.layer.set_state(*given)
            for array in given:
                array[...] = np.nan  # a copy was made

        @rule()
        def reset_state(self):
            self.layer.reset_state()
            self.state = None

        @rule()
        def a_wrong_state_changes_nothing(self):
            with pytest.raises(InputError, match="h must have shape"):
                self.layer.set_state(dev(np.zeros((1, H + 1))))

        @rule()
        def get_state(self):
            given = self.layer.get_state()
            assert (given is None) == (self.state is None)
            for got, want in zip(given or (), self.state or ()):
                np.testing.assert_allclose(host(got), want, rtol=1e-10, atol=1e-13)
                got[...] = np.nan

        @rule()
        @precondition(lambda self: self.state is not None)
        def a_state_given_back_is_the_same(self):
            self.layer.set_state(*self.layer.get_state())

    return Calls.TestCase


TestRnn, TestLstm, TestGru, TestGruAfter = (machine(kind) for kind in ("rnn", "lstm", "gru", "gru-after"))


@given(kind=kinds, N=st.integers(1, 3), T=st.integers(2, 6), seed=seeds, cut=st.integers(1, 5))
def test_two_windows_give_what_one_gives(kind, N, T, seed, cut):
    rng, cut = np.random.default_rng(seed), min(cut, T - 1)
    layer, xs, state = build(rng, kind, N, T, D, H)
    layer.set_state(*state)
    whole, last = host(layer.forward(xs)), [host(a) for a in layer.get_state()]
    layer.set_state(*state)
    parts = [host(layer.forward(part)) for part in (xs[:, :cut], xs[:, cut:])]
    np.testing.assert_allclose(np.concatenate(parts, axis=1), whole, rtol=1e-12, atol=1e-14)
    for got, want in zip(layer.get_state(), last):
        np.testing.assert_allclose(host(got), want, rtol=1e-12, atol=1e-14)


@given(
    N=st.integers(1, 3),
    T=st.integers(2, 6),
    context=st.integers(1, 5),
    mean=st.booleans(),
    seed=seeds,
    cut=st.integers(1, 5),
)
def test_two_windows_of_contexts_give_what_one_gives(N, T, context, mean, seed, cut):
    rng, cut = np.random.default_rng(seed), min(cut, T - 1)
    layer, ids = TimeContextEmbedding(dev(rng.standard_normal((V, D))), context, mean), rng.integers(0, V, (N, T))
    dys = rng.standard_normal((N, T, D if mean else context * D))
    whole = host(layer.forward(dev(ids)))
    layer.backward(dev(dys))
    gradient = host(layer.grads[0])
    layer.reset_state()
    in_parts, parts = 0, []
    for part in (slice(None, cut), slice(cut, None)):
        parts.append(host(layer.forward(dev(ids[:, part]))))
        layer.backward(dev(dys[:, part]))
        in_parts = in_parts + host(layer.grads[0])
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), whole)
    np.testing.assert_allclose(in_parts, gradient, rtol=1e-12, atol=1e-13)


def test_few_shapes_of_a_buffer_are_remembered():
    layer = TimeRNN.of_size(3, 4)
    for T in range(300, 0, -1):  # in the same buffer
        layer.forward(xp.zeros((2, T, 3), xp.float32))
    assert all(len(views) <= 64 for _, views in layer._buffers.values())


def test_where_the_reset_gate_is_stays():
    """The bias has been made for it."""
    layer = TimeGRU.of_size(3, 4, reset_after=np.True_)
    assert layer.reset_after
    assert layer.params[2].shape == (2, 12)
    with pytest.raises(AttributeError):
        layer.reset_after = False
