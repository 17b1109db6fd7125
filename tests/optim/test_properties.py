"""Optimisers, clipping and rates against their equations, one number at a time, whatever gradients come."""

import math

import numpy as np
import pytest
from hypothesis import given, strategies as st

from rnnlm.optim import (
    ASGD,
    SGD,
    AdaGrad,
    Adam,
    AdamW,
    Constant,
    Cosine,
    DivideOnPlateau,
    Halving,
    Momentum,
    Nesterov,
    RMSprop,
    StepDecay,
    clip_grads,
)
from tests.gradcheck import dev, host

B1, B2, EPSILON = 0.8, 0.9, 1e-6


def sgd(p, gs, lr, wd):
    for g in gs:
        p -= lr * (g + wd * p)
        yield p


def momentum(p, gs, lr, wd, ahead=False):
    v = 0.0
    for g in gs:
        d = lr * (g + wd * p)
        v = 0.7 * v - d
        p += 0.7 * v - d if ahead else v
        yield p


def nesterov(p, gs, lr, wd):
    yield from momentum(p, gs, lr, wd, ahead=True)


def adagrad(p, gs, lr, wd):
    h = 0.0
    for g in gs:
        d = g + wd * p
        h += d * d
        p -= lr * d / (math.sqrt(h) + EPSILON)
        yield p


def rmsprop(p, gs, lr, wd):
    h = 0.0
    for g in gs:
        d = g + wd * p
        h = B1 * h + (1 - B1) * d * d
        p -= lr * d / (math.sqrt(h) + EPSILON)
        yield p


def adam(p, gs, lr, wd, apart=0.0):
    m = v = 0.0
    for t, g in enumerate(gs, 1):
        p -= lr * apart * p
        d = g + wd * p
        m, v = B1 * m + (1 - B1) * d, B2 * v + (1 - B2) * d * d
        p -= lr * math.sqrt(1 - B2**t) / (1 - B1**t) * m / (math.sqrt(v) + EPSILON)
        yield p


def adamw(p, gs, lr, wd):
    yield from adam(p, gs, lr, 0.0, apart=wd)


EQUATIONS = {
    "sgd": (SGD, {}, sgd),
    "momentum": (Momentum, {"momentum": 0.7}, momentum),
    "nesterov": (Nesterov, {"momentum": 0.7}, nesterov),
    "adagrad": (AdaGrad, {"epsilon": EPSILON}, adagrad),
    "rmsprop": (RMSprop, {"decay_rate": B1, "epsilon": EPSILON}, rmsprop),
    "adam": (Adam, {"beta1": B1, "beta2": B2, "epsilon": EPSILON}, adam),
    "adamw": (AdamW, {"beta1": B1, "beta2": B2, "epsilon": EPSILON}, adamw),
    "asgd": (ASGD, {}, sgd),
}
numbers = st.floats(-3, 3)
gradients = st.one_of(numbers, st.sampled_from([0.0, 1e-30, -1e-12, 1e8, -1e12]))
lists = st.lists(st.lists(gradients, min_size=3, max_size=3), min_size=1, max_size=6)
rates = st.floats(1e-4, 1.0)


@pytest.mark.parametrize("name", EQUATIONS)
@given(
    start=st.lists(numbers, min_size=3, max_size=3), gs=lists, lr=rates, wd=st.sampled_from([0.0, 0.1]), factor=st.sampled_from([1, 0.5]),
    split=st.booleans(), gaps=st.booleans(),
)  # fmt: skip
def test_an_optimiser_is_its_equation(name, start, gs, lr, wd, factor, split, gaps):
    cls, options, equation = EQUATIONS[name]
    optimizer = cls(lr, weight_decay=wd, **options)
    memory = dev(np.repeat(start, 2).reshape(3, 2))
    whole = memory[:, 0] if gaps else memory[:, 0].copy()
    params = [whole[:1], whole[1:]] if split else [whole]
    columns = [list(equation(p, [factor * g for g in column], lr, wd)) for p, column in zip(start, zip(*gs))]
    for step, g in enumerate(gs):
        grads = [dev(np.array(part)) for part in ([g[:1], g[1:]] if split else [g])]
        before = [host(one) for one in grads]
        optimizer.update(params, grads, factor)
        want = np.array([column[step] for column in columns])
        np.testing.assert_allclose(host(whole), want, rtol=1e-8, atol=1e-8 * max(1, np.abs(g).max()))
        for one, was in zip(grads, before):
            np.testing.assert_array_equal(host(one), was)
    assert optimizer.iter == len(gs)


@pytest.mark.parametrize("name", EQUATIONS)
@given(gs=lists, cut=st.integers(0, 6))
def test_a_state_that_is_taken_over_goes_on_alike(name, gs, cut):
    cls, options, _ = EQUATIONS[name]
    one, other = (cls(0.1, **options) for _ in range(2))
    p, q = dev(np.ones(3)), None
    for step, g in enumerate(gs):
        if step == min(cut, len(gs) - 1):
            other.load_state_dict(one.state_dict())
            q = p.copy()
        one.update([p], [dev(np.array(g))])
        if q is not None:
            other.update([q], [dev(np.array(g))])
    np.testing.assert_array_equal(host(q), host(p))


@given(gs=lists, trigger=st.integers(0, 5))
def test_asgd_averages_all_steps_after_the_trigger(gs, trigger):
    optimizer, p, seen = ASGD(0.1), dev(np.ones(3)), []
    for step, g in enumerate(gs):
        if step == trigger:
            optimizer.start_averaging()
        optimizer.update([p], [dev(np.array(g))])
        if step >= trigger:
            seen.append(host(p))
    own = host(p)
    with optimizer.averaged([p]):
        want = np.mean(seen, axis=0) if seen else own
        np.testing.assert_allclose(host(p), want, rtol=1e-9, atol=1e-9 * max(1, np.abs(want).max()))
    np.testing.assert_array_equal(host(p), own)


@given(
    st.lists(st.lists(gradients, min_size=1, max_size=4), min_size=1, max_size=3),
    st.floats(1e-3, 1e3),
    st.sampled_from(["float32", "float64"]),
)
def test_clipping_brings_the_norm_down_and_keeps_the_direction(parts, max_norm, dtype):
    gs = [np.array(part, dtype) for part in parts]
    norm = math.sqrt(sum(float(x) ** 2 for g in gs for x in g))
    factor = min(1, max_norm / (norm + 1e-6))
    grads = [dev(g) for g in gs]
    assert float(clip_grads(grads, max_norm)) == pytest.approx(norm, rel=1e-5)
    for got, g in zip(grads, gs):
        np.testing.assert_allclose(host(got), factor * g.astype(float), rtol=1e-5, atol=1e-30)


# ---------------------------------------------------------------- rates

losses = st.lists(st.one_of(st.floats(0.1, 9), st.none()), max_size=8)


def after(rule, heard):
    """The rates of the epochs."""
    seen = []
    for loss in heard:
        seen.append(rule(0))
        rule.end_epoch(loss)
    return [*seen, rule(0)]


@given(losses, rates, st.floats(1, 5))
def test_a_rate_is_divided_after_each_epoch_that_is_not_the_best(heard, lr, decay):
    want, best = [lr], math.inf
    for loss in heard:
        worse = loss is not None and loss >= best
        best = best if loss is None else min(best, loss)
        want.append(want[-1] / decay if worse else want[-1])
    assert after(DivideOnPlateau(lr, decay), heard) == pytest.approx(want)
    assert after(Constant(lr), heard) == [lr] * (len(heard) + 1)


@given(losses, rates, st.floats(1, 5), st.integers(0, 6))
def test_a_rate_falls_by_steps(heard, lr, decay, full):
    want = [lr / decay ** max(0, min(epoch, epoch - max(full, 1) + 1)) for epoch in range(len(heard) + 1)]
    assert after(StepDecay(lr, decay, full), heard) == pytest.approx(want)


@given(losses, rates)
def test_halving_ends_with_the_second_epoch_that_gains_too_little(heard, lr):
    rule, last, small = Halving(lr), math.inf, 0
    for loss in heard:
        rule.end_epoch(loss)
        if loss is not None:
            gained = last / loss >= 1.003
            small += not gained
            assert rule.finished == (small > 1 and not gained)
            last = loss
    assert (rule(0) < lr) == (small > 0)


@given(rates, st.integers(1, 50), st.data())
def test_the_cosine_rises_and_falls(lr, steps, data):
    warmup = data.draw(st.integers(0, steps - 1))
    rule = Cosine(lr, steps, warmup)
    seen = [rule(step) for step in range(steps + 3)]
    for step, rate in enumerate(seen):
        rising = lr * (step + 1) / (warmup + 1)
        share = min(1, (step - warmup) / (steps - warmup))
        want = rising if step < warmup else max(lr / 2 * (1 + math.cos(math.pi * share)), 1e-6 * lr)
        assert rate == pytest.approx(want)
    assert all(a <= b for a, b in zip(seen[: warmup + 1], seen[1 : warmup + 1]))
    assert max(seen) <= lr * (1 + 1e-12)
